package store_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// lying is metadata and hash tree of one layer that call it by the digest of another.
func lying(t *testing.T, tar []byte, id digest.Digest) *elsewhere {
	t.Helper()
	dir := t.TempDir()
	testkit.OK(t, os.WriteFile(dir+"/tar", tar, 0o600))
	file := testkit.Must[*os.File](t)(os.Open(dir + "/tar"))
	t.Cleanup(func() { testkit.OK(t, file.Close()) })
	read := testkit.Must[*tarfs.Layer](t)(tarfs.IndexFile(t.Context(), file, &tarfs.LayerOptions{Tag: id.Encoded()}))
	defer read.Close()
	testkit.OK(t, keep.WriteBootstrap(t.Context(), read.Tree, dir+"/metadata"))
	source := []tarfs.Source{{Tree: read.Tree, Devices: []io.ReaderAt{file}}}
	done := testkit.Must[[]tarfs.Exported](t)(tarfs.Export(t.Context(), tarfs.ImageVerityOnly, source, dir+"/tree", nil))
	defer done[0].Verity.Close()
	return &elsewhere{
		tars: [][]byte{tar}, chain: []digest.Digest{id}, root: "sha256:" + done[0].Verity.RootHex(), blocks: done[0].Verity.Info().DataBlocks,
		metadata: testkit.Must[[]byte](t)(os.ReadFile(dir + "/metadata")), tree: testkit.Must[[]byte](t)(os.ReadFile(dir + "/tree")),
	}
}

// What is attached may be right in itself, and over layers of other lengths than the image has: it is not used, and all is
// made of the layers that there are.
func TestAttachedToOtherLengths(t *testing.T) {
	tar := tarOf(t, file{"etc/passwd", "root"}, file{"file", strings.Repeat("a file\n", 20000)})
	for name, other := range map[string][]byte{
		"longer":  tarOf(t, file{"etc/passwd", "other"}, file{"file", strings.Repeat("a file\n", 90000)}),
		"shorter": tarOf(t, file{"etc/passwd", "other"}),
	} {
		t.Run(name, func(t *testing.T) {
			local := opened(t, t.TempDir())
			id := ingested(t, local, tar)
			want := testkit.Must[store.Image](t)(local.Image(t.Context(), []digest.Digest{id}))
			defer want.Release()
			right := testkit.Must[store.Disk](t)(local.Disk(t.Context(), tarfs.ImageBlockWithVerity, []digest.Digest{id}))

			s := opened(t, t.TempDir())
			e := lying(t, other, id)
			testkit.OK(t, s.Attach(t.Context(), e.attached()))
			layer := testkit.Must[store.Layer](t)(s.IngestPlain(t.Context(), id, bytes.NewReader(tar)))
			defer layer.Release()
			disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.ImageBlockWithVerity, e.chain))
			if disk.Root() != right.Root() {
				t.Errorf("the disk has the root hash %s, not %s", disk.Root(), right.Root())
			}
			if s.IsAttached(e.chain) {
				t.Error("what does not fit is kept")
			}
			testkit.OK(t, s.Attach(t.Context(), e.attached()))
			image := testkit.Must[store.Image](t)(s.Image(t.Context(), e.chain))
			defer image.Release()
			if !bytes.Equal(testkit.Must[[]byte](t)(os.ReadFile(image.Path)), testkit.Must[[]byte](t)(os.ReadFile(want.Path))) {
				t.Error("the image is of another layer")
			}
		})
	}
}
