package store_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

func is(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%v, not %v", err, want)
	}
}

// opened opens a store, which ends with the test.
func opened(t testing.TB, root string) *store.Store {
	t.Helper()
	s := testkit.Must[*store.Store](t)(store.Open(root, store.Options{}))
	t.Cleanup(func() { testkit.OK(t, s.Close()) })
	return s
}

// file is a file of a tar. One whose content begins with "->" is a hard link.
type file struct{ name, content string }

// tarOf makes a tar of files.
func tarOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content)), Format: tar.FormatPAX}
		if target, link := bytes.CutPrefix([]byte(f.content), []byte("->")); link {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, string(target), 0
		}
		testkit.OK(t, w.WriteHeader(h))
		if h.Size > 0 {
			testkit.Must[int](t)(w.Write([]byte(f.content)))
		}
	}
	testkit.OK(t, w.Close())
	return out.Bytes()
}

// ingested keeps a tar, and lets go of it.
func ingested(t testing.TB, s *store.Store, tar []byte) digest.Digest {
	t.Helper()
	layer := testkit.Must[store.Layer](t)(s.Ingest(t.Context(), digest.FromBytes(tar), bytes.NewReader(tar)))
	layer.Release()
	return layer.DiffID
}

// names are all below a directory.
func names(t testing.TB, root string) (all []string) {
	t.Helper()
	testkit.OK(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if path != root {
			name, _ := filepath.Rel(root, path)
			all = append(all, name)
		}
		return err
	}))
	return all
}

// smallDisk mounts a tmpfs with so many bytes.
func smallDisk(t testing.TB, options string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("needs root, for a tmpfs")
	}
	dir := t.TempDir()
	testkit.OK(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,"+options))
	t.Cleanup(func() { testkit.OK(t, unix.Unmount(dir, 0)) })
	return dir
}
