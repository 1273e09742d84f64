package snapshotter_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/continuity/fs/fstest"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

const (
	layerLabel = "containerd.io/snapshot/nydus-layer-block"
	imageLabel = "containerd.io/snapshot/nydus-image-block"
)

// Each mode: what is exported is there when the label is, veritysetup verifies it by the label's numbers, and containers
// show what containerd extracts, from the disk where the mode is of whole disks of images.
func TestExportModes(t *testing.T) {
	layers := [][]byte{
		tarOf(t, "etc/", "", "etc/passwd", "root", "etc/gone", "x", "file", strings.Repeat("a file\n", 2000)),
		tarOf(t, "etc/", "", "etc/.wh.gone", "", "app", strings.Repeat("app\n", 3000)),
	}
	want := t.TempDir()
	for _, layer := range layers {
		testkit.Must[int64](t)(archive.Apply(t.Context(), want, bytes.NewReader(layer)))
	}
	for _, mode := range tarfs.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			root := testkit.Must[string](t)(os.MkdirTemp("", "modes")) // names of tests are no good in overlayfs's options
			t.Cleanup(func() { testkit.OK(t, os.RemoveAll(root)) })
			n, m := newNodeWith(t, root, snapshotter.Options{ExportMode: mode}), newMounter(t)
			top, _ := n.pull(t, "image", layers...)
			ofLayers := strings.HasPrefix(string(mode), "layer")
			mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top))
			again := testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "container"))
			if fmt.Sprint(again) != fmt.Sprint(mounts) {
				t.Errorf("Mounts: %v, Prepare: %v", again, mounts)
			}
			testkit.OK(t, fstest.CheckDirectoryEqual(want, m.mount(t, "container", mounts)))
			view := testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top))
			testkit.OK(t, fstest.CheckDirectoryEqual(want, m.mount(t, "view", view)))
			isDisk := strings.HasPrefix(mounts[0].Source, filepath.Join(n.root, "disks")) && len(deviceFiles(mounts)) == 0
			if isDisk != (mode == tarfs.ImageBlock || mode == tarfs.ImageBlockWithVerity) {
				t.Errorf("mounted of %v", mounts[0])
			}
			disks := n.entries(t, "disks")
			if ofLayers && len(disks) != 2 || !ofLayers && len(disks) != 1 {
				t.Errorf("%d disks", len(disks))
			}
			lower := testkit.Must[snapshots.Info](t)(n.Stat(t.Context(), testkit.Must[snapshots.Info](t)(n.Stat(t.Context(), top)).Parent))
			upper := testkit.Must[snapshots.Info](t)(n.Stat(t.Context(), top))
			name := imageLabel
			if ofLayers {
				name = layerLabel
				n.verify(t, mode, lower.Labels[name], layers[0])
				n.verify(t, mode, upper.Labels[name], layers[1])
			} else {
				n.verify(t, mode, upper.Labels[name], layers...)
				if _, there := lower.Labels[name]; there {
					t.Error("a layer below has the label of the image")
				}
			}
			// What nobody stands on goes.
			for _, key := range []string{"container", "view", top, lower.Name} {
				testkit.OK(t, n.Remove(t.Context(), key))
			}
			testkit.OK(t, n.Cleanup(t.Context()))
			if left := n.entries(t, "disks"); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// verify holds the disk of layers to its label.
func (n *node) verify(t *testing.T, mode tarfs.Mode, label string, layers ...[]byte) {
	t.Helper()
	var chain []digest.Digest
	for _, layer := range layers {
		chain = append(chain, digest.FromBytes(layer))
	}
	disk := testkit.Must[store.Disk](t)(n.layers.Disk(t.Context(), mode, chain))
	if disk.Label != label {
		t.Errorf("the snapshot says %q, the disk %q", label, disk.Label)
	}
	if !strings.Contains(string(mode), "verity") {
		if label != "" {
			t.Errorf("a label without verity: %q", label)
		}
		return
	}
	parts := strings.Split(label, ",")
	if len(parts) != 3 {
		t.Fatalf("label %q", label)
	}
	blocks := testkit.Must[int](t)(strconv.Atoi(parts[0]))
	data := disk.Path
	if strings.HasSuffix(string(mode), "_only") {
		// Its tree is of the disk that the same layers give.
		whole := tarfs.LayerBlock
		if mode == tarfs.ImageVerityOnly {
			whole = tarfs.ImageBlock
		}
		data = testkit.Must[store.Disk](t)(n.layers.Disk(t.Context(), whole, chain)).Path
	}
	if size := testkit.Must[os.FileInfo](t)(os.Stat(data)).Size(); size < int64(blocks)*512 {
		t.Errorf("%d blocks in %d bytes", blocks, size)
	}
	command := exec.Command("veritysetup", "verify", "--no-superblock", "--format=1", "-s", "-", "--hash=sha256",
		"--data-block-size=512", "--hash-block-size=4096", "--data-blocks="+parts[0], "--hash-offset="+parts[1],
		data, disk.Path, strings.TrimPrefix(parts[2], "sha256:"))
	if said, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %v: %s", command.Args, err, said)
	}
}

// A disk of other layers is another one, and one that was cut is made again.
func TestDisksAreMadeAgain(t *testing.T) {
	n := newNodeWith(t, t.TempDir(), snapshotter.Options{ExportMode: tarfs.ImageBlockWithVerity})
	tar := tarOf(t, "file", "x")
	top, _ := n.pull(t, "image", tar)
	mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "one", top))
	before := testkit.Must[[]byte](t)(os.ReadFile(mounts[0].Source))
	testkit.OK(t, os.Truncate(mounts[0].Source, 1000))
	mounts = testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "two", top))
	if !bytes.Equal(testkit.Must[[]byte](t)(os.ReadFile(mounts[0].Source)), before) {
		t.Error("it was not made again as it was")
	}
}

// A layer with a hard link into a lower one has no disk of its own; containers have the link.
func TestLayerWithoutDisk(t *testing.T) {
	root := testkit.Must[string](t)(os.MkdirTemp("", "modes"))
	t.Cleanup(func() { testkit.OK(t, os.RemoveAll(root)) })
	n, m := newNodeWith(t, root, snapshotter.Options{ExportMode: tarfs.LayerBlockWithVerity}), newMounter(t)
	var link bytes.Buffer
	w := tar.NewWriter(&link)
	testkit.OK(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeLink, Name: "link", Linkname: "file", Format: tar.FormatPAX}))
	testkit.OK(t, w.Close())
	top, _ := n.pull(t, "image", tarOf(t, "file", "lower"), link.Bytes())
	if info := testkit.Must[snapshots.Info](t)(n.Stat(t.Context(), top)); info.Labels[layerLabel] != "" {
		t.Errorf("labels: %v", info.Labels)
	}
	at := m.mount(t, "container", testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top)))
	if got := testkit.Must[[]byte](t)(os.ReadFile(at + "/link")); string(got) != "lower" {
		t.Errorf("link is %q", got)
	}
}

// What `tarfs root` says of layers is what a node has in its label.
func TestRootAhead(t *testing.T) {
	tool := os.Getenv("TARFS_TOOL")
	if tool == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI without TARFS_TOOL, the path of the tool tarfs")
		}
		t.Skip("needs TARFS_TOOL, the path of the tool tarfs")
	}
	layers := [][]byte{tarOf(t, "etc/", "", "etc/passwd", "root", "etc/gone", "x"), tarOf(t, "etc/", "", "etc/.wh.gone", "", "app", "an app")}
	n := newNodeWith(t, t.TempDir(), snapshotter.Options{ExportMode: tarfs.ImageBlockWithVerity})
	top, _ := n.pull(t, "image", layers...)
	testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top))
	label := testkit.Must[snapshots.Info](t)(n.Stat(t.Context(), top)).Labels[imageLabel]
	args := []string{"root"}
	for i, layer := range layers {
		path := filepath.Join(t.TempDir(), fmt.Sprint(i, ".tar"))
		testkit.OK(t, os.WriteFile(path, layer, 0o600))
		args = append(args, path)
	}
	said := testkit.Must[[]byte](t)(exec.Command(tool, args...).Output())
	if root := strings.TrimSpace(string(said)); !strings.HasSuffix(label, ",sha256:"+root) {
		t.Errorf("label %q, tarfs root %q", label, root)
	}
}

// With expected roots an image is refused until its root is in the file, and again when it is not there any more.
func TestExpectedRoots(t *testing.T) {
	for _, mode := range []tarfs.Mode{tarfs.ImageBlockWithVerity, tarfs.ImageVerityOnly} {
		policy := filepath.Join(t.TempDir(), "roots")
		n := newNodeWith(t, t.TempDir(), snapshotter.Options{ExportMode: mode, ExpectedRoots: policy})
		layer := tarOf(t, "file", "x")
		top, _ := n.pull(t, "image", layer)
		if _, err := n.Prepare(t.Context(), "early", top); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without the file: %v", err)
		}
		other := strings.Repeat("0", 64)
		testkit.OK(t, os.WriteFile(policy, []byte("# nothing of ours\n\n"+other+"  other\n"), 0o600))
		_, err := n.View(t.Context(), "early", top)
		is(t, err, errdefs.ErrFailedPrecondition)
		disk := testkit.Must[store.Disk](t)(n.layers.Disk(t.Context(), mode, []digest.Digest{digest.FromBytes(layer)}))
		root := disk.Label[strings.LastIndex(disk.Label, ",")+1:]
		if !strings.Contains(err.Error(), root) || !strings.Contains(err.Error(), policy) {
			t.Errorf("%v", err)
		}
		testkit.OK(t, os.WriteFile(policy, []byte(other+"\n"+root+" the image\n"), 0o600))
		testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top))
		testkit.OK(t, os.WriteFile(policy, []byte(strings.TrimPrefix(root, "sha256:")), 0o600))
		testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "container"))
		testkit.OK(t, os.WriteFile(policy, []byte(other), 0o600))
		_, err = n.Mounts(t.Context(), "container")
		is(t, err, errdefs.ErrFailedPrecondition)
		testkit.OK(t, os.WriteFile(policy, []byte(root+"\nsha1:1234"), 0o600))
		if _, err = n.Mounts(t.Context(), "container"); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("a line that is none: %v", err)
		}
		// What is unpacked stands on no image.
		testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "unpack", "", labels(tarOf(t, "other", "y"))))
	}
}

// What an image's author writes beside a layer is no root hash: labels that say one come from the snapshotter alone, and
// stay when all others are replaced.
func TestLabelsOfDisks(t *testing.T) {
	n := newNodeWith(t, t.TempDir(), snapshotter.Options{ExportMode: tarfs.LayerBlockWithVerity})
	layer := tarOf(t, "file", "x")
	for _, name := range []string{layerLabel, imageLabel} {
		evil := snapshots.WithLabels(map[string]string{
			snapshots.LabelSnapshotRef: "chain", snapshots.LabelSnapshotDiffID: digest.FromBytes(layer).String(), name: "1,0,sha256:00",
		})
		_, err := n.Prepare(t.Context(), "evil", "", evil)
		is(t, err, errdefs.ErrInvalidArgument)
		mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "good"+name, "", labels(layer)))
		if !mounts[len(mounts)-1].ReadOnly() {
			testkit.OK(t, n.apply(t.Context(), mounts, layer))
		}
		is(t, n.Commit(t.Context(), "committed", "good"+name, evil), errdefs.ErrInvalidArgument)
	}
	top, _ := n.pull(t, "image", layer)
	before := testkit.Must[snapshots.Info](t)(n.Stat(t.Context(), top)).Labels[layerLabel]
	replaced := snapshots.Info{Name: top, Labels: map[string]string{"mine": "yes", layerLabel: "1,0,sha256:00"}}
	for _, paths := range [][]string{nil, {"labels"}} {
		after := testkit.Must[snapshots.Info](t)(n.Update(t.Context(), replaced, paths...))
		if after.Labels[layerLabel] != before || before == "" || after.Labels["mine"] != "yes" {
			t.Errorf("labels: %v, before %q", after.Labels, before)
		}
	}
	_, err := n.Update(t.Context(), replaced, "labels."+layerLabel)
	is(t, err, errdefs.ErrInvalidArgument)
}
