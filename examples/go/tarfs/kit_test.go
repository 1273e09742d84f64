package tarfs_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// oracle skips the test if something that judges it is missing. In CI all of it is there: missing
// is a failure.
func oracle(t *testing.T, there bool, what string) {
	t.Helper()
	if there {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI, and there is no oracle: %s", what)
	}
	t.Skipf("no oracle: %s", what)
}

// program finds a program that judges.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	oracle(t, err == nil, name)
	return path
}

// run runs a program that has to succeed, and gives what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must is for what cannot fail unless the test is wrong.
func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// diskDir is a temporary directory that files can be mounted from: the kernel refuses those on
// tmpfs.
func diskDir(t *testing.T) string {
	t.Helper()
	const tmpfs = 0x01021994
	parent := os.TempDir()
	var s syscall.Statfs_t
	if syscall.Statfs(parent, &s) == nil && s.Type == tmpfs {
		parent = "/var/tmp"
	}
	dir, err := os.MkdirTemp(parent, "tarfs-go-")
	ok(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// writeFile makes a file, and opens it for reading.
func writeFile(t *testing.T, path string, data []byte) *os.File {
	t.Helper()
	ok(t, os.MkdirAll(filepath.Dir(path), 0o777))
	ok(t, os.WriteFile(path, data, 0o666))
	f, err := os.Open(path)
	ok(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

// index makes a layer of a tar in memory.
func index(t *testing.T, tar []byte, opts *tarfs.LayerOptions) *tarfs.Layer {
	t.Helper()
	w, err := tarfs.NewLayerWriter(context.Background(), opts)
	ok(t, err)
	defer w.Close()
	_, err = io.Copy(w, bytes.NewReader(tar))
	ok(t, err)
	layer, err := w.Finish()
	ok(t, err)
	t.Cleanup(func() { layer.Close() })
	return layer
}

// asTool is how the Rust tool indexes layers.
func asTool() *tarfs.LayerOptions {
	return &tarfs.LayerOptions{TagDiffID: true, KeepPending: true}
}

// sources is the layers of tars in memory, as Export wants them.
func sources(t *testing.T, tars ...[]byte) []tarfs.Source {
	t.Helper()
	var all []tarfs.Source
	for _, tar := range tars {
		layer := index(t, tar, asTool())
		source := tarfs.Source{Tree: layer.Tree}
		if layer.Tree.Info().Devices > 0 {
			source.Devices = []io.ReaderAt{bytes.NewReader(tar)}
		}
		all = append(all, source)
	}
	return all
}

// bootstrap is the bytes of a tree's bootstrap.
func bootstrap(t *testing.T, tree *tarfs.Tree) []byte {
	t.Helper()
	layout, err := tarfs.Plan(tree, nil)
	ok(t, err)
	defer layout.Close()
	var out memory
	ok(t, layout.WriteMetadata(context.Background(), &out))
	return out
}

// memory is a file in memory.
type memory []byte

func (m *memory) WriteAt(p []byte, offset int64) (int, error) {
	if end := int(offset) + len(p); end > len(*m) {
		*m = append(*m, make([]byte, end-len(*m))...)
	}
	return copy((*m)[offset:], p), nil
}

func (m memory) ReadAt(p []byte, offset int64) (int, error) {
	return bytes.NewReader(m).ReadAt(p, offset)
}

// closeExported closes what an Export described.
func closeExported(all []tarfs.Exported) {
	for _, one := range all {
		one.Verity.Close()
	}
}

// same compares bytes without printing them.
func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	t.Errorf("%s: %d bytes, want %d, they differ at byte %d", what, len(got), len(want), at)
}
