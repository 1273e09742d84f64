package store_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	erofs "github.com/erofs/go-erofs"
	"github.com/opencontainers/go-digest"
)

// content is every regular file of an image, as go-erofs reads it with the devices: as containerd does, to look up
// users and groups.
func content(t testing.TB, image store.Image) map[string]string {
	t.Helper()
	open := func(path string) io.ReaderAt {
		f := testkit.Must[*os.File](t)(os.Open(path))
		t.Cleanup(func() { f.Close() })
		return f
	}
	var devices []io.ReaderAt
	for _, device := range image.Devices {
		devices = append(devices, open(device))
	}
	fsys := testkit.Must[fs.FS](t)(erofs.Open(open(image.Path), erofs.WithExtraDevices(devices...)))
	all := map[string]string{}
	testkit.OK(t, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var data []byte
			data, err = fs.ReadFile(fsys, name)
			all[name] = string(data)
		}
		return err
	}))
	return all
}

func TestImage(t *testing.T) {
	s := opened(t, t.TempDir())
	lower := ingested(t, s, tarOf(t, file{"a", "lower a"}, file{"b", "lower b"}, file{"c", "lower c"}))
	upper := ingested(t, s, tarOf(t, file{".wh.a", ""}, file{"b", "upper b"}, file{"link", "->c"}))
	all := ingested(t, s, tarOf(t, file{".wh..wh..opq", ""}, file{"only", "me"}))
	for _, row := range []struct {
		chain   []digest.Digest
		devices []digest.Digest
		want    map[string]string
	}{
		{[]digest.Digest{lower}, []digest.Digest{lower}, map[string]string{"a": "lower a", "b": "lower b", "c": "lower c"}},
		{[]digest.Digest{lower, upper}, []digest.Digest{lower, upper}, map[string]string{"b": "upper b", "c": "lower c", "link": "lower c"}},
		{[]digest.Digest{upper, lower}, nil, nil}, // the link leads to nothing
		{[]digest.Digest{lower, upper, lower}, []digest.Digest{lower}, map[string]string{"a": "lower a", "b": "lower b", "c": "lower c", "link": "lower c"}},
		{[]digest.Digest{lower, all}, []digest.Digest{all}, map[string]string{"only": "me"}},
	} {
		for range 2 { // made, and found
			image, err := s.Image(t.Context(), row.chain)
			if row.want == nil {
				if err == nil {
					t.Errorf("%v: an image", row.chain)
				}
				continue
			}
			testkit.OK(t, err)
			image.Release()
			if got := content(t, image); fmt.Sprint(got) != fmt.Sprint(row.want) {
				t.Errorf("%v: %v, want %v", row.chain, got, row.want)
			}
			var tars []string
			for _, id := range row.devices {
				tars = append(tars, filepath.Join(s.Root(), "layers/sha256", id.Encoded(), "layer.tar"))
			}
			if fmt.Sprint(image.Devices) != fmt.Sprint(tars) {
				t.Errorf("devices %v, want %v", image.Devices, tars)
			}
		}
	}
	_, err := s.Image(t.Context(), []digest.Digest{lower, digest.FromString("x")})
	is(t, err, errdefs.ErrNotFound)
	if !strings.Contains(err.Error(), digest.FromString("x").String()) {
		t.Errorf("the error names no layer: %v", err)
	}
	_, err = s.Image(t.Context(), nil)
	is(t, err, errdefs.ErrInvalidArgument)
}

// Ten containers of one image start at once: it is merged once.
func TestImageAtOnce(t *testing.T) {
	s := opened(t, t.TempDir())
	var chain []digest.Digest
	for i := range 120 {
		chain = append(chain, ingested(t, s, tarOf(t, file{fmt.Sprintf("of %d", i), "x"}, file{"top", fmt.Sprint(i)})))
	}
	var all sync.WaitGroup
	made := make([]os.FileInfo, 10)
	for i := range made {
		all.Go(func() {
			image, err := s.Image(t.Context(), chain)
			if err == nil {
				defer image.Release()
				made[i], err = os.Stat(image.Path)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, one := range made {
		if !os.SameFile(one, made[0]) {
			t.Error("two images")
		}
	}
	image := testkit.Must[store.Image](t)(s.Image(t.Context(), chain))
	defer image.Release()
	got := content(t, image)
	if len(got) != 121 || got["top"] != "119" {
		t.Errorf("%d files, top %q", len(got), got["top"])
	}
}

// What somebody else cut or removed is noticed where it is used, and can be made again.
func TestDamaged(t *testing.T) {
	s := opened(t, t.TempDir())
	tar := tarOf(t, file{"a", "content"})
	chain := []digest.Digest{ingested(t, s, tar)}
	image := testkit.Must[store.Image](t)(s.Image(t.Context(), chain))
	image.Release()
	want := content(t, image)

	testkit.OK(t, os.Truncate(image.Path, 100))
	testkit.Must[store.Image](t)(s.Image(t.Context(), chain)).Release()
	if got := content(t, image); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("made again: %v", got)
	}

	layer := testkit.Must[store.Layer](t)(s.Get(chain[0]))
	layer.Release()
	for _, damage := range []func() error{
		func() error { return os.Truncate(layer.Tar, 700) },
		func() error { return os.Remove(layer.Tar) },
		func() error { return os.Remove(filepath.Join(filepath.Dir(layer.Tar), "layer.erofs")) },
		func() error {
			return os.WriteFile(filepath.Join(filepath.Dir(layer.Tar), "info.json"), []byte("{}"), 0o600)
		},
	} {
		testkit.OK(t, damage())
		_, err := s.Image(t.Context(), chain)
		is(t, err, keep.ErrDamaged)
		if !strings.Contains(err.Error(), chain[0].String()) {
			t.Errorf("the error names no layer: %v", err)
		}
		_, err = s.Get(chain[0])
		is(t, err, errdefs.ErrNotFound)
		ingested(t, s, tar)
		testkit.Must[store.Image](t)(s.Image(t.Context(), chain)).Release()
	}
	// Without a Get between, as a pull that nobody told of what is kept.
	testkit.OK(t, os.Truncate(layer.Tar, 700))
	again := testkit.Must[store.Layer](t)(s.Ingest(t.Context(), chain[0], bytes.NewReader(tar)))
	again.Release()
	if got := testkit.Must[[]byte](t)(os.ReadFile(again.Tar)); !bytes.Equal(got, tar) {
		t.Error("the damaged tar is still there")
	}
}
