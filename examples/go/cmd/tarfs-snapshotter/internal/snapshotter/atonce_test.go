package snapshotter_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// Images with the same few layers are pulled, run and removed by many, while collections never stop: nothing that is
// in use is collected, and at the end nothing is left.
func TestCollectWhileWorking(t *testing.T) {
	n := newNode(t, t.TempDir())
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	var all sync.WaitGroup
	pulled := make([]int, 4)
	for i := range pulled {
		all.Go(func() {
			for ctx.Err() == nil {
				name := fmt.Sprintf("%d-%d", i, pulled[i])
				if err := n.live(name, layerTar("base"), layerTar(fmt.Sprint("of ", pulled[i]%3))); err != nil {
					t.Error(name, err)
					return
				}
				pulled[i]++
			}
		})
	}
	collections := 0
	for ctx.Err() == nil {
		if err := n.Cleanup(context.Background()); err != nil {
			t.Error(err)
		}
		collections++
	}
	all.Wait()
	if slices.Min(pulled) < 3 || collections < 10 {
		t.Errorf("%v images, %d collections", pulled, collections)
	}
	testkit.OK(t, n.Cleanup(t.Context()))
	for _, dir := range []string{"snapshots", "layers/sha256", "images"} {
		if left := n.entries(t, dir); len(left) > 0 {
			t.Errorf("%s: left %q", dir, left)
		}
	}
}

// live is the life of an image of two layers, with a container that is committed.
func (n *node) live(name string, tars ...[]byte) error {
	ctx := context.Background()
	var names []string
	parent := ""
	for i, tar := range tars {
		key := fmt.Sprintf("extract %s %d", name, i)
		mounts, err := n.Prepare(ctx, key, "", labels(tar))
		if err != nil {
			return err
		}
		if !mounts[0].ReadOnly() {
			if err := n.apply(ctx, mounts, tar); err != nil {
				return err
			}
		}
		names = append(names, fmt.Sprintf("%s layer %d", name, i))
		if err := n.Commit(ctx, names[i], key, snapshots.WithParent(parent)); err != nil {
			return err
		}
		parent = names[i]
	}
	mounts, err := n.Prepare(ctx, name, parent)
	if err != nil {
		return err
	}
	for _, path := range append(deviceFiles(mounts), mounts[0].Source) {
		if _, err := os.Stat(path); err != nil {
			return err
		}
	}
	names = append(names, name+" committed")
	if err := n.Commit(ctx, name+" committed", name); err != nil {
		return err
	}
	slices.Reverse(names)
	for _, gone := range names {
		err = errors.Join(err, n.Remove(ctx, gone))
	}
	return err
}

// during does something at the next moment at which others could, once.
func during(t *testing.T, do func()) {
	t.Helper()
	before := keep.Step
	t.Cleanup(func() { keep.Step = before })
	keep.Step = func() {
		keep.Step = before
		do()
	}
}

// What is committed is what was looked at, and a parent stays the one that was merged.
func TestReplacedMeanwhile(t *testing.T) {
	n := newNode(t, t.TempDir())
	ctx := t.Context()
	prepare := func(key string) []mount.Mount {
		return testkit.Must[[]mount.Mount](t)(n.Prepare(ctx, key, ""))
	}
	prepare("key")
	during(t, func() {
		testkit.OK(t, n.Remove(ctx, "key"))
		prepare("key")
	})
	is(t, n.Commit(ctx, "committed", "key"), errdefs.ErrFailedPrecondition)

	mounts := testkit.Must[[]mount.Mount](t)(n.Mounts(ctx, "key"))
	during(t, func() { testkit.OK(t, n.apply(ctx, mounts, layerTar("late"))) })
	is(t, n.Commit(ctx, "committed", "key"), errdefs.ErrFailedPrecondition)

	n.pull(t, "", layerTar("one"))
	names := []string{}
	testkit.OK(t, n.Walk(ctx, func(_ context.Context, info snapshots.Info) error {
		if info.Kind == snapshots.KindCommitted {
			names = append(names, info.Name)
		}
		return nil
	}))
	parent := names[0]
	testkit.Must[[]mount.Mount](t)(n.View(ctx, "merged", parent))
	testkit.OK(t, n.Remove(ctx, "merged"))
	during(t, func() {
		testkit.OK(t, n.Remove(ctx, parent))
		testkit.OK(t, n.apply(ctx, prepare("another"), layerTar("another")))
		testkit.OK(t, n.Commit(ctx, parent, "another"))
	})
	_, err := n.Prepare(ctx, "container", parent)
	is(t, err, errdefs.ErrFailedPrecondition)
	_, err = n.Stat(ctx, "container")
	is(t, err, errdefs.ErrNotFound)
}
