package applier

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// desk is a content store and snapshots, as containerd has them on its disk.
type desk struct {
	t    testing.TB
	root string
	// How many snapshots there are.
	count int
}

func newDesk(t testing.TB) *desk { return deskIn(t, testkit.Dir(t)) }

func deskIn(t testing.TB, root string) *desk {
	t.Helper()
	for _, dir := range []string{"content/blobs/sha256", "snapshots", "tree", "extracted"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return &desk{t: t, root: root}
}

// options are those of most tests.
func (d *desk) options() Options {
	log := slog.New(slog.NewTextHandler(d.t.Output(), nil))
	return Options{ContentRoot: filepath.Join(d.root, "content"), Concurrent: 2, Log: log}
}

// applier makes one with the options of most tests, changed.
func (d *desk) applier(change func(o *Options)) *Applier {
	d.t.Helper()
	o := d.options()
	if change != nil {
		change(&o)
	}
	a, err := New(o)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// blob puts a blob into the content store.
func (d *desk) blob(mediaType string, data []byte) ocispec.Descriptor {
	d.t.Helper()
	desc := descriptor(mediaType, data)
	if err := os.WriteFile(d.blobPath(desc), data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return desc
}

func descriptor(mediaType string, data []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}

func (d *desk) blobPath(desc ocispec.Descriptor) string {
	return filepath.Join(d.root, "content/blobs/sha256", desc.Digest.Encoded())
}

// snapshot is a new one, and the mounts that containerd gives a differ for it.
func (d *desk) snapshot() (string, []mount.Mount) {
	d.t.Helper()
	d.count++
	dir := filepath.Join(d.root, "snapshots", fmt.Sprint(d.count))
	for _, sub := range []string{"fs", "work"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, marker), nil, 0o644); err != nil {
		d.t.Fatal(err)
	}
	return dir, []mount.Mount{{Type: "bind", Source: dir + "/fs", Options: []string{"rw", "rbind"}}}
}

// files are the names in a snapshot's directory that containerd did not make.
func files(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.Contains(" fs work "+marker+" ", " "+e.Name()+" ") {
			names = append(names, e.Name())
		}
	}
	return strings.Join(names, " ")
}

// gnuTar is the tar that a script's tree gives, and what GNU tar extracts from it.
func (d *desk) gnuTar(script, options string) (data []byte, extracted string) {
	d.t.Helper()
	testkit.Root(d.t)
	work := testkit.Dir(d.t)
	testkit.Shell(d.t, work, "mkdir tree extracted; cd tree; "+script)
	testkit.Shell(d.t, work, "tar -C tree -c --format=posix --xattrs --xattrs-include='*' -f layer.tar . "+options)
	testkit.Shell(d.t, work, "tar -C extracted -xp --xattrs --xattrs-include='*' -f layer.tar")
	data, err := os.ReadFile(work + "/layer.tar")
	if err != nil {
		d.t.Fatal(err)
	}
	return data, testkit.Tree(d.t, work+"/extracted")
}

// compressed runs a program on data.
func compressed(t testing.TB, program string, data []byte) []byte {
	t.Helper()
	dir := testkit.Dir(t)
	if err := os.WriteFile(dir+"/in", data, 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.Shell(t, dir, program+" <in >out")
	out, err := os.ReadFile(dir + "/out")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// random is data that does not compress, the same each time.
func random(n int) []byte {
	var b bytes.Buffer
	for sum := sha256.Sum256(nil); b.Len() < n; sum = sha256.Sum256(sum[:]) {
		b.Write(sum[:])
	}
	return b.Bytes()[:n]
}
