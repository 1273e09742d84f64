package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"golang.org/x/sys/unix"
)

// fillInodes makes files until a disk has room for no other.
func fillInodes(t testing.TB, disk string) {
	t.Helper()
	for i := 0; ; i++ {
		f, err := os.Create(filepath.Join(disk, fmt.Sprint("filling", i)))
		if err != nil {
			is(t, err, unix.ENOSPC)
			return
		}
		testkit.OK(t, f.Close())
	}
}

// To give room needs none: on a disk that is full a collection is what helps.
func TestCollectOnFullDisk(t *testing.T) {
	disk := smallDisk(t, "size=1m,nr_inodes=40")
	s := opened(t, filepath.Join(disk, "root"))
	id := ingested(t, s, tarOf(t, file{"a", "content"}))
	fillInodes(t, disk)
	collected := testkit.Must[keep.Collected](t)(s.Collect(t.Context(), referTo()))
	if _, err := s.Get(id); err == nil || collected.Items != 1 {
		t.Errorf("%+v: %v", collected, err)
	}
	testkit.OK(t, s.Close())
}

// One item that is damaged does not keep all others from being collected.
func TestCollectBesideDamaged(t *testing.T) {
	root := t.TempDir()
	s := opened(t, root)
	damaged, unused := ingested(t, s, tarOf(t, file{"a", "damaged"})), ingested(t, s, tarOf(t, file{"a", "unused"}))
	testkit.OK(t, os.Truncate(filepath.Join(root, "layers/sha256", damaged.Encoded(), keep.InfoFile), 0))
	collected := testkit.Must[keep.Collected](t)(s.Collect(t.Context(), referTo()))
	if _, err := s.Get(unused); err == nil || collected.Items != 1 {
		t.Errorf("%+v: %v", collected, err)
	}
}
