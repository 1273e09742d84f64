package applier

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// A blob that is not in the directory is asked of the service, and checked as well.
func TestContentService(t *testing.T) {
	d := newDesk(t)
	store, err := local.NewStore(testkit.Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	data, want := d.gnuTar(`echo a >a; head -c 3000000 /dev/urandom >b`, "")
	zipped := compressed(t, "gzip -1", data)
	desc := descriptor(ocispec.MediaTypeImageLayerGzip, zipped)
	if err := content.WriteBlob(t.Context(), store, "ref", bytes.NewReader(zipped), desc); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{"", d.root + "/content"} {
		dir, mounts := d.snapshot()
		a := d.applier(func(o *Options) { o.ContentRoot, o.Content = root, store })
		if _, err := a.Apply(t.Context(), desc, mounts); err != nil {
			t.Fatal(err)
		}
		if got := testkit.Tree(t, testkit.MountLayer(t, dir+"/layer.erofs")); got != want {
			t.Errorf("mounted\n%sextracted\n%s", got, want)
		}
	}
	a := d.applier(func(o *Options) { o.ContentRoot, o.Content = "", other{store, desc} })
	for _, row := range []struct {
		desc ocispec.Descriptor
		said string
	}{
		{descriptor(ocispec.MediaTypeImageLayerGzip, []byte("x")), "content service"},
		{descriptor(ocispec.MediaTypeImageLayerGzip, append(zipped, 0)), "should have"},
		{descriptor(ocispec.MediaTypeImageLayerGzip, append([]byte{0}, zipped[1:]...)), "not what its digest says"},
	} {
		dir, mounts := d.snapshot()
		_, err := a.Apply(t.Context(), row.desc, mounts)
		if err == nil || !strings.Contains(err.Error(), row.said) || files(t, dir) != "" {
			t.Errorf("%v, not %s; left %q", err, row.said, files(t, dir))
		}
	}
}

// other answers with one blob for all that are long enough to be meant.
type other struct {
	content.Provider
	desc ocispec.Descriptor
}

func (o other) ReaderAt(ctx context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	if desc.Size > 1 {
		desc = o.desc
	}
	return o.Provider.ReaderAt(ctx, desc)
}
