package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	contentapi "github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/plugins/services/content/contentserver"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// contents serves a content store as containerd does; its socket.
func contents(t *testing.T, h *home, store content.Store) string {
	t.Helper()
	path := h.dir + "/containerd.sock"
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	contentapi.RegisterContentServer(server, contentserver.New(store))
	go server.Serve(l)
	t.Cleanup(server.Stop)
	return path
}

// serving is a daemon with what a section of its configuration says, and the image of a world.
func serving(t *testing.T, w *testkit.World, section string) (*home, *image) {
	t.Helper()
	h := newHome(t, "")
	text := fmt.Sprintf("address = %q\n[differ]\ncontainerd_address = %q\ncontent_root = ''\nconcurrent_layers = 1\n[snapshotter]\nroot = %q\n"+
		"export_mode = 'image_block_with_verity'\ndmverity_mode = 'off'\n%s\n[metrics]\naddress = %q\n",
		h.socket(), contents(t, h, w.Contents), h.dir+"/kept",
		strings.NewReplacer("[attached]", fmt.Sprintf("[attached]\nregistries = [%q]", w.Registry()), "REGISTRY", w.Registry()).Replace(section), "unix:"+h.dir+"/metrics")
	if err := os.WriteFile(h.dir+"/config.toml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h.start()
	return h, &image{t: t, socket: h.socket(), sn: snapshotterOf(t, h.socket()), descs: w.Layers, ids: w.DiffIDs()}
}

// pulled has a daemon unpack the image of a world, and a container stand on it. It says the label of the image, and what
// the daemon's metrics count.
func pulled(t *testing.T, w *testkit.World, section string) (label, metrics string, err error) {
	t.Helper()
	h, i := serving(t, w, section)
	top := ""
	for n, desc := range w.Layers {
		key := fmt.Sprint("extract ", n)
		if _, err := differ(t, h.socket()).Apply(t.Context(), desc, i.prepare(key, n)); err != nil {
			return "", asked(t, "unix:"+h.dir+"/metrics"), err
		}
		parent := top
		top = fmt.Sprint("layer ", n)
		if err := i.sn.Commit(t.Context(), top, key, snapshots.WithParent(parent)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := i.sn.Prepare(t.Context(), "container", top); err != nil {
		t.Fatal(err)
	}
	info, err := i.sn.Stat(t.Context(), top)
	if err != nil {
		t.Fatal(err)
	}
	mounts, err := i.sn.View(t.Context(), "view", top)
	if err != nil {
		t.Fatal(err)
	}
	shows(t, mounts)
	return info.Labels["containerd.io/snapshot/nydus-image-block"], asked(t, "unix:"+h.dir+"/metrics"), nil
}

// shows mounts an image, and looks at it.
func shows(t *testing.T, mounts []mount.Mount) {
	t.Helper()
	dir := testkit.MountLayer(t, mounts[0].Source)
	if tree := testkit.Tree(t, dir); !strings.Contains(tree, `"/app"`) || strings.Contains(tree, "passwd") {
		t.Errorf("the image has\n%s", tree)
	}
}

// count is a metric's value.
func count(t *testing.T, metrics, name string) (value float64) {
	t.Helper()
	for line := range strings.Lines(metrics) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			if _, err := fmt.Sscan(rest, &value); err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatalf("no metric %s in\n%s", name, metrics)
	return 0
}

// With what `tarfs push --attach` has put into the registry a node has the root hash that it has without, and neither
// indexes nor hashes the layers' blocks.
func TestAttached(t *testing.T) {
	testkit.Root(t)
	w := testkit.NewWorld(t)
	root := w.Attach()
	local, metrics, err := pulled(t, w, "")
	if err != nil {
		t.Fatal(err)
	}
	var tars, blobs float64
	for i, tar := range w.Tars {
		tars, blobs = tars+float64(len(tar)), blobs+float64(w.Layers[i].Size)
	}
	const disk, indexed = `tarfs_hashed_bytes_total{of="disk"}`, "tarfs_indexed_bytes_total"
	if count(t, metrics, indexed) != tars || count(t, metrics, disk) < tars {
		t.Errorf("%v bytes of tars, and without anything attached: %s", tars, metrics)
	}
	label, metrics, err := pulled(t, w, "[attached]\nmode = 'require'\ntrusted_repositories = ['REGISTRY/a']")
	if err != nil {
		t.Fatal(err)
	}
	if label != local || !strings.HasSuffix(label, ",sha256:"+root) {
		t.Errorf("label %q, and %q made locally, root %s", label, local, root)
	}
	// Of the disk the metadata alone is hashed, once when it comes and once on the disk.
	var blocks float64
	fmt.Sscanf(label, "%v,", &blocks)
	if got, want := count(t, metrics, disk), 2*(blocks*512-tars); got != want {
		t.Errorf("%v bytes of the disk were hashed, not %v", got, want)
	}
	for name, want := range map[string]float64{
		indexed: 0, `tarfs_attached_total{result="used"}`: 1,
		// As they stream by: what containerd has fetched is what was asked for, and unpacked it is what the image says.
		`tarfs_hashed_bytes_total{of="blob"}`: blobs, `tarfs_hashed_bytes_total{of="tar"}`: tars,
	} {
		if got := count(t, metrics, name); got != want {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}
}

// A byte that was changed in the registry is refused, and the image made locally; or the pull fails where it is required.
// So is a root hash that the policy does not list.
func TestAttachedRefused(t *testing.T) {
	testkit.Root(t)
	w := testkit.NewWorld(t)
	root := w.Attach()
	_, manifest := w.Referrer()
	w.Flip(w.Kept(manifest.Layers[1].Digest), 100)
	label, metrics, err := pulled(t, w, "[attached]\nmode = 'use'\ntrusted_repositories = ['REGISTRY/a']")
	if err != nil || !strings.HasSuffix(label, root) || count(t, metrics, `tarfs_attached_total{result="refused"}`) != 1 {
		t.Errorf("%q, %v: %s", label, err, metrics)
	}
	_, _, err = pulled(t, w, "[attached]\nmode = 'require'\ntrusted_repositories = ['REGISTRY/a']")
	for _, word := range []string{"tarfs-snapshotter: layer " + w.Layers[0].Digest.String(), w.Manifest.String(),
		manifest.Layers[1].Digest.String() + ": has other bytes than its digest says"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v, without %q", err, word)
		}
	}
	w.Flip(w.Kept(manifest.Layers[1].Digest), 100)
	roots := testkit.Dir(t) + "/roots"
	for _, row := range []struct{ listed, said string }{{strings.Repeat("0", 64), "its root hash sha256:" + root + " is not expected"}, {root, ""}} {
		if err := os.WriteFile(roots, []byte(row.listed+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		// Keys of the section that is open there, and the next.
		_, _, err = pulled(t, w, fmt.Sprintf("expected_roots = %q\n[attached]\nmode = 'require'", roots))
		if row.said == "" && err != nil || row.said != "" && (err == nil || !strings.Contains(err.Error(), row.said)) {
			t.Errorf("listed %s: %v", row.listed, err)
		}
	}
}

// While a registry takes its time with what is attached to one image, layers of others are made, as many as ever.
func TestAttachedWaits(t *testing.T) {
	testkit.Root(t)
	w := testkit.NewWorldWithReferrers(t)
	w.Attach()
	asked, let := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(asked) })
	w.Before(func(_ http.ResponseWriter, request *http.Request) bool {
		if strings.Contains(request.URL.Path, "/referrers/") {
			once()
			<-let
		}
		return false
	})
	_, i := serving(t, w, "[attached]\nmode = 'use'\ntrusted_repositories = ['REGISTRY/a']")
	slow := make(chan error)
	mounts := i.prepare("slow", 0)
	go func() {
		_, err := differ(t, i.socket).Apply(t.Context(), w.Layers[0], mounts)
		slow <- err
	}()
	<-asked
	tar := w.Blob([]byte(strings.Repeat("\x00", 1024)), ocispec.MediaTypeImageLayer)
	i.ids = append(i.ids, tar.Digest)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := differ(t, i.socket).Apply(ctx, tar, i.prepare("other", len(i.ids)-1)); err != nil {
		t.Errorf("another image's layer: %v", err)
	}
	close(let)
	if err := <-slow; err != nil {
		t.Error(err)
	}
}
