package tarfs

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// exportBoth exports by this package and by the tool, and compares the bytes.
func exportBoth(t *testing.T, work string, layers []Source, tars []string, verify func(mode Mode, path string, layers []Source)) {
	for mode, image := range modes {
		groups, names := [][]Source{layers}, [][]string{tars}
		if !image {
			groups, names = nil, nil
			for i := range layers {
				groups, names = append(groups, layers[i:i+1]), append(names, tars[i:i+1])
			}
		}
		for i, group := range groups {
			ours, theirs := filepath.Join(work, "ours"), filepath.Join(work, "theirs")
			made, err := Export(t.Context(), mode, group, ours, nil)
			if err != nil {
				t.Fatalf("%s: %v", mode, err)
			}
			if len(made) != 1 || made[0].Path != ours {
				t.Fatalf("%s: made %+v", mode, made)
			}
			made[0].Verity.Close()
			tool(t, append([]string{"export", "--mode", string(mode), "-o", theirs}, names[i]...)...)
			sameFiles(t, ours, theirs)
			if mode == ImageBlock || mode == LayerBlock || mode == ImageBlockWithVerity {
				verify(mode, ours, group)
			}
		}
	}
}

// asMounted compares what the kernel shows with what the disk says by our reader.
func asMounted(t *testing.T) func(Mode, string, []Source) {
	return func(mode Mode, path string, _ []Source) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		image, err := OpenImage(f, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer image.Close()
		shown, err := image.FS()
		if err != nil {
			t.Fatal(err)
		}
		defer shown.Close()
		t.Run(string(mode), func(t *testing.T) {
			sameLines(t, "kernel", listing(t, osFS(mountImage(t, path))), listing(t, shown))
		})
	}
}

func TestExportIsWhatTheToolWritesAndTheKernelMounts(t *testing.T) {
	work := workDir(t)
	layers := layersOf(t, work, testTars(t))
	var tars []string
	for i := range layers {
		tars = append(tars, layers[i].Devices[0].(*os.File).Name())
	}
	exportBoth(t, work, layers, tars, asMounted(t))
}

func TestRealImage(t *testing.T) {
	if testing.Short() {
		t.Skip("short: nothing in it is new to the library's threads and pointers")
	}
	fixtures := os.Getenv("TARFS_FIXTURES")
	if fixtures == "" {
		without(t, "TARFS_FIXTURES, where tests/fixtures/real-image.sh put a real image")
	}
	work := workDir(t)
	var layers []Source
	var tars []string
	for _, name := range []string{"1.tar", "2.tar", "3.tar", "4.tar"} {
		f, err := os.Open(filepath.Join(fixtures, "real-image", "layers", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		layers, tars = append(layers, sourceOf(t, f)), append(tars, f.Name())
	}
	exportBoth(t, work, layers, tars, asMounted(t))
}

func TestBootstrapOverTars(t *testing.T) {
	work := workDir(t)
	layers := layersOf(t, work, testTars(t))
	var trees []*Tree
	byTag := map[string]*os.File{}
	for _, layer := range layers {
		trees = append(trees, layer.Tree)
		devices, err := layer.Tree.Devices()
		if err != nil {
			t.Fatal(err)
		}
		byTag[devices[0].Tag] = layer.Devices[0].(*os.File)
	}
	merged, err := Merge(trees, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer merged.Close()
	for _, chunks := range []bool{false, true} {
		layout, err := Plan(merged, &LayoutOptions{ChunkIndexes: chunks})
		if err != nil {
			t.Fatal(err)
		}
		defer layout.Close()
		f, err := os.Create(filepath.Join(work, "image.erofs"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := layout.WriteMetadata(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		devices := layout.Devices()
		var names []string
		var files []io.ReaderAt
		for _, device := range devices {
			names, files = append(names, byTag[device.Tag].Name()), append(files, byTag[device.Tag])
		}
		shown := merged.FS(files...)
		defer shown.Close()
		sameLines(t, "kernel", listing(t, osFS(mountImage(t, f.Name(), names...))), listing(t, shown))
	}
}

func TestCancelledExportLeavesNothing(t *testing.T) {
	work := workDir(t)
	layers := layersOf(t, work, testTars(t))
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	out := workDir(t)
	for mode := range modes {
		if _, err := Export(ctx, mode, layers, filepath.Join(out, "disk"), nil); err != cause {
			t.Errorf("%s: %v, want the cause itself", mode, err)
		}
	}
	// A source that fails half way.
	broken := []Source{{Tree: layers[0].Tree, Devices: []io.ReaderAt{failing{cause}}}}
	for _, mode := range []Mode{LayerBlock, LayerBlockWithVerity, LayerVerityOnly} {
		if _, err := Export(t.Context(), mode, broken, filepath.Join(out, "disk"), nil); err != cause {
			t.Errorf("%s: %v, want the reader's error itself", mode, err)
		}
	}
	left, err := os.ReadDir(out)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error)  { return 0, f.err }
func (f failing) WriteAt([]byte, int64) (int, error) { return 0, f.err }
func (f failing) Write([]byte) (int, error)          { return 0, f.err }
