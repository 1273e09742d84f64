package tarfs_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// large is a tar that several threads have something to do with.
func large(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	body := make([]byte, 5<<20)
	rand.NewChaCha8([32]byte{1}).Read(body)
	for _, name := range []string{"a", "b", "c", "d"} {
		ok(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(body))}))
		_, err := w.Write(body)
		ok(t, err)
	}
	ok(t, w.Close())
	return out.Bytes()
}

// Files are hashed by threads, readers and writers by none: it is the same tree.
func TestThreadsHashTheSameDisk(t *testing.T) {
	noLeak(t)
	data := large(t)
	dir := t.TempDir()
	file := writeFile(t, filepath.Join(dir, "tar"), data)
	layer := index(t, data, asTool())
	for _, artifact := range []tarfs.Artifact{tarfs.DiskMetadataFirst, tarfs.DiskDataFirst} {
		layout, err := tarfs.Plan(layer.Tree, &tarfs.LayoutOptions{Artifact: artifact})
		ok(t, err)
		defer layout.Close()
		for _, placement := range []tarfs.Placement{tarfs.HashOwnFile, tarfs.HashBehindData} {
			params := &tarfs.VerityParams{Placement: placement, Superblock: tarfs.SuperblockDerived}
			var want memory
			alone, err := layout.HashDisk(t.Context(), []io.ReaderAt{bytes.NewReader(data)}, nil, params, &want)
			ok(t, err)
			defer alone.Close()
			hashes, err := os.Create(filepath.Join(dir, "hashes"))
			ok(t, err)
			defer hashes.Close()
			threads, err := layout.HashDisk(t.Context(), []io.ReaderAt{file}, nil, params, hashes)
			ok(t, err)
			defer threads.Close()
			rootOnly, err := layout.HashDisk(t.Context(), []io.ReaderAt{file}, nil, params, nil)
			ok(t, err)
			defer rootOnly.Close()
			if alone.Info() != threads.Info() || alone.Info() != rootOnly.Info() {
				t.Errorf("%+v, %+v, %+v", alone.Info(), threads.Info(), rootOnly.Info())
			}
			got, err := os.ReadFile(hashes.Name())
			ok(t, err)
			same(t, "hash file", got, want)
		}
	}
}

// What one thread meets ends the others, and is what the caller is told.
func TestThreadsEndTogether(t *testing.T) {
	noLeak(t)
	data := large(t)
	dir := t.TempDir()
	file := writeFile(t, filepath.Join(dir, "tar"), data)
	layout, err := tarfs.Plan(index(t, data, asTool()).Tree, &tarfs.LayoutOptions{Artifact: tarfs.DiskDataFirst})
	ok(t, err)
	defer layout.Close()
	hashes, err := os.Create(filepath.Join(dir, "hashes"))
	ok(t, err)
	defer hashes.Close()

	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	for range 100 {
		sealed, err := layout.HashDisk(ctx, []io.ReaderAt{file}, nil, nil, hashes)
		if err == nil {
			sealed.Close()
			continue
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled: %v", err)
		}
	}
	if _, err := layout.HashDisk(ctx, []io.ReaderAt{file}, nil, nil, hashes); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}

	ok(t, os.Truncate(file.Name(), int64(len(data)/2)))
	_, err = layout.HashDisk(t.Context(), []io.ReaderAt{file}, nil, nil, hashes)
	if !errors.Is(err, tarfs.ErrIO) {
		t.Errorf("a file that was cut short: %v", err)
	}
	read, err := os.Open(hashes.Name())
	ok(t, err)
	defer read.Close()
	ok(t, os.WriteFile(file.Name(), data, 0o666))
	sealed, err := layout.HashDisk(t.Context(), []io.ReaderAt{file}, nil, nil, notForWriting{read})
	if err == nil {
		sealed.Close()
		t.Error("hash blocks went to a file that is open for reading")
	}
}

// notForWriting is a file that a caller took for one to be written.
type notForWriting struct{ *os.File }
