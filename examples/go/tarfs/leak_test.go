package tarfs_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/internal/hooks"
)

// descriptors is how many files the process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	return len(must[[]os.DirEntry](t)(os.ReadDir("/proc/self/fd")))
}

// round goes through the whole API once, and through its ways to fail.
func round(t *testing.T, dir string, tar []byte, file, out *os.File) {
	ctx := context.Background()
	opts := asTool()
	opts.Tee, opts.Leaves = out, &tarfs.VerityParams{Salt: []byte("salt")}
	w, err := tarfs.NewLayerWriter(ctx, opts)
	ok(t, err)
	must[int](t)(w.Write(tar))
	layer := must[*tarfs.Layer](t)(w.Finish())
	w.Close()

	opts.Tee = io.Discard
	w, err = tarfs.NewLayerWriter(ctx, opts)
	ok(t, err)
	w.Write(tar[:100])
	w.Write([]byte(noise(1, 1000)))
	w.Close()

	merged := must[*tarfs.Tree](t)(tarfs.Merge([]*tarfs.Tree{layer.Tree}, nil))
	layout := must[*tarfs.Layout](t)(tarfs.Plan(merged, nil))
	var boot memory
	ok(t, layout.WriteMetadata(ctx, &boot))
	for _, source := range []io.ReaderAt{file, bytes.NewReader(tar), failing{0, io.ErrClosedPipe}} {
		sealed, _ := layout.HashDisk(ctx, []io.ReaderAt{source}, nil, nil, nil)
		sealed.Close()
	}
	image := must[*tarfs.Image](t)(tarfs.OpenImage(boot, int64(len(boot))))
	fsys := must[*tarfs.FS](t)(image.FS(file))
	must[[]byte](t)(fsys.ReadFile("a"))
	fsys.Open("nowhere")
	fsys.Close()
	hasher := must[*tarfs.Hasher](t)(tarfs.NewHasher(nil, 1024, &memory{}))
	hasher.Write(make([]byte, 1024))
	sealed := must[*tarfs.Sealed](t)(hasher.Finish())
	sealed.Table("a", "b")
	tarfs.Merge([]*tarfs.Tree{nil}, nil)
	for _, c := range []io.Closer{layer, merged, layout, image, hasher, sealed} {
		c.Close()
	}
}

func TestTenThousandRoundsLeaveNothing(t *testing.T) {
	noLeak(t)
	dir := t.TempDir()
	tar := archive(t, fileEntry("a", "a"), fileEntry("b", noise(1, 1000)))
	file := writeFile(t, filepath.Join(dir, "tar"), tar)
	out := must[*os.File](t)(os.Create(filepath.Join(dir, "out")))
	defer out.Close()
	round(t, dir, tar, file, out)
	before := descriptors(t)
	rounds := 10_000
	if testing.Short() {
		rounds = 200
	}
	for i := range rounds {
		round(t, dir, tar, file, out)
		if i%1000 == 0 {
			if left := hooks.Handles(); left != 0 {
				t.Fatalf("round %d left %d handles", i, left)
			}
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

// The garbage collector is the net below those who do not close.
func TestTheGarbageCollectorCloses(t *testing.T) {
	noLeak(t)
	before := descriptors(t)
	func() {
		one(t)
		out := must[*os.File](t)(os.Create(filepath.Join(t.TempDir(), "tee")))
		defer out.Close()
		for _, tee := range []io.Writer{out, io.Discard} {
			must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(t.Context(), &tarfs.LayerOptions{Tee: tee}))
		}
		must[*tarfs.Hasher](t)(tarfs.NewHasher(nil, 512, &memory{}))
		if hooks.Handles() == 0 {
			t.Error("nothing was open")
		}
	}()
	// Some of it is kept for Cleanup of the test.
	if left := settle(2); left > 2 {
		t.Errorf("%d handles are left", left)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}
