package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/faults"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// What a disk does not give is made again of what it gives; where that can't be it is an error in the log, and counted,
// and stays: its bytes are right where they can be read again.
func TestUnreadable(t *testing.T) {
	disk := faults.NewDisk(t)
	root := filepath.Join(disk.Dir, "root")
	s := opened(t, root)
	tar := tarOf(t, file{"a", strings.Repeat("a", 1000)}, file{"b", "b"})
	// Of one layer alone metadata has the bytes of the image's.
	chain := []digest.Digest{ingested(t, s, tar), ingested(t, s, tarOf(t, file{"c", "c"}))}
	layer := filepath.Join(root, "layers/sha256", chain[0].Encoded())
	tarFile, index := filepath.Join(layer, "layer.tar"), filepath.Join(layer, "layer.erofs")
	image := testkit.Must[store.Image](t)(s.Image(t.Context(), chain))
	image.Release()
	sealed := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.ImageBlockWithVerity, chain))
	read := func(path string) []byte { return testkit.Must[[]byte](t)(os.ReadFile(path)) }
	verified := func(what string, damaged int) {
		t.Helper()
		if got := testkit.Must[int](t)(s.Verify(t.Context())); got != damaged {
			t.Errorf("%s: %d items are damaged, not %d", what, got, damaged)
		}
	}

	superblock := bytes.Index(read(sealed.Path), []byte("verity\x00\x00"))
	if superblock < 0 {
		t.Fatal("a disk without a verity superblock")
	}
	for _, row := range []struct {
		path   string
		offset int
	}{{index, 0}, {image.Path, 0}, {sealed.Path, 0}, {sealed.Path, superblock}} {
		whole := read(row.path)
		disk.Spoil(t, row.path, int64(row.offset))
		verified(row.path, 0)
		if now, err := os.ReadFile(row.path); err != nil || !bytes.Equal(now, whole) {
			t.Fatalf("%s, byte %d: is not made again: %v", row.path, row.offset, err)
		}
	}

	// Nothing is there of which the image, or the layer's index, could be made.
	was := testkit.Must[os.FileInfo](t)(os.Stat(image.Path))
	wanted := map[string][]byte{image.Path: read(image.Path), index: read(index), tarFile: tar}
	var mends []func()
	for path := range wanted {
		mends = append(mends, disk.Spoil(t, path, 0))
	}
	verified("a layer and its image", 2)
	_, err := s.Get(chain[0])
	is(t, err, errdefs.ErrNotFound)
	if now, err := os.Stat(image.Path); err != nil || !os.SameFile(now, was) {
		t.Errorf("the image is gone: %v", err)
	}
	for _, mend := range mends {
		mend()
	}
	verified("mended", 0)
	for path, whole := range wanted {
		if !bytes.Equal(read(path), whole) {
			t.Errorf("%s is not what it was", path)
		}
	}
	testkit.Must[store.Layer](t)(s.Get(chain[0])).Release()

	// Who unpacks the layer again puts another in its place.
	disk.Spoil(t, tarFile, 0)
	verified("a tar", 1)
	ingested(t, s, tar)
	verified("a tar that came again", 0)
	if !bytes.Equal(read(tarFile), tar) {
		t.Error("it is another tar")
	}
}
