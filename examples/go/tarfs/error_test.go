package tarfs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// wants checks kind and place of an error.
func wants(t *testing.T, what string, err, kind error, offset int64) {
	t.Helper()
	var e *tarfs.Error
	if !errors.Is(err, kind) || !errors.As(err, &e) {
		t.Errorf("%s: %v, want %v", what, err, kind)
		return
	}
	if e.Offset != offset || e.Op == "" || e.Message == "" {
		t.Errorf("%s: %+v, want offset %d", what, e, offset)
	}
	for _, other := range []error{tarfs.ErrPanic, tarfs.ErrPoisoned, tarfs.ErrLayout} {
		if errors.Is(err, other) {
			t.Errorf("%s: %v is %v, too", what, err, other)
		}
	}
}

func TestErrorsHaveKindsAndPlaces(t *testing.T) {
	noLeak(t)
	tar := archive(t, fileEntry("a", "a"), fileEntry("b", "b"))
	finish := func(data []byte) error {
		w := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(t.Context(), nil))
		defer w.Close()
		if _, err := w.Write(data); err != nil {
			_, again := w.Write(data)
			wants(t, "after an error", again, tarfs.ErrWrongOrder, -1)
			return err
		}
		layer, err := w.Finish()
		layer.Close()
		return err
	}
	broken := bytes.Clone(tar)
	header := bytes.Index(broken, []byte("b\x00\x00"))
	broken[header+150] ^= 1
	wants(t, "bad checksum", finish(broken), tarfs.ErrTar, int64(header/512*512))
	wants(t, "cut short", finish(tar[:700]), tarfs.ErrTar, 700)
	pending := archive(t, linkEntry('1', "hard", "nowhere"))
	var e *tarfs.Error
	if err := finish(pending); !errors.Is(err, tarfs.ErrTree) || !errors.As(err, &e) {
		t.Errorf("a link to nothing: %v", err)
	}

	layer := index(t, pending, &tarfs.LayerOptions{KeepPending: true})
	_, err := tarfs.Merge([]*tarfs.Tree{layer.Tree}, nil)
	wants(t, "a link to nothing, merged", err, tarfs.ErrTree, -1)
	_, err = layer.Tree.Lookup("none")
	wants(t, "Lookup", err, tarfs.ErrNotFound, -1)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	_, err = tarfs.Plan(layer.Tree, &tarfs.LayoutOptions{BlockSize: 7})
	wants(t, "Plan", err, tarfs.ErrInvalidArgument, -1)
	if !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("%v is not fs.ErrInvalid", err)
	}
	_, err = tarfs.OpenImage(bytes.NewReader(make([]byte, 4096)), 4096)
	wants(t, "OpenImage", err, tarfs.ErrRead, -1)
	_, err = tarfs.Preset("none")
	wants(t, "Preset", err, tarfs.ErrInvalidArgument, -1)
	_, err = tarfs.Seal(t.Context(), bytes.NewReader(nil), 511, nil, nil, 0)
	wants(t, "Seal", err, tarfs.ErrVerity, -1)

	data := []byte(noise(1, 8192))
	var hashes memory
	sealed, err := tarfs.Seal(t.Context(), bytes.NewReader(data), 8192, nil, &hashes, 0)
	ok(t, err)
	defer sealed.Close()
	ok(t, tarfs.Verify(t.Context(), bytes.NewReader(data), hashes, sealed, 0))
	data[5000] ^= 1
	err = tarfs.Verify(t.Context(), bytes.NewReader(data), hashes, sealed, 0)
	wants(t, "Verify", err, tarfs.ErrMismatch, 5000/512*512)
	layer.Close()
}

func TestSystemErrorsKeepTheirNumber(t *testing.T) {
	noLeak(t)
	// Written by the library itself, which finds it not writable.
	readOnly := writeFile(t, filepath.Join(t.TempDir(), "read-only"), nil)
	opts := &tarfs.LayerOptions{Tee: readOnly}
	w := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(t.Context(), opts))
	defer w.Close()
	_, err := w.Write(baseTar(t))
	var e *tarfs.Error
	if !errors.Is(err, tarfs.ErrIO) || !errors.As(err, &e) || e.Errno != syscall.EBADF || !errors.Is(err, syscall.EBADF) {
		t.Errorf("%v, want EBADF", err)
	}
	closed := must[*os.File](t)(os.Create(filepath.Join(t.TempDir(), "closed")))
	closed.Close()
	if _, err := tarfs.OpenImage(closed, 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("%v, want os.ErrClosed", err)
	}
	var none *os.File
	if _, err := tarfs.OpenImage(none, 0); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("%v, want os.ErrInvalid", err)
	}
}

// failing is a caller's reader and writer that fails from a byte on.
type failing struct {
	from int64
	err  error
}

func (f failing) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) > f.from {
		return 0, f.err
	}
	return len(p), nil
}

func (f failing) WriteAt(p []byte, offset int64) (int, error) { return f.ReadAt(p, offset) }
func (f failing) Write(p []byte) (int, error)                 { return 0, f.err }
func (f failing) Read(p []byte) (int, error)                  { return 0, f.err }

// Errors that cannot be told from each other by their text.
type mine struct{ int }

func (mine) Error() string { return "mine" }

func TestCallersErrorsComeBackAsTheyAre(t *testing.T) {
	noLeak(t)
	source := sources(t, baseTar(t))[0]
	defer source.Tree.Close()
	layout := must[*tarfs.Layout](t)(tarfs.Plan(source.Tree, &tarfs.LayoutOptions{Artifact: tarfs.DiskMetadataFirst}))
	defer layout.Close()
	ctx := t.Context()
	good, bad := source.Devices, func(err error) []io.ReaderAt { return []io.ReaderAt{failing{0, err}} }
	sealed := must[*tarfs.Sealed](t)(tarfs.NewSealed(nil, 8192, [32]byte{}))
	defer sealed.Close()
	inode := must[uint32](t)(source.Tree.Lookup("usr/bin/big"))
	calls := map[string]func(err error) error{
		"Tee": func(err error) error {
			w := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(ctx, &tarfs.LayerOptions{Tee: failing{0, err}}))
			defer w.Close()
			_, got := w.Write(make([]byte, 512))
			return got
		},
		"ReadFrom": func(err error) error {
			w := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(ctx, nil))
			defer w.Close()
			_, got := w.ReadFrom(failing{0, err})
			return got
		},
		"WriteMetadata": func(err error) error { return layout.WriteMetadata(ctx, failing{0, err}) },
		"WriteDisk":     func(err error) error { return layout.WriteDisk(ctx, good, failing{9000, err}) },
		"WriteDisk, source": func(err error) error {
			return layout.WriteDisk(ctx, bad(err), &memory{})
		},
		"HashDisk": func(err error) error {
			_, got := layout.HashDisk(ctx, good, nil, nil, failing{0, err})
			return got
		},
		"HashDisk, source": func(err error) error {
			_, got := layout.HashDisk(ctx, bad(err), nil, nil, nil)
			return got
		},
		"Seal": func(err error) error {
			_, got := tarfs.Seal(ctx, failing{0, err}, 8192, nil, nil, 0)
			return got
		},
		"Seal, hashes": func(err error) error {
			_, got := tarfs.Seal(ctx, good[0], 8192, nil, failing{0, err}, 0)
			return got
		},
		"Verify": func(err error) error { return tarfs.Verify(ctx, failing{0, err}, good[0], sealed, 0) },
		"Verify, hashes": func(err error) error {
			return tarfs.Verify(ctx, good[0], failing{0, err}, sealed, 0)
		},
		"ReadLeaves": func(err error) error {
			_, got := tarfs.ReadLeaves(ctx, failing{0, err}, sealed, 0, -1, 0)
			return got
		},
		"OpenImage": func(err error) error {
			_, got := tarfs.OpenImage(failing{0, err}, 8192)
			return got
		},
		"Tree.ReadAt": func(err error) error {
			_, got := source.Tree.ReadAt(inode, bad(err), make([]byte, 10), 0)
			return got
		},
		"Hasher": func(err error) error {
			h := must[*tarfs.Hasher](t)(tarfs.NewHasher(nil, 512*128, failing{0, err}))
			defer h.Close()
			_, got := h.Write(make([]byte, 512*128))
			if got == nil {
				_, got = h.Finish()
			}
			return got
		},
		"Export": func(err error) error {
			_, got := tarfs.Export(ctx, tarfs.ImageBlock, []tarfs.Source{{Tree: source.Tree, Devices: bad(err)}}, filepath.Join(t.TempDir(), "disk"), nil)
			return got
		},
	}
	for name, call := range calls {
		for _, want := range []error{&mine{1}, mine{2}, io.EOF, os.ErrClosed, &tarfs.Error{Op: "own", Status: 1}} {
			got := call(want)
			if want == io.EOF {
				// A ReaderAt that is at its end is too short for what is to be read from it; as an
				// error of a writer it is as good as any.
				if got != io.EOF && got != io.ErrUnexpectedEOF && name != "ReadFrom" {
					t.Errorf("%s: %v, want an end", name, got)
				}
				continue
			}
			if got != want {
				t.Errorf("%s: %#v, want %#v", name, got, want)
			}
		}
	}

	// In a file system they are in a PathError.
	want := &mine{3}
	_, err := source.Tree.FS(failing{0, want}).ReadFile("usr/bin/big")
	var path *fs.PathError
	if !errors.As(err, &path) || path.Err != error(want) {
		t.Errorf("FS: %v", err)
	}
}

func TestShortReadsAndWritesAreErrors(t *testing.T) {
	noLeak(t)
	source := sources(t, baseTar(t))[0]
	defer source.Tree.Close()
	layout := must[*tarfs.Layout](t)(tarfs.Plan(source.Tree, nil))
	defer layout.Close()
	short := bytes.NewReader([]byte("short"))
	if _, err := layout.HashDisk(t.Context(), []io.ReaderAt{short}, nil, nil, nil); err != io.ErrUnexpectedEOF {
		t.Errorf("a short source: %v", err)
	}
	if err := layout.WriteMetadata(t.Context(), nothing{}); err != io.ErrShortWrite {
		t.Errorf("a writer that takes nothing: %v", err)
	}
	if _, err := layout.HashDisk(t.Context(), []io.ReaderAt{nothing{}}, nil, nil, nil); err != io.ErrNoProgress {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

// nothing breaks the rules of its interfaces.
type nothing struct{}

func (nothing) ReadAt([]byte, int64) (int, error)  { return 0, nil }
func (nothing) WriteAt([]byte, int64) (int, error) { return 0, nil }

// panicking panics in a callback.
type panicking struct{ value any }

func (p panicking) Write([]byte) (int, error)          { panic(p.value) }
func (p panicking) ReadAt([]byte, int64) (int, error)  { panic(p.value) }
func (p panicking) WriteAt([]byte, int64) (int, error) { panic(p.value) }

func TestPanicsOfCallersPassThroughTheLibrary(t *testing.T) {
	noLeak(t)
	source := sources(t, baseTar(t))[0]
	defer source.Tree.Close()
	layout := must[*tarfs.Layout](t)(tarfs.Plan(source.Tree, nil))
	defer layout.Close()
	panics := func(name string, call func(value any)) {
		t.Helper()
		want := &mine{1}
		defer func() {
			if got := recover(); got != want {
				t.Errorf("%s: panic with %v, want %v", name, got, want)
			}
		}()
		call(want)
	}
	panics("WriteMetadata", func(v any) { layout.WriteMetadata(context.Background(), panicking{v}) })
	panics("WriteDisk", func(v any) {
		layout.WriteDisk(context.Background(), []io.ReaderAt{panicking{v}}, &memory{})
	})
	w := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(t.Context(), &tarfs.LayerOptions{Tee: panicking{&mine{1}}}))
	defer w.Close()
	func() {
		defer func() { recover() }()
		w.Write(make([]byte, 512))
		t.Error("Write: no panic")
	}()
	if _, err := w.Write(nil); !errors.Is(err, tarfs.ErrWrongOrder) {
		t.Errorf("after a panic: %v", err)
	}
	// The tree is as good as ever.
	ok(t, layout.WriteMetadata(t.Context(), &memory{}))
}
