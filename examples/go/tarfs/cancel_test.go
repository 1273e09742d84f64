package tarfs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// after cancels a context when so many bytes were read.
type after struct {
	io.ReaderAt
	left   int
	cancel func()
}

func (a *after) ReadAt(p []byte, offset int64) (int, error) {
	if a.left -= len(p); a.left < 0 {
		a.cancel()
	}
	return a.ReaderAt.ReadAt(p, offset)
}

func TestWritesEndWithTheContext(t *testing.T) {
	noLeak(t)
	tar := baseTar(t)
	cause := &mine{1}
	ctx, cancel := context.WithCancelCause(context.Background())
	w := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(ctx, nil))
	defer w.Close()
	must[int](t)(w.Write(tar[:4096]))
	cancel(cause)
	if n, err := w.Write(tar[4096:]); n != 0 || err != error(cause) {
		t.Errorf("Write: %d, %v", n, err)
	}
	if _, err := w.Finish(); err != error(cause) {
		t.Errorf("Finish: %v", err)
	}
	plain, stop := context.WithCancel(context.Background())
	stop()
	if _, err := tarfs.NewLayerWriter(plain, nil); err != context.Canceled {
		t.Errorf("NewLayerWriter: %v", err)
	}
	if _, err := tarfs.IndexFile(plain, writeFile(t, filepath.Join(t.TempDir(), "tar"), tar), nil); err != context.Canceled {
		t.Errorf("IndexFile: %v", err)
	}
}

// A pipe that nobody writes to any more must not hold a reader whose context is done.
func TestAWaitingReadEndsWithTheContext(t *testing.T) {
	noLeak(t)
	r, w, err := os.Pipe()
	ok(t, err)
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	layer := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(ctx, nil))
	defer layer.Close()
	must[int](t)(w.Write(baseTar(t)[:4096]))
	n, err := layer.ReadFrom(r)
	if n != 4096 || err != context.DeadlineExceeded {
		t.Errorf("ReadFrom: %d, %v", n, err)
	}
	// The pipe itself is as it was.
	go w.Write([]byte("x"))
	if n, err := r.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("Read afterwards: %d, %v", n, err)
	}
}

func TestLongCallsEndWithTheContext(t *testing.T) {
	noLeak(t)
	tar := archive(t, fileEntry("big", noise(1, 8<<20)))
	source := sources(t, tar)[0]
	defer source.Tree.Close()
	layout := must[*tarfs.Layout](t)(tarfs.Plan(source.Tree, &tarfs.LayoutOptions{Artifact: tarfs.DiskMetadataFirst}))
	defer layout.Close()
	data := bytes.NewReader(make([]byte, 8<<20))
	var hashes memory
	zeros := must[*tarfs.Sealed](t)(tarfs.Seal(context.Background(), data, 8<<20, nil, &hashes, 0))
	defer zeros.Close()

	for name, call := range map[string]func(ctx context.Context, cancel func()) error{
		"WriteDisk": func(ctx context.Context, cancel func()) error {
			return layout.WriteDisk(ctx, []io.ReaderAt{&after{source.Devices[0], 2 << 20, cancel}}, &memory{})
		},
		"HashDisk": func(ctx context.Context, cancel func()) error {
			_, err := layout.HashDisk(ctx, []io.ReaderAt{&after{source.Devices[0], 2 << 20, cancel}}, nil, nil, nil)
			return err
		},
		"Seal": func(ctx context.Context, cancel func()) error {
			_, err := tarfs.Seal(ctx, &after{data, 2 << 20, cancel}, 8<<20, nil, nil, 0)
			return err
		},
		"Verify": func(ctx context.Context, cancel func()) error {
			return tarfs.Verify(ctx, &after{data, 2 << 20, cancel}, &hashes, zeros, 0)
		},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		if err := call(ctx, cancel); err != context.Canceled {
			t.Errorf("%s: %v", name, err)
		}
		if err := call(ctx, cancel); err != context.Canceled {
			t.Errorf("%s, cancelled before: %v", name, err)
		}
	}
}

// With files on both sides several threads are at work, and one of them asks.
func TestThreadsEndWithTheContext(t *testing.T) {
	noLeak(t)
	path := filepath.Join(t.TempDir(), "data")
	file := must[*os.File](t)(os.Create(path))
	defer file.Close()
	const size = 4 << 30
	ok(t, file.Truncate(size))
	hashes := must[*os.File](t)(os.Create(path + ".hashes"))
	defer hashes.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	started := time.Now()
	if _, err := tarfs.Seal(ctx, file, size, nil, hashes, 2); err != context.DeadlineExceeded {
		t.Errorf("Seal: %v", err)
	}
	if took := time.Since(started); took > 2*time.Second {
		t.Errorf("Seal went on for %v", took)
	}
}

func TestExportLeavesNothingBehind(t *testing.T) {
	noLeak(t)
	dir := t.TempDir()
	all := sources(t, baseTar(t), topTar(t), archive(t, fileEntry("big", noise(1, 4000))))
	defer func() {
		for _, source := range all {
			source.Tree.Close()
		}
	}()
	// The last layer's file fails when the others are written, but not yet renamed.
	device := all[2].Devices[0]
	for _, mode := range tarfs.Modes() {
		for _, left := range []int{0, 300, 1500} {
			ctx, cancel := context.WithCancel(context.Background())
			all[2].Devices = []io.ReaderAt{&after{device, left, cancel}}
			out := filepath.Join(dir, "out")
			made, err := tarfs.Export(ctx, mode, all, out, nil)
			if err != context.Canceled || made != nil {
				t.Errorf("%s: %v, %v", mode, made, err)
			}
			cancel()
			all[2].Devices = []io.ReaderAt{failing{int64(left), &mine{2}}}
			if _, err := tarfs.Export(context.Background(), mode, all, out, nil); !errors.Is(err, &mine{2}) && err.Error() != "mine" {
				t.Errorf("%s: %v", mode, err)
			}
			if found := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(found) != 0 {
				t.Fatalf("%s left %v", mode, found)
			}
		}
	}
}

func TestExportKeepsWhatIsThere(t *testing.T) {
	noLeak(t)
	dir := t.TempDir()
	source := sources(t, baseTar(t))
	defer source[0].Tree.Close()
	out := filepath.Join(dir, "disk")
	ok(t, os.WriteFile(out, []byte("old"), 0o600))
	bad := []tarfs.Source{{Tree: source[0].Tree, Devices: []io.ReaderAt{failing{0, &mine{1}}}}}
	if _, err := tarfs.Export(t.Context(), tarfs.ImageBlock, bad, out, nil); err == nil {
		t.Error("no error")
	}
	if got := must[[]byte](t)(os.ReadFile(out)); string(got) != "old" {
		t.Errorf("the old file is %q", got)
	}
	for name, path := range map[string]string{"a directory": dir, "a device": "/dev/null", "": ""} {
		if _, err := tarfs.Export(t.Context(), tarfs.ImageBlock, source, path, nil); !errors.Is(err, tarfs.ErrInvalidArgument) {
			t.Errorf("over %s: %v", name, err)
		}
	}
	input := writeFile(t, filepath.Join(dir, "input"), baseTar(t))
	source[0].Devices = []io.ReaderAt{input}
	if _, err := tarfs.Export(t.Context(), tarfs.ImageBlock, source, input.Name(), nil); !errors.Is(err, tarfs.ErrInvalidArgument) {
		t.Errorf("over an input: %v", err)
	}
	if _, err := tarfs.Export(t.Context(), tarfs.ImageBlock, source, filepath.Join(dir, "no/such/dir"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("into no directory: %v", err)
	}
	made, err := tarfs.Export(t.Context(), tarfs.ImageBlock, source, out, nil)
	ok(t, err)
	if info := must[os.FileInfo](t)(os.Stat(out)); info.Size() != made[0].Size || made[0].Verity != nil {
		t.Errorf("made %+v, of %d bytes", made, info.Size())
	}
}
