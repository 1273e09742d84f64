package snapshotter_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// sidecar is what containerd reads of one.
type sidecar struct {
	Root   string `json:"roothash"`
	Offset uint64 `json:"hashoffset"`
}

// sidecarOf is the path that a mount names, of those of a container or view.
func sidecarOf(t *testing.T, mounts []mount.Mount) string {
	t.Helper()
	at := slices.IndexFunc(mounts[0].Options, func(option string) bool { return strings.HasPrefix(option, "X-containerd.dmverity=") })
	if mounts[0].Type != "erofs" || at < 0 || len(mounts[0].Options) != 3 {
		t.Fatalf("mounts: %v", mounts)
	}
	return strings.TrimPrefix(mounts[0].Options[at], "X-containerd.dmverity=")
}

// verityNode is one whose containers' mounts go through dm-verity, with an image.
func verityNode(t *testing.T) (n *node, top string) {
	n = newNodeWith(t, t.TempDir(), snapshotter.Options{ExportMode: tarfs.ImageBlockWithVerity, DMVerity: true})
	top, _ = n.pull(t, "image", tarOf(t, "file", "lower"), tarOf(t, "file", strings.Repeat("upper\n", 5000)))
	return n, top
}

// The mounts name a sidecar by which veritysetup verifies the disk that they are of, with the root hash of the label.
// That they do go through dm-verity needs a kernel that has it: tests/clients/node.
func TestVerityMounts(t *testing.T) {
	n, top := verityNode(t)
	container := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top))
	view := testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top))
	again := testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "container"))
	if fmt.Sprint(again) != fmt.Sprint(container) {
		t.Errorf("container %v, again %v", container, again)
	}
	// Each by a directory of another name, after which containerd 2.3 names devices, to the one disk that there is.
	if one, two := filepath.Dir(container[0].Source), filepath.Dir(view[0].Source); filepath.Base(one) == filepath.Base(two) ||
		testkit.Must[string](t)(filepath.EvalSymlinks(one)) != testkit.Must[string](t)(filepath.EvalSymlinks(two)) {
		t.Errorf("container %v, view %v", container, view)
	}
	testkit.OK(t, os.Remove(filepath.Dir(view[0].Source)))
	if again := testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "view")); fmt.Sprint(again) != fmt.Sprint(view) {
		t.Errorf("view %v, again %v", view, again)
	}
	testkit.Must[os.FileInfo](t)(os.Stat(view[0].Source))
	var beside sidecar
	testkit.OK(t, json.Unmarshal(testkit.Must[[]byte](t)(os.ReadFile(sidecarOf(t, container))), &beside))
	disk := container[0].Source
	command := exec.Command("veritysetup", "verify", fmt.Sprint("--hash-offset=", beside.Offset), disk, disk, beside.Root)
	if said, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %v: %s", command.Args, err, said)
	}
	if label := testkit.Must[snapshots.Info](t)(n.Stat(t.Context(), top)).Labels[imageLabel]; !strings.HasSuffix(label, ",sha256:"+beside.Root) {
		t.Errorf("label %q, sidecar %+v", label, beside)
	}
	// What is unpacked is not mounted from it.
	if mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "unpack", "", labels(tarOf(t, "other", "y")))); mounts[0].Type != "bind" {
		t.Errorf("mounts: %v", mounts)
	}
}

// A sidecar that is damaged, or gone, is made again, before anybody is told of it. One that was changed along with the
// SHA-256 that is kept of it is refused, as it has not the root hash that is said of the disk.
func TestVeritySidecarIsHeld(t *testing.T) {
	n, top := verityNode(t)
	path := sidecarOf(t, testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top)))
	right := testkit.Must[[]byte](t)(os.ReadFile(path))
	var beside sidecar
	testkit.OK(t, json.Unmarshal(right, &beside))
	zeros := strings.Repeat("0", 64)
	other := strings.Replace(string(right), beside.Root, zeros, 1)
	for _, damage := range []func() error{
		func() error { return os.WriteFile(path, []byte(other), 0o600) },
		func() error { return os.Remove(path) },
		func() error { return os.Truncate(path, 3) },
	} {
		testkit.OK(t, damage())
		if again := sidecarOf(t, testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "container"))); again != path {
			t.Errorf("%s, not %s", again, path)
		}
		if got := testkit.Must[[]byte](t)(os.ReadFile(path)); string(got) != string(right) {
			t.Errorf("%s, not %s", got, right)
		}
	}
	item := filepath.Join(filepath.Dir(path), keep.InfoFile)
	info := testkit.Must[[]byte](t)(os.ReadFile(item))
	sum := func() string {
		return strings.Fields(string(testkit.Must[[]byte](t)(exec.Command("sha256sum", path).Output())))[0]
	}
	before := sum()
	testkit.OK(t, os.WriteFile(path, []byte(other), 0o600))
	testkit.OK(t, os.WriteFile(item, []byte(strings.Replace(string(info), before, sum(), 1)), 0o600))
	_, err := n.Mounts(t.Context(), "container")
	is(t, err, keep.ErrDamaged)
	if !strings.Contains(err.Error(), "has the root hash "+zeros) {
		t.Errorf("%v", err)
	}
}

// A caller's label names the root hash that the image must have; where images have none, nothing else will do.
func TestRootByLabel(t *testing.T) {
	label := func(root string) snapshots.Opt {
		return snapshots.WithLabels(map[string]string{"containerd.io/snapshot/tarfs-root": root})
	}
	zeros := strings.Repeat("0", 64)
	for _, mode := range []tarfs.Mode{tarfs.ImageBlockWithVerity, tarfs.ImageVerityOnly, tarfs.ImageBlock, tarfs.LayerBlockWithVerity, ""} {
		n := newNodeWith(t, t.TempDir(), snapshotter.Options{ExportMode: mode})
		top, _ := n.pull(t, "image", tarOf(t, "file", "x"))
		_, err := n.Prepare(t.Context(), "container", top, label(zeros))
		is(t, err, errdefs.ErrFailedPrecondition)
		_, err = n.View(t.Context(), "view", top, label("sha256:"+zeros[1:]))
		is(t, err, errdefs.ErrInvalidArgument)
		testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "unlabelled", top))
		said := testkit.Must[snapshots.Info](t)(n.Stat(t.Context(), top)).Labels[imageLabel]
		if !strings.Contains(string(mode), "verity") || strings.HasPrefix(string(mode), "layer") {
			continue
		}
		root := said[strings.LastIndex(said, ":")+1:]
		testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top, label(root)))
		testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top, label("sha256:"+root)))
		testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "container"))
		// It holds for as long as the snapshot has the label.
		_, err = n.Update(t.Context(), snapshots.Info{Name: "container", Labels: map[string]string{"containerd.io/snapshot/tarfs-root": zeros}}, "labels")
		testkit.OK(t, err)
		_, err = n.Mounts(t.Context(), "container")
		is(t, err, errdefs.ErrFailedPrecondition)
	}
}

// It goes with disks that are whole and have a tree, and with mounts that containerd carries out.
func TestVerityWithout(t *testing.T) {
	n := newNode(t, t.TempDir())
	for _, options := range []snapshotter.Options{
		{DMVerity: true},
		{DMVerity: true, ExportMode: tarfs.ImageVerityOnly},
		{DMVerity: true, ExportMode: tarfs.LayerBlockWithVerity},
	} {
		_, err := snapshotter.New(t.Context(), n.layers, options)
		is(t, err, errdefs.ErrInvalidArgument)
	}
	// Without it nothing is said of dm-verity, and the disk is the same.
	n = newNodeWith(t, t.TempDir(), snapshotter.Options{ExportMode: tarfs.ImageBlockWithVerity})
	top, _ := n.pull(t, "image", tarOf(t, "file", "x"))
	if mounts := testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top)); fmt.Sprint(mounts[0].Options) != "[ro loop]" {
		t.Errorf("mounts: %v", mounts)
	}
}
