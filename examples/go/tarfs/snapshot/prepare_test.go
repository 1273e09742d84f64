package snapshot_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// prepare prepares a layer and waits for it.
func prepare(t testing.TB, m *snapshot.Manager, id string, layer snapshot.Layer) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := m.PrepareLayer(ctx, id, layer); err != nil {
		return err
	}
	return m.WaitLayerReady(ctx, id)
}

// nothingLeft fails the test if there are layers, records or temporary files.
func nothingLeft(t testing.TB, root string) {
	t.Helper()
	for _, dir := range []string{"layers", "snapshots"} {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		ok(t, err)
		for _, e := range entries {
			t.Errorf("left: %s/%s", dir, e.Name())
		}
	}
}

func TestPrepareUncompresses(t *testing.T) {
	data := archive(t, file("a", noise(1, 300_000)), file("b", strings.Repeat("b", 100_000)))
	half := len(data) / 2
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0}, "skip"...)
	for name, blob := range map[string][]byte{
		"plain":            data,
		"gzip":             gzipped(t, data),
		"gzip, two parts":  append(gzipped(t, data[:half]), gzipped(t, data[half:])...),
		"zstd":             zstandard(t, data),
		"zstd, two frames": append(zstandard(t, data[:half]), zstandard(t, data[half:])...),
		"zstd, skippable":  append(skippable, zstandard(t, data)...),
	} {
		t.Run(name, func(t *testing.T) {
			r, root := newRegistry(), t.TempDir()
			m := manager(t, root, snapshot.Options{Fetcher: r})
			ok(t, prepare(t, m, "s", r.add(blob, data)))
			got, err := os.ReadFile(filepath.Join(root, "layers", sum(data), "tar"))
			ok(t, err)
			if !bytes.Equal(got, data) {
				t.Error("the layer is not the tar")
			}
		})
	}
}

func TestPrepareRefuses(t *testing.T) {
	good := archive(t, file("a", noise(1, 3000)))
	zip := gzipped(t, good)
	badSum := bytes.Clone(good)
	badSum[512*2+10] ^= 1 // in a header behind the pax header's block and body
	big := archive(t, file("zeros", strings.Repeat("\x00", 1<<20)))
	rootLink := archive(t, link(tar.TypeSymlink, ".", "elsewhere"))
	for name, row := range map[string]struct {
		blob, tar []byte
		want      error
		calls     int
	}{
		"other diffID":     {zip, archive(t), snapshot.ErrDiffID, 1},
		"cut gzip":         {zip[:len(zip)-9], good, io.ErrUnexpectedEOF, 1},
		"no gzip":          {[]byte{0x1f, 0x8b, 8, 0}, good, nil, 1},
		"bent gzip":        {append(bytes.Clone(zip[:len(zip)-8]), "12345678"...), good, nil, 1},
		"no zstd":          {[]byte{0x28, 0xb5, 0x2f, 0xfd, 0xff}, good, nil, 1},
		"no tar":           {[]byte(noise(5, 4096)), []byte(noise(5, 4096)), tarfs.ErrTar, 1},
		"cut tar":          {good[:1500], good[:1500], tarfs.ErrTar, 1},
		"bent tar":         {badSum, badSum, tarfs.ErrTar, 1},
		"path up":          {archive(t, file("../up", "")), archive(t, file("../up", "")), tarfs.ErrTree, 1},
		"file below file":  {archive(t, file("a", ""), file("a/b", "")), archive(t, file("a", ""), file("a/b", "")), tarfs.ErrTree, 1},
		"root is a link":   {rootLink, rootLink, tarfs.ErrTree, 1},
		"bomb":             {gzipped(t, big), big, snapshot.ErrTooLarge, 1},
		"large, uncomprd.": {big, big, snapshot.ErrTooLarge, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r, root := newRegistry(), t.TempDir()
			m := manager(t, root, snapshot.Options{Fetcher: r, MaxLayerBytes: 100_000})
			layer := r.add(row.blob, row.tar)
			err := prepare(t, m, "s", layer)
			if err == nil || row.want != nil && !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			if n := r.called(layer.Digest); n != row.calls {
				t.Errorf("fetched %d times: it is no better the next time", n)
			}
			nothingLeft(t, root)
		})
	}
}

// What arrives bent on the way is fetched again.
func TestPrepareBentOnTheWay(t *testing.T) {
	data := archive(t, file("a", noise(1, 300_000)))
	for name, blob := range map[string][]byte{"plain": data, "gzip": gzipped(t, data), "zstd": zstandard(t, data)} {
		t.Run(name, func(t *testing.T) {
			r, root := newRegistry(), t.TempDir()
			layer := r.add(blob, data)
			var bent atomic.Int64
			r.serve = func(_ context.Context, _ string, n int) (io.ReadCloser, error) {
				wrong := bytes.Clone(blob)
				switch {
				case int64(n) > bent.Load():
					return nil, nil
				case n == 1:
					wrong[len(wrong)/2] ^= 1
				default:
					wrong = wrong[:len(wrong)/2]
				}
				return io.NopCloser(bytes.NewReader(wrong)), nil
			}
			m := manager(t, root, snapshot.Options{Fetcher: r})
			bent.Store(3)
			if err := prepare(t, m, "s", layer); !errors.Is(err, snapshot.ErrDigest) {
				t.Errorf("bent three times: %v", err)
			}
			if n := r.called(layer.Digest); n != 3 {
				t.Errorf("fetched %d times", n)
			}
			nothingLeft(t, root)
			bent.Store(5) // two more
			ok(t, prepare(t, m, "s", layer))
		})
	}
}

func TestPrepareAgain(t *testing.T) {
	r := newRegistry()
	a, b := archive(t, file("a", "a")), archive(t, file("b", "b"))
	m := manager(t, t.TempDir(), snapshot.Options{Fetcher: r})
	layer := r.add(gzipped(t, a), a)
	ok(t, prepare(t, m, "s", layer))
	ok(t, prepare(t, m, "s", layer))
	if err := m.PrepareLayer(t.Context(), "s", r.add(b, b)); !errors.Is(err, snapshot.ErrExists) {
		t.Errorf("another layer: %v", err)
	}
	// The same layer compressed otherwise is there.
	other := r.add(zstandard(t, a), a)
	ok(t, prepare(t, m, "other", other))
	if n := r.called(other.Digest) + r.called(layer.Digest); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	for what, layer := range map[string]snapshot.Layer{
		"nothing":           {},
		"no diffID":         {Digest: layer.Digest},
		"no hex":            {Digest: "sha256:" + strings.Repeat("x", 64), DiffID: layer.DiffID},
		"upper case":        {Digest: strings.ToUpper(layer.Digest), DiffID: layer.DiffID},
		"path":              {Digest: layer.Digest, DiffID: "sha256:../../../../../../../etc/passwd"},
		"another algorithm": {Digest: "sha512:" + strings.Repeat("0", 128), DiffID: layer.DiffID},
	} {
		if err := m.PrepareLayer(t.Context(), "new", layer); !errors.Is(err, snapshot.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := m.WaitLayerReady(t.Context(), "new"); !errors.Is(err, snapshot.ErrNotFound) {
		t.Errorf("waited for what was refused: %v", err)
	}
}

func TestConcurrentPreparationsShareOneFetch(t *testing.T) {
	r, root := newRegistry(), t.TempDir()
	data := archive(t, file("a", noise(1, 1<<20)))
	layer := r.add(gzipped(t, data), data)
	begin := make(chan struct{})
	r.serve = func(context.Context, string, int) (io.ReadCloser, error) {
		<-begin
		return nil, nil
	}
	m := manager(t, root, snapshot.Options{Fetcher: r, Fetch: snapshot.FetchPolicy{Open: time.Minute}})
	const count = 20
	errs := make(chan error)
	for i := range count {
		go func() { errs <- prepare(t, m, fmt.Sprint(i), layer) }()
	}
	time.Sleep(20 * time.Millisecond)
	close(begin)
	for range count {
		ok(t, <-errs)
	}
	if n := r.called(layer.Digest); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}

// Of two snapshots of a layer, one has a reference that does not work.
func TestAnotherReferenceWorks(t *testing.T) {
	data := archive(t, file("a", "a"))
	arrived := make(chan struct{})
	fetcher := snapshot.FetcherFunc(func(_ context.Context, ref, _ string) (io.ReadCloser, error) {
		if ref == "bad" {
			close(arrived)
			time.Sleep(50 * time.Millisecond)
			return nil, errors.New("bad reference")
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	})
	policy := quick
	policy.Attempts = 1
	m := manager(t, t.TempDir(), snapshot.Options{Fetcher: fetcher, Fetch: policy})
	bad := make(chan error)
	go func() { bad <- prepare(t, m, "bad", snapshot.Layer{Ref: "bad", Digest: sha(data), DiffID: sha(data)}) }()
	<-arrived
	ok(t, prepare(t, m, "good", snapshot.Layer{Ref: "good", Digest: sha(data), DiffID: sha(data)}))
	if err := <-bad; err == nil {
		t.Error("a bad reference worked")
	}
}

func TestOnlySoManyAtATime(t *testing.T) {
	r := newRegistry()
	var now, most atomic.Int64
	r.serve = func(_ context.Context, digest string, _ int) (io.ReadCloser, error) {
		n := now.Add(1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		return &counted{Reader: bytes.NewReader(r.blobs[digest]), end: func() { now.Add(-1) }}, nil
	}
	var layers []snapshot.Layer
	for i := range 10 {
		data := archive(t, file(fmt.Sprint(i), "x"))
		layers = append(layers, r.add(data, data))
	}
	m := manager(t, t.TempDir(), snapshot.Options{Fetcher: r, MaxConcurrent: 2})
	errs := make(chan error)
	for i, layer := range layers {
		go func() { errs <- prepare(t, m, fmt.Sprint(i), layer) }()
	}
	for range layers {
		ok(t, <-errs)
	}
	if n := most.Load(); n < 1 || n > 2 {
		t.Errorf("%d at a time", n)
	}
}

// counted waits a little at its end, and tells before its reader knows.
type counted struct {
	io.Reader
	end func()
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err != nil {
		time.Sleep(10 * time.Millisecond)
		c.end()
	}
	return n, err
}

func (c *counted) Close() error { return nil }

// A hard link whose target no layer has is refused when it is known that none has it.
func TestHardLinkToNowhere(t *testing.T) {
	r := newRegistry()
	m := manager(t, t.TempDir(), snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", archive(t, file("a", "a")), archive(t, link(tar.TypeLink, "b", "nowhere")))
	err := m.MergeLayers(t.Context(), s)
	if err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("merged: %v", err)
	}
	if _, err := m.Export(t.Context(), snapshot.Snapshot{ID: "s2"}, tarfs.LayerBlock); !errors.Is(err, tarfs.ErrLayout) {
		t.Errorf("a disk of half a link: %v", err)
	}
}
