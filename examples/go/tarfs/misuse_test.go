package tarfs_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// objects is one of each, or none.
type objects struct {
	writer *tarfs.LayerWriter
	layer  *tarfs.Layer
	tree   *tarfs.Tree
	layout *tarfs.Layout
	image  *tarfs.Image
	leaves *tarfs.Leaves
	sealed *tarfs.Sealed
	hasher *tarfs.Hasher
}

func (o objects) close() {
	for _, c := range []io.Closer{o.writer, o.layer, o.tree, o.layout, o.image, o.leaves, o.sealed, o.hasher} {
		c.Close()
	}
}

// calls is every fallible method of the objects, with arguments that are good otherwise.
func (o objects) calls(t *testing.T) map[string]func() error {
	t.Helper()
	ctx, data, out := t.Context(), bytes.NewReader(make([]byte, 8192)), &memory{}
	return map[string]func() error{
		"LayerWriter.Write":    func() error { _, err := o.writer.Write([]byte{1}); return err },
		"LayerWriter.Write, 0": func() error { _, err := o.writer.Write(nil); return err },
		"LayerWriter.ReadFrom": func() error { _, err := o.writer.ReadFrom(struct{ io.Reader }{data}); return err },
		"LayerWriter.Finish":   func() error { _, err := o.writer.Finish(); return err },
		"Tree.Devices":         func() error { _, err := o.tree.Devices(); return err },
		"Tree.Lookup":          func() error { _, err := o.tree.Lookup(""); return err },
		"Tree.Stat":            func() error { _, err := o.tree.Stat(0); return err },
		"Tree.Children":        func() error { _, err := o.tree.Children(0); return err },
		"Tree.Extents":         func() error { _, err := o.tree.Extents(1); return err },
		"Tree.ReadAt":          func() error { _, err := o.tree.ReadAt(1, nil, make([]byte, 1), 0); return err },
		"Tree.FS":              func() error { _, err := o.tree.FS().ReadDir("."); return err },
		"Merge":                func() error { _, err := tarfs.Merge([]*tarfs.Tree{o.tree}, nil); return err },
		"Plan":                 func() error { _, err := tarfs.Plan(o.tree, nil); return err },
		"Layout.WriteMetadata": func() error { return o.layout.WriteMetadata(ctx, out) },
		"Layout.WriteDisk":     func() error { return o.layout.WriteDisk(ctx, []io.ReaderAt{data}, out) },
		"Layout.HashDisk":      func() error { _, err := o.layout.HashDisk(ctx, []io.ReaderAt{data}, nil, nil, nil); return err },
		"Layout.Ranges":        func() error { _, err := o.layout.Ranges(tarfs.DiskFiles{Sealed: o.sealed}); return err },
		"Image.Tree":           func() error { _, err := o.image.Tree(nil); return err },
		"Image.FS":             func() error { _, err := o.image.FS(); return err },
		"Leaves.Digests":       func() error { _, err := o.leaves.Digests(); return err },
		"ReadLeaves":           func() error { _, err := tarfs.ReadLeaves(ctx, data, o.sealed, 0, -1, 1); return err },
		"Verify":               func() error { return tarfs.Verify(ctx, data, data, o.sealed, 1) },
		"Hasher.Write":         func() error { _, err := o.hasher.Write([]byte{1}); return err },
		"Hasher.WriteZeros":    func() error { return o.hasher.WriteZeros(1) },
		"Hasher.WriteLeaves":   func() error { return o.hasher.WriteLeaves(o.leaves) },
		"Hasher.Finish":        func() error { _, err := o.hasher.Finish(); return err },
		"Export": func() error {
			_, err := tarfs.Export(ctx, tarfs.LayerBlock, []tarfs.Source{{Tree: o.tree}}, t.TempDir()+"/x", nil)
			return err
		},
	}
}

func (o objects) silent() []any {
	return []any{o.tree.Info(), o.layout.Info(), o.layout.Devices(), o.layout.Segments(), o.image.Info(),
		o.image.Devices(), o.sealed.Info(), o.sealed.Root(), o.sealed.RootHex(), o.sealed.NydusLabel(),
		o.sealed.KataJSON(), o.sealed.ContainerdJSON(), o.sealed.Table("a", "b"), o.sealed.OpenCommand("a", "b", "c")}
}

func one(t *testing.T) objects {
	t.Helper()
	tar := baseTar(t)
	opts := asTool()
	opts.Leaves = &tarfs.VerityParams{}
	layer := index(t, tar, opts)
	boot := bootstrap(t, layer.Tree)
	return objects{
		writer: must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(t.Context(), nil)),
		layer:  layer,
		tree:   layer.Tree,
		layout: must[*tarfs.Layout](t)(tarfs.Plan(layer.Tree, nil)),
		image:  must[*tarfs.Image](t)(tarfs.OpenImage(bytes.NewReader(boot), int64(len(boot)))),
		leaves: layer.Leaves,
		sealed: must[*tarfs.Sealed](t)(tarfs.NewSealed(nil, 8192, [32]byte{1})),
		hasher: must[*tarfs.Hasher](t)(tarfs.NewHasher(nil, 8192, nil)),
	}
}

func TestNilAndZeroValuesAreRefused(t *testing.T) {
	noLeak(t)
	zero := objects{&tarfs.LayerWriter{}, &tarfs.Layer{}, &tarfs.Tree{}, &tarfs.Layout{}, &tarfs.Image{}, &tarfs.Leaves{}, &tarfs.Sealed{}, &tarfs.Hasher{}}
	for kind, o := range map[string]objects{"nil": {}, "zero": zero} {
		for name, call := range o.calls(t) {
			if err := call(); !errors.Is(err, tarfs.ErrInvalidArgument) {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
		o.silent()
		o.close()
		o.close()
	}
	var none *tarfs.FS
	if _, err := none.Open("."); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("Open: %v", err)
	}
	none.Close()
}

func TestUseAfterCloseIsRefused(t *testing.T) {
	noLeak(t)
	o := one(t)
	before := o.silent()
	o.close()
	o.close()
	for name, call := range o.calls(t) {
		if err := call(); !errors.Is(err, tarfs.ErrWrongOrder) || !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := o.silent(); len(after) != len(before) || after[10] != before[10] || after[9] != before[9] {
		t.Errorf("what is known is %v, and was %v", after, before)
	}
}

func TestBadArgumentsAreRefused(t *testing.T) {
	noLeak(t)
	o := one(t)
	defer o.close()
	ctx, data := t.Context(), bytes.NewReader(make([]byte, 1<<20))
	for name, call := range map[string]func() error{
		"NewLayerWriter, tag": func() error {
			_, err := tarfs.NewLayerWriter(ctx, &tarfs.LayerOptions{Tag: noise(1, 65)})
			return err
		},
		"NewLayerWriter, tee offset": func() error {
			_, err := tarfs.NewLayerWriter(ctx, &tarfs.LayerOptions{Tee: io.Discard, TeeOffset: -1})
			return err
		},
		"ReadFrom, nil":      func() error { _, err := o.writer.ReadFrom(nil); return err },
		"Merge, none":        func() error { _, err := tarfs.Merge(nil, nil); return err },
		"Merge, nil":         func() error { _, err := tarfs.Merge([]*tarfs.Tree{o.tree, nil}, nil); return err },
		"Plan, artifact":     func() error { _, err := tarfs.Plan(o.tree, &tarfs.LayoutOptions{Artifact: 9}); return err },
		"WriteMetadata, nil": func() error { return o.layout.WriteMetadata(ctx, nil) },
		"WriteDisk, sources": func() error { return o.layout.WriteDisk(ctx, nil, &memory{}) },
		"WriteDisk, nil":     func() error { return o.layout.WriteDisk(ctx, []io.ReaderAt{nil}, &memory{}) },
		"HashDisk, sources":  func() error { _, err := o.layout.HashDisk(ctx, nil, nil, nil, nil); return err },
		"HashDisk, leaves": func() error {
			_, err := o.layout.HashDisk(ctx, []io.ReaderAt{data}, []*tarfs.Leaves{o.leaves, o.leaves}, nil, nil)
			return err
		},
		"Seal, nil":     func() error { _, err := tarfs.Seal(ctx, nil, 0, nil, nil, 0); return err },
		"Seal, size":    func() error { _, err := tarfs.Seal(ctx, data, -1, nil, nil, 0); return err },
		"Seal, threads": func() error { _, err := tarfs.Seal(ctx, data, 512, nil, nil, -1); return err },
		"Seal, superblock": func() error {
			_, err := tarfs.Seal(ctx, data, 512, &tarfs.VerityParams{Superblock: 9}, nil, 0)
			return err
		},
		"NewHasher, size":     func() error { _, err := tarfs.NewHasher(nil, -1, nil); return err },
		"WriteZeros":          func() error { return o.hasher.WriteZeros(-1) },
		"OpenImage, nil":      func() error { _, err := tarfs.OpenImage(nil, 0); return err },
		"OpenImage, size":     func() error { _, err := tarfs.OpenImage(data, -1); return err },
		"Image.Tree, tag":     func() error { _, err := o.image.Tree(&tarfs.ImageOptions{Tag: noise(1, 65)}); return err },
		"Tree.ReadAt, offset": func() error { _, err := o.tree.ReadAt(1, nil, nil, -1); return err },
		"Tree.Extents":        func() error { _, err := o.tree.Extents(0); return err },
		"Export, mode": func() error {
			_, err := tarfs.Export(ctx, "none", []tarfs.Source{{Tree: o.tree}}, "x", nil)
			return err
		},
		"Export, none": func() error { _, err := tarfs.Export(ctx, tarfs.ImageBlock, nil, "x", nil); return err },
		"Export, devices": func() error {
			_, err := tarfs.Export(ctx, tarfs.ImageBlock, []tarfs.Source{{Tree: o.tree}}, t.TempDir()+"/x", nil)
			return err
		},
	} {
		if err := call(); !errors.Is(err, tarfs.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, call := range map[string]func() error{
		"OpenImage, empty": func() error { _, err := tarfs.OpenImage(bytes.NewReader(nil), 0); return err },
	} {
		if err := call(); !errors.Is(err, tarfs.ErrRead) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, call := range map[string]func() error{
		"Tree.Stat":     func() error { _, err := o.tree.Stat(1 << 30); return err },
		"Tree.Children": func() error { _, err := o.tree.Children(1 << 30); return err },
	} {
		if err := call(); !errors.Is(err, tarfs.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A nil context is one that is never done.
func TestNilContext(t *testing.T) {
	noLeak(t)
	tar := baseTar(t)
	//lint:ignore SA1012 that is the test
	w := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(nil, nil))
	must[int](t)(w.Write(tar))
	layer := must[*tarfs.Layer](t)(w.Finish())
	defer layer.Close()
	layout := must[*tarfs.Layout](t)(tarfs.Plan(layer.Tree, nil))
	defer layout.Close()
	//lint:ignore SA1012 that is the test
	ok(t, layout.WriteDisk(nil, []io.ReaderAt{bytes.NewReader(tar)}, &memory{}))
}

// reenters calls the writer that calls it.
type reenters struct {
	writer *tarfs.LayerWriter
	err    error
}

func (r *reenters) Write(p []byte) (int, error) {
	_, r.err = r.writer.Write(p)
	// Closing, too, must not pull the layer from under the call at work.
	r.writer.Close()
	return len(p), nil
}

func TestACallbackMayTryToCallBack(t *testing.T) {
	noLeak(t)
	tee := &reenters{}
	w := must[*tarfs.LayerWriter](t)(tarfs.NewLayerWriter(t.Context(), &tarfs.LayerOptions{Tee: tee}))
	tee.writer = w
	must[int](t)(w.Write(make([]byte, 100)))
	wants(t, "call of the callback", tee.err, tarfs.ErrWrongOrder, -1)
	_, err := w.Write(make([]byte, 100))
	wants(t, "Write after Close", err, tarfs.ErrWrongOrder, -1)
}
