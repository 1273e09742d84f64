package tarfs_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// pushed is all that comes of a tar that was written in pieces of one size.
type pushed struct {
	bootstrap, tee, leaves []byte
	info                   tarfs.LayerInfo
}

func push(t *testing.T, tar []byte, piece int) pushed {
	t.Helper()
	var tee bytes.Buffer
	w, err := tarfs.NewLayerWriter(context.Background(), &tarfs.LayerOptions{
		TagDiffID: true, Tee: &tee, Leaves: &tarfs.VerityParams{},
	})
	ok(t, err)
	defer w.Close()
	for rest := tar; len(rest) > 0; {
		n := min(piece, len(rest))
		got, err := w.Write(rest[:n])
		ok(t, err)
		if got != n {
			t.Fatalf("Write took %d of %d bytes", got, n)
		}
		rest = rest[n:]
	}
	layer, err := w.Finish()
	ok(t, err)
	defer layer.Close()
	digests, err := layer.Leaves.Digests()
	ok(t, err)
	return pushed{bootstrap(t, layer.Tree), tee.Bytes(), digests, layer.Info}
}

func TestPiecesOfAnySizeGiveTheSameBytes(t *testing.T) {
	noLeak(t)
	tar := baseTar(t)
	want := push(t, tar, len(tar))
	same(t, "tee", want.tee, tar)
	if want.info.DiffID != sha256.Sum256(tar) || !want.info.HasDiffID {
		t.Errorf("diffID is not the SHA-256 of the tar")
	}
	if want.info.Bytes != uint64(len(tar)) || want.info.EndBlocks != 2 {
		t.Errorf("info is %+v, of a tar of %d bytes", want.info, len(tar))
	}
	for at := 0; at*512 < len(tar); at++ {
		if digest := sha256.Sum256(tar[at*512 : at*512+512]); !bytes.Equal(digest[:], want.leaves[at*32:at*32+32]) {
			t.Fatalf("digest of block %d is not its SHA-256", at)
		}
	}
	for _, piece := range []int{1, 511, 64 << 10, 1 << 20} {
		got := push(t, tar, piece)
		same(t, "bootstrap", got.bootstrap, want.bootstrap)
		same(t, "tee", got.tee, want.tee)
		same(t, "leaves", got.leaves, want.leaves)
		if got.info != want.info {
			t.Errorf("pieces of %d: info is %+v, want %+v", piece, got.info, want.info)
		}
	}
}

func TestReadersOfAnyKindGiveTheSameBytes(t *testing.T) {
	noLeak(t)
	tar := baseTar(t)
	want := push(t, tar, len(tar)).bootstrap
	dir := t.TempDir()
	// The tar starts somewhere in the file.
	file := writeFile(t, filepath.Join(dir, "tar"), append(make([]byte, 77), tar...))
	plain := writeFile(t, filepath.Join(dir, "plain"), tar)

	readers := map[string]func() io.Reader{
		"file": func() io.Reader {
			must[int64](t)(file.Seek(77, io.SeekStart))
			return file
		},
		"pipe": func() io.Reader {
			r, w, err := os.Pipe()
			ok(t, err)
			t.Cleanup(func() { r.Close() })
			go func() {
				defer w.Close()
				w.Write(tar)
			}()
			return r
		},
		"memory": func() io.Reader { return struct{ io.Reader }{bytes.NewReader(tar)} },
	}
	for name, reader := range readers {
		for _, opts := range []*tarfs.LayerOptions{{TagDiffID: true}, {DiffID: true, Tag: tag(tar)}, {Tag: tag(tar)}} {
			w, err := tarfs.NewLayerWriter(t.Context(), opts)
			ok(t, err)
			n, err := w.ReadFrom(reader())
			if err != nil || n != int64(len(tar)) {
				t.Fatalf("%s: ReadFrom is %d, %v", name, n, err)
			}
			layer, err := w.Finish()
			ok(t, err)
			same(t, name, bootstrap(t, layer.Tree), want)
			layer.Close()
		}
	}
	if at, _ := file.Seek(0, io.SeekCurrent); at != int64(77+len(tar)) {
		t.Errorf("the file was read up to its end, but its offset is %d", at)
	}
	layer, err := tarfs.IndexFile(t.Context(), plain, &tarfs.LayerOptions{Tag: tag(tar)})
	ok(t, err)
	defer layer.Close()
	same(t, "IndexFile", bootstrap(t, layer.Tree), want)
	if at, _ := plain.Seek(0, io.SeekCurrent); at != 0 {
		t.Errorf("IndexFile moved the file offset to %d", at)
	}
}

// tag is the SHA-256 of a tar as hex digits.
func tag(tar []byte) string {
	return hexOf(sha256.Sum256(tar))
}

func TestTeeIntoFilesAndPipes(t *testing.T) {
	noLeak(t)
	tar := upperTar(t)
	opts := asTool()

	file := must[*os.File](t)(os.Create(filepath.Join(t.TempDir(), "tee")))
	defer file.Close()
	opts.Tee, opts.TeeOffset = file, 4096
	index(t, tar, opts).Close()
	got, err := os.ReadFile(file.Name())
	ok(t, err)
	same(t, "file", got, append(make([]byte, 4096), tar...))

	r, w, err := os.Pipe()
	ok(t, err)
	defer r.Close()
	read := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(r)
		read <- all
	}()
	opts.Tee, opts.TeeOffset = w, 0
	index(t, tar, opts).Close()
	w.Close()
	same(t, "pipe", <-read, tar)
}

func TestDeviceOffsets(t *testing.T) {
	noLeak(t)
	tar := baseTar(t)
	layer := index(t, tar, asTool())
	defer layer.Close()
	devices := must[[]tarfs.Device](t)(layer.Tree.Devices())
	if len(devices) != 1 || devices[0].Tag != tag(tar) || devices[0].Bytes != uint64(len(tar)) {
		t.Errorf("devices are %+v", devices)
	}
	inode := must[uint32](t)(layer.Tree.Lookup("usr/bin/big"))
	extents := must[[]tarfs.Extent](t)(layer.Tree.Extents(inode))
	if len(extents) != 1 || extents[0].Device != 0 || extents[0].Bytes != 300_001 {
		t.Fatalf("extents are %+v", extents)
	}
	at := extents[0].Offset
	same(t, "extent", tar[at:at+300_001], []byte(noise(1, 300_001)))
}
