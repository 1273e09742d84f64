package store_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

func referTo(ids ...digest.Digest) func(context.Context) ([]digest.Digest, error) {
	return func(context.Context) ([]digest.Digest, error) { return ids, nil }
}

func TestCollect(t *testing.T) {
	s := opened(t, t.TempDir())
	used := ingested(t, s, tarOf(t, file{"a", "used"}))
	held := ingested(t, s, tarOf(t, file{"a", "held"}))
	unused := ingested(t, s, tarOf(t, file{"a", "unused"}))
	hold := testkit.Must[store.Layer](t)(s.Get(held))
	var images []store.Image
	for _, chain := range [][]digest.Digest{{used}, {used, held}, {used, unused}} {
		image := testkit.Must[store.Image](t)(s.Image(t.Context(), chain))
		image.Release()
		images = append(images, image)
	}
	there := func(id digest.Digest, want bool) {
		t.Helper()
		layer, err := s.Get(id)
		layer.Release()
		if want != (err == nil) || err != nil && !errors.Is(err, errdefs.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	imagesAre := func(want ...bool) {
		t.Helper()
		for i, image := range images {
			if _, err := os.Stat(image.Path); (err == nil) != want[i] {
				t.Errorf("image %d: %v", i, err)
			}
		}
	}

	// If it is not known what is used, nothing is removed.
	broken := errors.New("broken")
	_, err := s.Collect(t.Context(), func(context.Context) ([]digest.Digest, error) { return nil, broken })
	is(t, err, broken)
	there(unused, true)

	done, err := s.Collect(t.Context(), referTo(used))
	testkit.OK(t, err)
	if done.Items != 2 || done.Bytes == 0 { // the layer, and the image with it
		t.Errorf("%+v", done)
	}
	there(used, true)
	there(held, true)
	there(unused, false)
	imagesAre(true, true, false)

	hold.Release()
	hold.Release()
	if done, err = s.Collect(t.Context(), referTo(used)); err != nil || done.Items != 2 {
		t.Errorf("%+v %v", done, err)
	}
	there(held, false)
	imagesAre(true, false, false)
}

// An image is held by who has it, and its layers with it.
func TestCollectHeldImage(t *testing.T) {
	s := opened(t, t.TempDir())
	id := ingested(t, s, tarOf(t, file{"a", "content"}))
	image := testkit.Must[store.Image](t)(s.Image(t.Context(), []digest.Digest{id}))
	if done, err := s.Collect(t.Context(), referTo()); err != nil || done.Items != 0 {
		t.Errorf("%+v %v", done, err)
	}
	image.Release()
	if done, err := s.Collect(t.Context(), referTo()); err != nil || done.Items != 2 {
		t.Errorf("%+v %v", done, err)
	}
}

// What layers make otherwise today goes, though they stay: what another version or other options have made.
func TestCollectEarlier(t *testing.T) {
	root := t.TempDir()
	s := testkit.Must[*store.Store](t)(store.Open(root, store.Options{}))
	chain := []digest.Digest{ingested(t, s, tarOf(t, file{"a", "a"})), ingested(t, s, tarOf(t, file{"b", "b"}))}
	image := testkit.Must[store.Image](t)(s.Image(t.Context(), chain))
	image.Release()
	disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.ImageBlock, chain))
	ofLayer := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.LayerBlock, chain[:1]))
	if done := testkit.Must[keep.Collected](t)(s.Collect(t.Context(), referTo(chain...))); done.Items != 0 {
		t.Errorf("%+v", done)
	}
	testkit.OK(t, s.Close())
	s = testkit.Must[*store.Store](t)(store.Open(root, store.Options{FollowLowerLinks: true}))
	defer s.Close()
	now := testkit.Must[store.Image](t)(s.Image(t.Context(), chain))
	now.Release()
	if done := testkit.Must[keep.Collected](t)(s.Collect(t.Context(), referTo(chain...))); done.Items != 2 {
		t.Errorf("%+v", done)
	}
	for path, want := range map[string]bool{image.Path: false, disk.Path: false, now.Path: true, ofLayer.Path: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}
