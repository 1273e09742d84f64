package tarfs_test

import (
	"archive/tar"
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// limited indexes entries under limits; the error's text, empty for none.
func limited(t *testing.T, options tarfs.LayerOptions, entries ...*tar.Header) string {
	t.Helper()
	var bytes bytes.Buffer
	w := tar.NewWriter(&bytes)
	for _, entry := range entries {
		if err := w.WriteHeader(entry); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarfs.NewLayerWriter(context.Background(), &options)
	if err != nil {
		t.Fatal(err)
	}
	defer layer.Close()
	if _, err = layer.Write(bytes.Bytes()); err == nil {
		var done *tarfs.Layer
		if done, err = layer.Finish(); err == nil {
			done.Close()
			return ""
		}
	}
	return err.Error()
}

// Each limit reaches the library: what is just within it is taken, what is over it refused, by the limit's name.
func TestLimitsOfLayers(t *testing.T) {
	file := func(name string) *tar.Header { return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644} }
	global := func(key string) *tar.Header {
		return &tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{key: strings.Repeat("a", 10)}}
	}
	for _, row := range []struct {
		name            string
		entries         []*tar.Header
		within, without tarfs.LayerOptions
	}{
		{"max_entries", []*tar.Header{file("a"), file("b")},
			tarfs.LayerOptions{MaxEntries: 2}, tarfs.LayerOptions{MaxEntries: 1}},
		{"max_bytes", []*tar.Header{file("a")}, // a header, and two blocks of zeros
			tarfs.LayerOptions{MaxBytes: 1536}, tarfs.LayerOptions{MaxBytes: 1535}},
		{"max_implied", []*tar.Header{file("1/2/3/4/5/6/f")}, // four come with the entry
			tarfs.LayerOptions{MaxImplied: 2}, tarfs.LayerOptions{MaxImplied: 1}},
		{"max_global_path_bytes", []*tar.Header{global("linkpath"), file("f")},
			tarfs.LayerOptions{MaxGlobalPathBytes: 10}, tarfs.LayerOptions{MaxGlobalPathBytes: 9}},
		// Its value, its name and 16 bytes.
		{"max_global_xattr_bytes", []*tar.Header{global("SCHILY.xattr.user.a"), file("f")},
			tarfs.LayerOptions{MaxGlobalXattrBytes: 32}, tarfs.LayerOptions{MaxGlobalXattrBytes: 31}},
	} {
		if text := limited(t, row.within, row.entries...); text != "" {
			t.Errorf("%s, within: %s", row.name, text)
		}
		if text := limited(t, row.without, row.entries...); !strings.Contains(text, row.name) {
			t.Errorf("%s, over it: %q", row.name, text)
		}
	}
}
