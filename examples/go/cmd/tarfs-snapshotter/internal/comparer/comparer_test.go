package comparer

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/containerd/containerd/v2/pkg/labels"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"go.etcd.io/bbolt"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// desk is containerd's own content store, and a container over one layer.
type desk struct {
	t            *testing.T
	ctx          context.Context
	store        content.Store
	db           *metadata.DB
	leases       leases.Manager
	dir          string
	lower, upper []mount.Mount
	comparer     *Comparer
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	dir := testkit.Tmpfs(t, 0)
	// Not on the filesystem that is unmounted: it leaves a file open until that is collected.
	blobs, err := local.NewStore(testkit.Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	file, err := bbolt.Open(dir+"/meta.db", 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	d := &desk{t: t, dir: dir, ctx: namespaces.WithNamespace(t.Context(), "test")}
	db := metadata.NewDB(file, blobs, nil)
	if err := db.Init(d.ctx); err != nil {
		t.Fatal(err)
	}
	d.store = db.ContentStore()
	testkit.Shell(t, dir, `mkdir -p 1 2/fs 2/work lower merged; : >2/.erofslayer; mkdir -p lower/d lower/opaque
		echo a >lower/a; echo b >lower/d/b; echo c >lower/opaque/c`)
	testkit.Mount(t, dir+"/merged", "overlay", "overlay", "lowerdir="+dir+"/lower,upperdir="+dir+"/2/fs,workdir="+dir+"/2/work")
	layer := mount.Mount{Type: "erofs", Source: dir + "/1/layer.erofs", Options: []string{"ro", "loop"}}
	d.lower = []mount.Mount{layer}
	d.upper = []mount.Mount{layer, {Type: "format/mkdir/overlay", Source: "overlay", Options: []string{
		"workdir=" + dir + "/2/work", "upperdir=" + dir + "/2/fs", "lowerdir={{ mount 0 }}"}}}
	d.db = db
	d.leases = metadata.NewLeaseManager(db)
	d.comparer = New(Options{Content: d.store, Leases: d.leases, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	return d
}

func (d *desk) change(script string) { testkit.Shell(d.t, d.dir+"/merged", script) }

// blob reads a layer out of the store, as it is and unpacked by containerd.
func (d *desk) blob(desc ocispec.Descriptor) (plain []byte, kind compression.Compression) {
	d.t.Helper()
	data, err := content.ReadBlob(d.ctx, d.store, desc)
	if err != nil {
		d.t.Fatal(err)
	}
	if int64(len(data)) != desc.Size || digest.FromBytes(data) != desc.Digest {
		d.t.Errorf("%d bytes, and it is %+v", len(data), desc)
	}
	r, err := compression.DecompressStream(bytes.NewReader(data))
	if err != nil {
		d.t.Fatal(err)
	}
	defer r.Close()
	plain, err = io.ReadAll(r)
	if err != nil {
		d.t.Fatal(err)
	}
	return plain, r.GetCompression()
}

// uploads are those that are begun and not ended.
func (d *desk) uploads() int {
	d.t.Helper()
	all, err := d.store.ListStatuses(d.ctx)
	if err != nil {
		d.t.Fatal(err)
	}
	return len(all)
}

// In each compression the layer is what GNU tar lists, and its label is the digest of the tar.
func TestCompare(t *testing.T) {
	for kind, want := range map[string]compression.Compression{
		"":                              compression.Gzip,
		ocispec.MediaTypeImageLayer:     compression.Uncompressed,
		ocispec.MediaTypeImageLayerGzip: compression.Gzip,
		ocispec.MediaTypeImageLayerZstd: compression.Zstd,
	} {
		d := newDesk(t)
		d.change(`rm a; rm -r opaque; mkdir opaque; echo new >opaque/new; echo more >>d/b`)
		opts := []diff.Opt{diff.WithLabels(map[string]string{"mine": "too"})}
		if kind != "" {
			opts = append(opts, diff.WithMediaType(kind))
		}
		for range 2 { // the second finds the blob there
			desc, err := d.comparer.Compare(d.ctx, d.lower, d.upper, opts...)
			if err != nil {
				t.Fatal(kind, err)
			}
			plain, got := d.blob(desc)
			if got != want || kind != "" && desc.MediaType != kind {
				t.Errorf("%q: %v, %s", kind, got, desc.MediaType)
			}
			if err := os.WriteFile(d.dir+"/layer.tar", plain, 0o600); err != nil {
				t.Fatal(err)
			}
			list := testkit.Shell(t, d.dir, "tar -tf layer.tar")
			if list != ".wh.a\nd/\nd/b\nopaque/\nopaque/.wh..wh..opq\nopaque/new\n" {
				t.Errorf("%q: %s", kind, list)
			}
			info, err := d.store.Info(d.ctx, desc.Digest)
			if err != nil || info.Labels[labels.LabelUncompressed] != digest.FromBytes(plain).String() || info.Labels["mine"] != "too" {
				t.Errorf("%q: %v %v", kind, info.Labels, err)
			}
		}
		if n := d.uploads(); n != 0 {
			t.Errorf("%d uploads are left", n)
		}
	}
}

// A blob that is there without the label gets it.
func TestLabelAdded(t *testing.T) {
	d := newDesk(t)
	d.change(`echo x >x`)
	desc, err := d.comparer.Compare(d.ctx, d.lower, d.upper)
	if err != nil {
		t.Fatal(err)
	}
	info := content.Info{Digest: desc.Digest, Labels: map[string]string{}}
	if _, err := d.store.Update(d.ctx, info, "labels"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.comparer.Compare(d.ctx, d.lower, d.upper); err != nil {
		t.Fatal(err)
	}
	if info, err = d.store.Info(d.ctx, desc.Digest); err != nil || info.Labels[labels.LabelUncompressed] == "" {
		t.Error(info.Labels, err)
	}
}

// A snapshot that stands on no layers is bound, and all in it is new.
func TestWithoutParents(t *testing.T) {
	d := newDesk(t)
	d.change(`echo x >x`)
	bound := []mount.Mount{{Type: "bind", Source: d.dir + "/2/fs", Options: []string{"rw", "rbind"}}}
	if _, err := d.comparer.Compare(d.ctx, nil, bound); err != nil {
		t.Error(err)
	}
}

// What another differ may know better.
func TestNotImplemented(t *testing.T) {
	d := newDesk(t)
	d.change(`echo x >x`)
	other := []mount.Mount{{Type: "erofs", Source: d.dir + "/3/layer.erofs", Options: []string{"ro", "loop"}}}
	view := append(append([]mount.Mount{}, d.lower...), mount.Mount{Type: "format/mkdir/overlay", Source: "overlay", Options: []string{"lowerdir={{ mount 0 }}"}})
	foreign := []mount.Mount{{Type: "overlay", Source: "overlay", Options: []string{"upperdir=/elsewhere/fs"}}}
	inFile := []mount.Mount{{Type: "mkfs/ext4", Source: d.dir + "/2/rwlayer.img"}, d.lower[0],
		{Type: "format/mkdir/overlay", Source: "overlay", Options: []string{"upperdir={{ mount 0 }}/upper"}}}
	for name, row := range map[string]struct {
		lower, upper []mount.Mount
		opts         []diff.Opt
	}{
		"other layers":       {other, d.upper, nil},
		"no layers":          {nil, d.upper, nil},
		"more layers":        {append(other, d.lower...), d.upper, nil},
		"a view":             {d.lower, view, nil},
		"a layer":            {nil, d.lower, nil},
		"another's":          {nil, foreign, nil},
		"none":               {nil, nil, nil},
		"in a file":          {d.lower, inFile, nil},
		"another media type": {d.lower, d.upper, []diff.Opt{diff.WithMediaType("application/vnd.erofs.layer.v1")}},
	} {
		if _, err := d.comparer.Compare(d.ctx, row.lower, row.upper, row.opts...); !errdefs.IsNotImplemented(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	testkit.Shell(t, d.dir, "setfattr -n trusted.overlay.redirect -v /old 2/fs/x-dir 2>/dev/null || { mkdir 2/fs/x-dir; setfattr -n trusted.overlay.redirect -v /old 2/fs/x-dir; }")
	if _, err := d.comparer.Compare(d.ctx, d.lower, d.upper); !errdefs.IsNotImplemented(err) || !strings.Contains(err.Error(), "x-dir") {
		t.Error(err)
	}
	if n := d.uploads(); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

// A failure names the file, and leaves no upload; one that the caller has a name for is the caller's.
func TestFails(t *testing.T) {
	d := newDesk(t)
	d.change(`echo x >.wh.x`)
	for left, opts := range [][]diff.Opt{nil, {diff.WithReference("mine")}} {
		_, err := d.comparer.Compare(d.ctx, d.lower, d.upper, opts...)
		if err == nil || errdefs.IsNotImplemented(err) || !strings.Contains(err.Error(), "/2/fs: .wh.x: a file of this name") {
			t.Error(err)
		}
		if n := d.uploads(); n != left {
			t.Errorf("%d uploads are left", n)
		}
	}
	// The next with the caller's name begins anew.
	d.change(`rm .wh.x`)
	if _, err := d.comparer.Compare(d.ctx, d.lower, d.upper, diff.WithReference("mine")); err != nil {
		t.Error(err)
	}
}

// What was written outlives a collection: by the caller's lease, or by one that ends by itself. A failure leaves none.
func TestKeptByLease(t *testing.T) {
	d := newDesk(t)
	d.change(`echo x >x`)
	desc, err := d.comparer.Compare(d.ctx, d.lower, d.upper)
	if err != nil {
		t.Fatal(err)
	}
	all, err := d.leases.List(d.ctx)
	if err != nil || len(all) != 1 || all[0].Labels["containerd.io/gc.expire"] == "" {
		t.Error(all, err)
	}
	kept := func(want bool) {
		t.Helper()
		if _, err := d.db.GarbageCollect(d.ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := d.store.Info(d.ctx, desc.Digest); (err == nil) != want {
			t.Error(err)
		}
	}
	kept(true)
	if err := d.leases.Delete(d.ctx, all[0]); err != nil {
		t.Fatal(err)
	}
	kept(false)
	mine, err := d.leases.Create(d.ctx, leases.WithID("mine"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.comparer.Compare(leases.WithLease(d.ctx, mine.ID), d.lower, d.upper); err != nil {
		t.Fatal(err)
	}
	kept(true)
	d.change(`echo x >.wh.x`)
	if _, err := d.comparer.Compare(d.ctx, d.lower, d.upper); err == nil {
		t.Fatal("no error")
	}
	if all, err := d.leases.List(d.ctx); err != nil || len(all) != 1 {
		t.Error(all, err)
	}
}
