package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// What a scrub finds by lengths alone, and in the sidecar, is made again as a flipped bit is; also of a disk without a hash
// tree.
func TestScrubMakesDisksAgain(t *testing.T) {
	root := t.TempDir()
	s := opened(t, root)
	chain := []digest.Digest{ingested(t, s, tarOf(t, file{"a", strings.Repeat("a", 1000)}))}
	elsewhere := filepath.Join(root, "elsewhere")
	testkit.OK(t, os.WriteFile(elsewhere, bytes.Repeat([]byte("x"), 100_000), 0o600))
	damages := map[string]func(path string) error{
		"cut short":   func(path string) error { return os.Truncate(path, 4096) },
		"empty":       func(path string) error { return os.Truncate(path, 0) },
		"longer":      func(path string) error { return os.Truncate(path, 1<<20) },
		"not there":   os.Remove,
		"a link":      func(path string) error { testkit.OK(t, os.Remove(path)); return os.Symlink(elsewhere, path) },
		"a directory": func(path string) error { testkit.OK(t, os.Remove(path)); return os.Mkdir(path, 0o700) },
	}
	for _, mode := range []tarfs.Mode{tarfs.ImageBlockWithVerity, tarfs.ImageBlock} {
		disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), mode, chain))
		for _, path := range []string{disk.Path, disk.Sidecar} {
			if path == "" {
				continue
			}
			whole := testkit.Must[[]byte](t)(os.ReadFile(path))
			for name, damage := range damages {
				testkit.OK(t, damage(path))
				if damaged := testkit.Must[int](t)(s.Verify(t.Context())); damaged != 0 {
					t.Errorf("%s, %s %s: %d items stay damaged", mode, filepath.Base(path), name, damaged)
				}
				now, err := os.ReadFile(path)
				if err != nil || !bytes.Equal(now, whole) {
					t.Fatalf("%s, %s %s: is not made again: %v", mode, filepath.Base(path), name, err)
				}
			}
		}
	}
	if got := testkit.Must[[]byte](t)(os.ReadFile(elsewhere)); !bytes.Equal(got, bytes.Repeat([]byte("x"), 100_000)) {
		t.Error("what a link leads to was written to")
	}
}

// A damaged disk that can't be made again stays: most of it can be read, and containers are started on it.
func TestScrubOnFullDisk(t *testing.T) {
	small := smallDisk(t, "size=8m")
	root := filepath.Join(small, "root")
	s := opened(t, root)
	chain := []digest.Digest{ingested(t, s, tarOf(t, file{"a", strings.Repeat("a", 1<<20)}))}
	disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.ImageBlockWithVerity, chain))
	whole := testkit.Must[[]byte](t)(os.ReadFile(disk.Path))
	flip(t, disk.Path)
	broken := testkit.Must[[]byte](t)(os.ReadFile(disk.Path))
	// A container reads it: its bytes are not free when it has no name any more.
	reader := testkit.Must[*os.File](t)(os.Open(disk.Path))
	defer reader.Close()
	filling := filepath.Join(small, "filling")
	if err := os.WriteFile(filling, make([]byte, 8<<20), 0o600); err == nil {
		t.Fatal("there is room still")
	}
	if damaged := testkit.Must[int](t)(s.Verify(t.Context())); damaged != 1 {
		t.Errorf("%d items stay damaged", damaged)
	}
	if now, err := os.ReadFile(disk.Path); err != nil || !bytes.Equal(now, broken) {
		t.Fatalf("the damaged disk is gone: %v", err)
	}
	testkit.OK(t, os.Remove(filling))
	if damaged := testkit.Must[int](t)(s.Verify(t.Context())); damaged != 0 {
		t.Errorf("%d items stay damaged", damaged)
	}
	if now := testkit.Must[[]byte](t)(os.ReadFile(disk.Path)); !bytes.Equal(now, whole) {
		t.Error("it is not made again")
	}
	for _, name := range names(t, root) {
		if strings.Contains(name, "tmp") || strings.Contains(name, ".new") {
			t.Errorf("%s is left", name)
		}
	}
}
