package snapshot_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// kept counts layers, images and disks.
func kept(t *testing.T, root string) (counts [3]int) {
	t.Helper()
	for i, dir := range []string{"layers", "images", "disks"} {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		ok(t, err)
		counts[i] = len(entries)
	}
	return counts
}

func TestCollect(t *testing.T) {
	canMount(t)
	tars := threeLayers(t)
	want := unpacked(t, tars...)
	r, root := newRegistry(), diskDir(t)
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	lower := snapshot.Snapshot{ID: "l", ParentIDs: s.ParentIDs[1:]}
	for _, s := range []snapshot.Snapshot{s, lower} {
		_, err := m.Export(t.Context(), s, tarfs.ImageBlock)
		ok(t, err)
		ok(t, m.MergeLayers(t.Context(), s))
	}
	_, err := m.Export(t.Context(), snapshot.Snapshot{ID: "s3"}, tarfs.LayerBlock)
	ok(t, err)
	target, err := m.MountTarErofs(t.Context(), "c", s)
	ok(t, err)

	collect := func(what string, items int, left [3]int) {
		t.Helper()
		before := used(t, root)
		got, err := m.Collect()
		ok(t, err)
		if now := kept(t, root); now != left || got.Items != items {
			t.Errorf("%s: %v left, not %v; %d items removed, not %d", what, now, left, got.Items, items)
		}
		if freed := before - used(t, root); freed < got.Bytes || got.Bytes > 0 != (items > 0) {
			t.Errorf("%s: says %d bytes are freed, and %d are", what, got.Bytes, freed)
		}
	}
	collect("all in use", 0, [3]int{3, 2, 3})
	for _, id := range s.ParentIDs {
		ok(t, m.DetachLayer(id))
	}
	collect("mounted", 0, [3]int{3, 2, 3})
	sameTree(t, target, want)

	// After a restart, too.
	ok(t, m.Close())
	m = manager(t, root, snapshot.Options{Fetcher: r})
	collect("mounted, restarted", 0, [3]int{3, 2, 3})
	sameTree(t, target, want)

	// One layer is in use by another snapshot.
	ok(t, prepare(t, m, "other", r.add(tars[2], tars[2])))
	ok(t, m.UmountTarErofs("c"))
	collect("one layer in use", 6, [3]int{1, 0, 1})
	ok(t, m.DetachLayer("other"))
	collect("nothing in use", 2, [3]int{})
	again := image(t, m, r, "s", tars...)
	target, err = m.MountTarErofs(t.Context(), "c", again)
	ok(t, err)
	sameTree(t, target, want)
}

// used is the length of all files of items.
func used(t *testing.T, root string) (bytes int64) {
	t.Helper()
	for _, pattern := range []string{"layers/*/*", "images/*/*", "disks/*/*"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		ok(t, err)
		for _, f := range files {
			info, err := os.Stat(f)
			ok(t, err)
			bytes += info.Size()
		}
	}
	return bytes
}

// While layers come and go, what is reported ready is there.
func TestCollectAllTheTime(t *testing.T) {
	r, root := newRegistry(), t.TempDir()
	var layers []snapshot.Layer
	for i := range 4 {
		data := archive(t, file("f", noise(uint64(i), 20_000)))
		layers = append(layers, r.add(data, data))
	}
	r.serve = func(_ context.Context, digest string, _ int) (io.ReadCloser, error) {
		rest := bytes.NewReader(r.blobs[digest])
		return stream(func(p []byte) (int, error) {
			time.Sleep(100 * time.Microsecond)
			return rest.Read(p[:min(len(p), 5000)])
		}), nil
	}
	m := manager(t, root, snapshot.Options{Fetcher: r})
	stop, stopped := make(chan struct{}), make(chan struct{})
	removed := 0
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			got, err := m.Collect()
			if err != nil {
				t.Error(err)
			}
			removed += got.Items
		}
	}()
	errs := make(chan error)
	const workers, rounds = 4, 30
	for w := range workers {
		go func() {
			errs <- func() error {
				for i := range rounds {
					// Two workers share a layer at a time.
					order := []int{(w/2 + i) % 4, (w/2 + i + 1) % 4}
					s := snapshot.Snapshot{ID: fmt.Sprint("w", w)}
					for n, index := range order {
						id := fmt.Sprint("w", w, "-", n)
						if err := prepare(t, m, id, layers[index]); err != nil {
							return err
						}
						s.ParentIDs = append(s.ParentIDs, id)
					}
					if err := m.MergeLayers(t.Context(), s); err != nil {
						return err
					}
					if _, err := m.Export(t.Context(), s, tarfs.ImageBlock); err != nil {
						return err
					}
					for _, id := range s.ParentIDs {
						if err := m.DetachLayer(id); err != nil {
							return err
						}
					}
				}
				return nil
			}()
		}()
	}
	for range workers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	close(stop)
	<-stopped
	if removed == 0 {
		t.Error("nothing was collected meanwhile")
	}
	_, err := m.Collect()
	ok(t, err)
	if left := kept(t, root); left != [3]int{} {
		t.Errorf("left: %v", left)
	}
}

// Images are merged once, by however many callers.
func TestManyMergeAtOnce(t *testing.T) {
	r, root := newRegistry(), t.TempDir()
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", threeLayers(t)...)
	paths := make(chan string)
	for range 8 {
		go func() {
			disk, err := m.Export(t.Context(), s, tarfs.ImageBlockWithVerity)
			if err != nil {
				t.Error(err)
				paths <- ""
				return
			}
			paths <- disk.Path
		}()
	}
	var all []string
	for range 8 {
		all = append(all, <-paths)
	}
	if slices.Sort(all); all[0] != all[7] || all[0] == "" {
		t.Errorf("disks %q", all)
	}
	if left := kept(t, root); left[2] != 1 {
		t.Errorf("%d disks", left[2])
	}
}
