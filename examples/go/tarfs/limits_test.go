package tarfs_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// edges is a tar that has of each limit a number that is known, as tests/kit/limits.rs has it: a global target and
// attribute, a file with an attribute, a sparse file of 64 MiB, and a file 20 directories deep.
func edges(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	const size = 64 << 20
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{
			"linkpath": "0123456789", "SCHILY.xattr.user.a": "0123456789"}},
		{Typeflag: tar.TypeReg, Name: "a-long-name/f", Mode: 0o644, PAXRecords: map[string]string{
			"SCHILY.xattr.user.b": "value"}},
		// The writer has no sparse files: the one of a header of our own follows.
		nil,
		{Typeflag: tar.TypeReg, Name: "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/f", Mode: 0o644},
	} {
		if h == nil {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			out.Write(sparse(t, size))
			continue
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sparse is a sparse file of pax version 0.1 with two runs of a byte, which Go reads and does not write: a header of
// type x that is written as a file's.
func sparse(t *testing.T, size int64) []byte {
	t.Helper()
	record := func(key, value string) string {
		n := len(key) + len(value) + 3
		n += len(fmt.Sprint(n + 2))
		return fmt.Sprintf("%d %s=%s\n", n, key, value)
	}
	body := record("GNU.sparse.size", fmt.Sprint(size)) +
		record("GNU.sparse.map", fmt.Sprintf("512,1,%d,1,%d,0", size-1024, size))
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range []struct{ name, body string }{{"pax", body}, {"s", "xy"}} {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.body)), Mode: 0o644, Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	made := out.Bytes()
	made[156] = tar.TypeXHeader
	copy(made[148:], "        ")
	sum := 0
	for _, b := range made[:512] {
		sum += int(b)
	}
	copy(made[148:], fmt.Sprintf("%06o\x00 ", sum))
	return made
}

// under takes a tar on its whole way to a layout, under limits; its bytes of metadata, and the first error.
func under(t *testing.T, data []byte, limits tarfs.Limits) (int64, error) {
	t.Helper()
	w, err := tarfs.NewLayerWriter(context.Background(), &tarfs.LayerOptions{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.Write(data); err != nil {
		return 0, err
	}
	layer, err := w.Finish()
	if err != nil {
		return 0, err
	}
	defer layer.Close()
	merged, err := tarfs.Merge([]*tarfs.Tree{layer.Tree}, &tarfs.MergeOptions{Limits: limits})
	if err != nil {
		return 0, err
	}
	defer merged.Close()
	layout, err := tarfs.Plan(merged, &tarfs.LayoutOptions{Limits: limits})
	if err != nil {
		return 0, err
	}
	defer layout.Close()
	return int64(layout.Info().MetadataBytes), nil
}

// Each limit reaches the library: what is as much as it is taken, what is one more refused, by its name and value.
func TestEachLimitHoldsAtItsEdge(t *testing.T) {
	data := edges(t)
	metadata, err := under(t, data, tarfs.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		set  func(*tarfs.Limits, uint64)
		most uint64
		is   error
	}{
		"max_bytes":      {func(l *tarfs.Limits, n uint64) { l.MaxBytes = n }, uint64(len(data)), tarfs.ErrTar},
		"max_entries":    {func(l *tarfs.Limits, n uint64) { l.MaxEntries = n }, 3, tarfs.ErrTree},
		"max_inodes":     {func(l *tarfs.Limits, n uint64) { l.MaxInodes = n }, 1 + 2 + 1 + 21, tarfs.ErrTree},
		"max_implied":    {func(l *tarfs.Limits, n uint64) { l.MaxImplied = n }, 21 - 3*4, tarfs.ErrTree},
		"max_depth":      {func(l *tarfs.Limits, n uint64) { l.MaxDepth = n }, 21, tarfs.ErrTree},
		"max_path_bytes": {func(l *tarfs.Limits, n uint64) { l.MaxPathBytes = n }, 52, tarfs.ErrTar},
		"max_name_bytes": {func(l *tarfs.Limits, n uint64) { l.MaxNameBytes = n }, 11, tarfs.ErrTree},
		// The length of the sparse file, and its map.
		"max_extension_bytes":   {func(l *tarfs.Limits, n uint64) { l.MaxExtensionBytes = n }, 28 + 46, tarfs.ErrTar},
		"max_xattr_bytes":       {func(l *tarfs.Limits, n uint64) { l.MaxXattrBytes = n }, 2*6 + 10 + 5, tarfs.ErrTar},
		"max_global_path_bytes": {func(l *tarfs.Limits, n uint64) { l.MaxGlobalPathBytes = n }, 10, tarfs.ErrTar},
		// Its value, its name and 16 bytes.
		"max_global_xattr_bytes": {func(l *tarfs.Limits, n uint64) { l.MaxGlobalXattrBytes = n }, 32, tarfs.ErrTar},
		"max_sparse_segments":    {func(l *tarfs.Limits, n uint64) { l.MaxSparseSegments = n }, 3, tarfs.ErrTar},
		// Two sets of attributes, with 8 bytes for the lengths of each, and a block for each byte of the sparse file.
		"max_carried": {func(l *tarfs.Limits, n uint64) { l.MaxCarried = n }, (8 + 16 + 8 + 11) + (8 + 16) + 2*512, tarfs.ErrTree},
		// 8 bytes for each block of the sparse file; nothing of it is in the tar, so there is no device to count.
		"max_table_bytes":    {func(l *tarfs.Limits, n uint64) { l.MaxTableBytes = n }, 64 << 20 / 512 * 8, tarfs.ErrLayout},
		"max_metadata_bytes": {func(l *tarfs.Limits, n uint64) { l.MaxMetadataBytes = n }, uint64(metadata), tarfs.ErrLayout},
	} {
		at := func(n uint64) error {
			var l tarfs.Limits
			row.set(&l, n)
			_, err := under(t, data, l)
			return err
		}
		if err := at(row.most); err != nil {
			t.Errorf("%s, as much as it: %v", name, err)
		}
		if err := at(math.MaxUint64); err != nil {
			t.Errorf("%s, none: %v", name, err)
		}
		err := at(row.most - 1)
		says := fmt.Sprintf("are over the limit %s of %d", name, row.most-1)
		if !errors.Is(err, row.is) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s, over it: %v", name, err)
		}
	}
}

// The defaults are what holds where nothing is set, and no more.
func TestDefaultLimits(t *testing.T) {
	l := tarfs.DefaultLimits()
	if l.MaxBytes != math.MaxUint64 || l.MaxRatio != 200 || l.MaxNameBytes != 255 || l.MaxJSONBytes != 4<<20 {
		t.Errorf("%+v", l)
	}
	if _, err := under(t, edges(t), l); err != nil {
		t.Error(err)
	}
}

// An image that somebody else made may cost no more than a layer.
func TestImagesHaveLimits(t *testing.T) {
	w, err := tarfs.NewLayerWriter(t.Context(), nil)
	ok(t, err)
	defer w.Close()
	_, err = w.Write(edges(t))
	ok(t, err)
	layer, err := w.Finish()
	ok(t, err)
	defer layer.Close()
	layout, err := tarfs.Plan(layer.Tree, nil)
	ok(t, err)
	defer layout.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "image"))
	ok(t, err)
	defer file.Close()
	ok(t, layout.WriteMetadata(t.Context(), file))
	image, err := tarfs.OpenImage(file, 0)
	ok(t, err)
	defer image.Close()
	for name, at := range map[string]func(less uint64) tarfs.Limits{
		"max_inodes": func(less uint64) tarfs.Limits { return tarfs.Limits{MaxInodes: 1 + 2 + 1 + 21 - less} },
		"max_depth":  func(less uint64) tarfs.Limits { return tarfs.Limits{MaxDepth: 21 - less} },
	} {
		tree, err := image.Tree(&tarfs.ImageOptions{Limits: at(0)})
		ok(t, err)
		tree.Close()
		_, err = image.Tree(&tarfs.ImageOptions{Limits: at(1)})
		if !errors.Is(err, tarfs.ErrRead) || !strings.Contains(err.Error(), "are over the limit "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
