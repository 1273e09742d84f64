package tarfs_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// plainTar is a tar with a file of noise and one of zeros.
func plainTar(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	noise := make([]byte, 1_500_000)
	for i, random := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
		noise[i] = byte(random.Uint32())
	}
	for name, body := range map[string][]byte{"noise": noise, "zeros": make([]byte, 3_000_000)} {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(body)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// gzipped and zstdCompressed are made by Go's encoders.
func gzipped(t *testing.T, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstdCompressed(t *testing.T, plain []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(plain, nil)
}

// written makes a layer of a stream in pieces.
func written(t *testing.T, options tarfs.LayerOptions, stream []byte, piece int) (*tarfs.Layer, error) {
	t.Helper()
	w, err := tarfs.NewLayerWriter(context.Background(), &options)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for len(stream) > 0 {
		n := min(piece, len(stream))
		if _, err := w.Write(stream[:n]); err != nil {
			return nil, err
		}
		stream = stream[n:]
	}
	return w.Finish()
}

// A compressed layer is the layer of the tar in it, and Tee has that tar.
func TestCompressedLayers(t *testing.T) {
	plain := plainTar(t)
	half := len(plain) / 2
	for _, row := range []struct {
		name        string
		compression tarfs.Compression
		stream      []byte
	}{
		{"plain", tarfs.CompressionNone, plain},
		{"plain, told", tarfs.CompressionAuto, plain},
		{"gzip", tarfs.CompressionGzip, gzipped(t, plain)},
		{"gzip, told", tarfs.CompressionAuto, gzipped(t, plain)},
		{"two members", tarfs.CompressionAuto, append(gzipped(t, plain[:half]), gzipped(t, plain[half:])...)},
		{"zstd", tarfs.CompressionZstd, zstdCompressed(t, plain)},
		{"two frames", tarfs.CompressionAuto, append(zstdCompressed(t, plain[:half]), zstdCompressed(t, plain[half:])...)},
	} {
		for _, piece := range []int{1_000, 1 << 20, len(row.stream)} {
			file, err := os.Create(filepath.Join(t.TempDir(), "tar"))
			if err != nil {
				t.Fatal(err)
			}
			options := tarfs.LayerOptions{Compression: row.compression, DiffID: true, Tee: file}
			layer, err := written(t, options, row.stream, piece)
			if err != nil {
				t.Fatalf("%s in pieces of %d: %v", row.name, piece, err)
			}
			if layer.Info.DiffID != sha256.Sum256(plain) || layer.Info.Bytes != uint64(len(plain)) || layer.Info.Entries != 2 {
				t.Errorf("%s in pieces of %d: %+v", row.name, piece, layer.Info)
			}
			if got, err := os.ReadFile(file.Name()); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s in pieces of %d: the tee has other bytes (%v)", row.name, piece, err)
			}
			layer.Close()
			file.Close()
		}
	}
}

// What is wrong with a stream is told with the place in the compressed bytes.
func TestBrokenCompressedLayers(t *testing.T) {
	plain := plainTar(t)
	for _, row := range []struct {
		compression tarfs.Compression
		stream      []byte
	}{{tarfs.CompressionGzip, gzipped(t, plain)}, {tarfs.CompressionZstd, zstdCompressed(t, plain)}} {
		options := tarfs.LayerOptions{Compression: row.compression}
		cut := len(row.stream) * 2 / 3
		changed := bytes.Clone(row.stream)
		changed[len(changed)-1] ^= 1 // of the length, or of the checksum
		behind := append(bytes.Clone(row.stream), "\x00rest"...)
		for name, bad := range map[string]struct {
			stream []byte
			offset int64
		}{
			"cut":     {row.stream[:cut], int64(cut)},
			"behind":  {behind, int64(len(row.stream))},
			"changed": {changed, -1},
			"plain":   {plain, 0},
		} {
			_, err := written(t, options, bad.stream, 70_000)
			var failed *tarfs.Error
			if !errors.Is(err, tarfs.ErrCompressed) || !errors.As(err, &failed) {
				t.Errorf("%s: %v", name, err)
			} else if bad.offset >= 0 && failed.Offset != bad.offset {
				t.Errorf("%s: at %d, not %d: %v", name, failed.Offset, bad.offset, err)
			}
		}
	}
	if _, err := tarfs.NewLayerWriter(context.Background(), &tarfs.LayerOptions{Compression: 99}); !errors.Is(err, tarfs.ErrInvalidArgument) {
		t.Errorf("an unknown compression: %v", err)
	}
}

// The ratio counts from 256 MiB on.
func TestRatioOfCompressedLayers(t *testing.T) {
	zeros := gzipped(t, make([]byte, 300<<20))
	for ratio, refused := range map[uint64]bool{0: true, 100_000: false} {
		_, err := written(t, tarfs.LayerOptions{Compression: tarfs.CompressionGzip, Limits: tarfs.Limits{MaxRatio: ratio}}, zeros, 1<<20)
		if errors.Is(err, tarfs.ErrCompressed) != refused {
			t.Errorf("ratio %d: %v", ratio, err)
		}
	}
}
