package snapshotter_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// A container writes as much as it may, and what it wrote is committed.
func TestDefaultSize(t *testing.T) {
	root := t.TempDir()
	n, m := newNodeWith(t, root, snapshotter.Options{DefaultSize: 32 << 20}), newMounter(t)
	top, _ := n.pull(t, "image", tarOf(t, "lower", "x", "gone", "x"))
	sized := func(bytes string) snapshots.Opt {
		return snapshots.WithLabels(map[string]string{snapshots.LabelSnapshotMaxSize: bytes})
	}
	for _, row := range []struct {
		key   string
		opts  []snapshots.Opt
		bytes int64
	}{
		{"default", nil, 32 << 20}, {"label", []snapshots.Opt{sized("67108864")}, 64 << 20},
		{"no number", []snapshots.Opt{sized("64M")}, 32 << 20}, {"zero", []snapshots.Opt{sized("0")}, 32 << 20},
	} {
		mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), row.key, top, row.opts...))
		if info := testkit.Must[os.FileInfo](t)(os.Stat(mounts[0].Source)); info.Size() != row.bytes {
			t.Errorf("%s: %d bytes, want %d", row.key, info.Size(), row.bytes)
		}
		if _, mine := n.Target(mounts); !mine {
			t.Errorf("%s: no target: %+v", row.key, mounts)
		}
	}
	_, err := n.Prepare(t.Context(), "too small", top, sized("4096"))
	if err == nil || !strings.Contains(err.Error(), "mkfs.ext4 of 4096 bytes") {
		t.Errorf("%v", err)
	}

	t.Run("container", func(t *testing.T) {
		at := m.mount(t, "default", testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "default")))
		err := os.WriteFile(at+"/big", make([]byte, 40<<20), 0o600)
		if !errors.Is(err, unix.ENOSPC) {
			t.Errorf("%v", err)
		}
		testkit.OK(t, os.Remove(at+"/big"))
		testkit.OK(t, os.Remove(at+"/gone"))
		testkit.OK(t, os.WriteFile(at+"/mine", []byte("mine"), 0o600))
		// While it is in use it cannot be read.
		impatient := errors.New("impatient")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, impatient)
		defer cancel()
		err = n.Commit(ctx, "committed", "default")
		is(t, err, impatient)
		is(t, err, unix.EROFS)
	})
	usage := testkit.Must[snapshots.Usage](t)(n.Usage(t.Context(), "default"))
	if usage.Size < 100<<10 || usage.Size > 33<<20 {
		t.Errorf("%+v", usage)
	}
	testkit.OK(t, n.Commit(t.Context(), "committed", "default"))
	view := m.mount(t, "view", testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", "committed")))
	var names []string
	for _, entry := range testkit.Must[[]os.DirEntry](t)(os.ReadDir(view)) {
		names = append(names, entry.Name())
	}
	if strings.Join(names, " ") != "lower mine" {
		t.Errorf("%q", names)
	}
	if left, _ := filepath.Glob(root + "/snapshots/*/rwlayer.img"); len(left) != 3 {
		t.Errorf("%q: one of four was committed", left)
	}
}

// What a process that was killed had mounted to commit it is unmounted by the next.
func TestUnmountLeft(t *testing.T) {
	root := t.TempDir()
	n := newNodeWith(t, root, snapshotter.Options{DefaultSize: 16 << 20})
	top, _ := n.pull(t, "image", tarOf(t, "lower", "x"))
	mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "key", top))
	at := filepath.Join(filepath.Dir(mounts[0].Source), "committing")
	testkit.OK(t, os.Mkdir(at, 0o700))
	testkit.OK(t, (&mount.Mount{Type: "ext4", Source: mounts[0].Source, Options: []string{"ro", "loop"}}).Mount(at))
	n.stop(t)

	n = newNodeWith(t, root, snapshotter.Options{DefaultSize: 16 << 20})
	if left := testkit.Must[[]*mountinfo.Info](t)(mountinfo.GetMounts(mountinfo.PrefixFilter(root))); len(left) > 0 {
		t.Errorf("%+v", left[0])
	}
	testkit.OK(t, n.Commit(t.Context(), "committed", "key"))
}
