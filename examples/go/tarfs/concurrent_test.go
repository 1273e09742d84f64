//go:build go1.25

package tarfs_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// What does not change is used by any number of goroutines, and closed under them.
func TestEightGoroutines(t *testing.T) {
	noLeak(t)
	tree, devices := image(t)
	layout := must[*tarfs.Layout](t)(tarfs.Plan(tree, &tarfs.LayoutOptions{Artifact: tarfs.DiskDataFirst}))
	var disk memory
	ok(t, layout.WriteDisk(t.Context(), devices, &disk))
	opened := must[*tarfs.Image](t)(tarfs.OpenImage(disk, int64(len(disk))))
	root := must[*tarfs.Sealed](t)(layout.HashDisk(t.Context(), devices, nil, nil, nil))
	listing := list(t, tree.FS(devices...))

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 3 {
				if got := list(t, tree.FS(devices...)); !slices.Equal(got, listing) {
					t.Error("the tree lists otherwise")
				}
				var written memory
				if err := layout.WriteDisk(t.Context(), devices, &written); err != nil || !bytes.Equal(written, disk) {
					t.Errorf("the disk is another: %v", err)
				}
				sealed, err := layout.HashDisk(t.Context(), devices, nil, nil, nil)
				if err != nil || sealed.Root() != root.Root() {
					t.Errorf("the root hash is another: %v", err)
				}
				sealed.Close()
				fsys, err := opened.FS()
				if err != nil {
					t.Error(err)
					return
				}
				if got := list(t, fsys); !slices.Equal(got, listing) {
					t.Error("the image lists otherwise")
				}
				fsys.Close()
				merged, err := tarfs.Merge([]*tarfs.Tree{tree, tree}, nil)
				if err != nil {
					t.Error(err)
				}
				merged.Close()
			}
		})
	}
	all.Wait()
	for range 8 {
		all.Go(func() {
			for {
				_, err := tree.Lookup("etc")
				if err == nil {
					err = layout.WriteMetadata(t.Context(), &memory{})
				}
				if err != nil {
					if !errors.Is(err, tarfs.ErrWrongOrder) {
						t.Error(err)
					}
					return
				}
			}
		})
		all.Go(func() {
			root.Close()
			opened.Close()
		})
	}
	for range 8 {
		all.Go(func() {
			tree.Close()
			layout.Close()
		})
	}
	all.Wait()
}

// One writer is for one goroutine at a time; others are told so, or find it closed.
func TestWritersAtTheSameTime(t *testing.T) {
	noLeak(t)
	r, w := io.Pipe()
	layer := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(t.Context(), &tarfs.LayerOptions{Tee: w}))
	var first, others sync.WaitGroup
	first.Go(func() { must[int](t)(layer.Write(make([]byte, 1024))) })
	// The first call is in its callback now, and stays there until the others were turned away.
	must[int](t)(io.ReadFull(r, make([]byte, 1)))
	for range 8 {
		others.Go(func() {
			_, err := layer.Write([]byte{1})
			wants(t, "a second writer", err, tarfs.ErrWrongOrder, -1)
		})
	}
	others.Wait()
	must[int](t)(io.ReadFull(r, make([]byte, 1023)))
	first.Wait()
	layer.Close()
}
