package snapshotter_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// mounted are the directories below a root on which something is mounted.
func mounted(t *testing.T, root string) (points []string) {
	t.Helper()
	for _, one := range testkit.Must[[]*mountinfo.Info](t)(mountinfo.GetMounts(mountinfo.PrefixFilter(root))) {
		points = append(points, one.Mountpoint)
	}
	return points
}

func plainRoot(t *testing.T) string {
	t.Helper()
	root := testkit.Must[string](t)(os.MkdirTemp("", "plain"))
	t.Cleanup(func() {
		testkit.OK(t, mount.UnmountRecursive(root, 0))
		testkit.OK(t, os.RemoveAll(root))
	})
	return root
}

// Callers that know mount(2) alone get mounts that it knows. An image is mounted once, for as long as a snapshot stands
// on it, whoever is killed or started meanwhile.
func TestPlain(t *testing.T) {
	root := plainRoot(t)
	plain := snapshotter.Options{Plain: true}
	n := newNodeWith(t, root, plain)
	top, _ := n.pull(t, "image", tarOf(t, "file", "content"), tarOf(t, "other", "x"))
	view := testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top))
	container := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top))
	at := filepath.Join(root, "mounts", n.entries(t, "images")[0])
	dir := filepath.Join(root, "snapshots/4")
	want := fmt.Sprintf("[{bind %s  [rbind ro]} {overlay overlay  [workdir=%s/work upperdir=%s/fs lowerdir=%s]}]", at, dir, dir, at)
	if got := fmt.Sprint(append(view, container...)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	target := t.TempDir()
	testkit.OK(t, mount.All(container, target))
	if got := testkit.Must[[]byte](t)(os.ReadFile(target + "/file")); string(got) != "content" {
		t.Errorf("%q", got)
	}
	testkit.OK(t, os.WriteFile(target+"/new", nil, 0o600))
	testkit.OK(t, mount.UnmountAll(target, 0))

	n.stop(t)
	n = newNodeWith(t, root, plain)
	testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "container"))
	if got := mounted(t, root); len(got) != 1 || got[0] != at {
		t.Errorf("after a restart: %q, want %s", got, at)
	}
	// As after a restart of the machine.
	testkit.OK(t, mount.UnmountAll(at, 0))
	testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "container"))
	if got := mounted(t, root); len(got) != 1 {
		t.Errorf("mounted again: %q", got)
	}

	testkit.OK(t, n.Remove(t.Context(), "view"))
	if got := mounted(t, root); len(got) != 1 {
		t.Errorf("with one snapshot left: %q", got)
	}
	// A process that is in it keeps it from being unmounted, and not the snapshot from being removed.
	busy := testkit.Must[*os.File](t)(os.Open(at + "/file"))
	testkit.OK(t, n.Remove(t.Context(), "container"))
	testkit.OK(t, busy.Close())
	if got := mounted(t, root); len(got) != 1 {
		t.Errorf("while it is in use: %q", got)
	}
	testkit.OK(t, n.Cleanup(t.Context()))
	if got := mounted(t, root); len(got) > 0 {
		t.Errorf("with no snapshot left: %q", got)
	}
	if left := n.entries(t, "mounts"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// What is mounted for nobody goes when the next process starts, also one that mounts nothing itself.
func TestPlainLeft(t *testing.T) {
	root := plainRoot(t)
	n := newNodeWith(t, root, snapshotter.Options{Plain: true})
	top, _ := n.pull(t, "image", tarOf(t, "file", "content"))
	testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top))
	n.stop(t)
	left := filepath.Join(root, "mounts", strings.Repeat("0", 64))
	testkit.OK(t, os.Mkdir(left, 0o700))
	image, _ := filepath.Glob(root + "/images/*/image.erofs")
	tar, _ := filepath.Glob(root + "/layers/sha256/*/layer.tar")
	testkit.OK(t, keep.MountFiles(image[0], tar, left))

	n = newNode(t, root)
	if got := mounted(t, root); len(got) != 1 {
		t.Errorf("%q: the view has it still", got)
	}
	if _, err := os.Stat(left); err == nil {
		t.Errorf("%s is still there", left)
	}
	testkit.OK(t, n.Remove(t.Context(), "view"))
	if got := mounted(t, root); len(got) > 0 {
		t.Errorf("%q", got)
	}
	n.stop(t)
	if _, err := snapshotter.New(t.Context(), n.layers, snapshotter.Options{Plain: true, DefaultSize: 1 << 20}); err == nil {
		t.Error("plain mounts with a size of their own")
	}
}

// resident is how many pages of a file are in memory.
func resident(t *testing.T, path string) (pages int) {
	t.Helper()
	file := testkit.Must[*os.File](t)(os.Open(path))
	defer file.Close()
	size := int(testkit.Must[os.FileInfo](t)(file.Stat()).Size())
	memory := testkit.Must[[]byte](t)(unix.Mmap(int(file.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED))
	defer func() { testkit.OK(t, unix.Munmap(memory)) }()
	in := make([]byte, (size+os.Getpagesize()-1)/os.Getpagesize())
	_, _, errno := unix.Syscall(unix.SYS_MINCORE,
		uintptr(unsafe.Pointer(&memory[0])), uintptr(size), uintptr(unsafe.Pointer(&in[0])))
	if errno != 0 {
		t.Fatal(errno)
	}
	for _, page := range in {
		pages += int(page & 1)
	}
	return pages
}

// Containers of an image share what they have read of it, where the image is mounted once. Where containerd mounts it for
// each of them, from its file, they do not: findings/each-mount-has-its-own-cache.sh.
func TestPlainShares(t *testing.T) {
	n := newNodeWith(t, plainRoot(t), snapshotter.Options{Plain: true})
	top, _ := n.pull(t, "image", tarOf(t, "file", strings.Repeat("content ", 1<<16)))
	var files []string
	for _, name := range []string{"one", "two"} {
		container := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), name, top))
		target := t.TempDir()
		testkit.OK(t, mount.All(container, target))
		defer func() { testkit.OK(t, mount.UnmountAll(target, 0)) }()
		files = append(files, target+"/file")
	}
	if pages := resident(t, files[1]); pages != 0 {
		t.Errorf("before it is read: %d pages", pages)
	}
	bytes := testkit.Must[[]byte](t)(os.ReadFile(files[0]))
	if pages, all := resident(t, files[1]), len(bytes)/os.Getpagesize(); pages != all {
		t.Errorf("read in one container: %d pages of %d in the other", pages, all)
	}
}
