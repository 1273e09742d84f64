package store_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// flip flips a bit in the middle of a file.
func flip(t testing.TB, path string) {
	t.Helper()
	data := testkit.Must[[]byte](t)(os.ReadFile(path))
	data[len(data)/2] ^= 4
	testkit.OK(t, os.WriteFile(path, data, 0o600))
}

// A flipped bit in metadata is found where it is used, and by a scrub; in a tar by a scrub.
func TestFlipped(t *testing.T) {
	root := t.TempDir()
	s := opened(t, root)
	tar := tarOf(t, file{"a", strings.Repeat("a", 1000)}, file{"b", "b"})
	chain := []digest.Digest{ingested(t, s, tar)}
	layer := filepath.Join(root, "layers/sha256", chain[0].Encoded())
	image := testkit.Must[store.Image](t)(s.Image(t.Context(), chain))
	image.Release()
	whole := testkit.Must[[]byte](t)(os.ReadFile(image.Path))
	index := testkit.Must[[]byte](t)(os.ReadFile(filepath.Join(layer, "layer.erofs")))

	same := func(path string, want []byte) {
		t.Helper()
		if got := testkit.Must[[]byte](t)(os.ReadFile(path)); string(got) != string(want) {
			t.Errorf("%s is not what it was", path)
		}
	}
	verified := func(damaged int) {
		t.Helper()
		if got := testkit.Must[int](t)(s.Verify(t.Context())); got != damaged {
			t.Errorf("%d items are damaged, not %d", got, damaged)
		}
	}
	flip(t, image.Path)
	testkit.Must[store.Image](t)(s.Image(t.Context(), chain)).Release()
	same(image.Path, whole)
	verified(0)

	flip(t, image.Path)
	flip(t, filepath.Join(layer, "layer.erofs"))
	testkit.Must[store.Image](t)(s.Image(t.Context(), chain)).Release()
	same(image.Path, whole)
	same(filepath.Join(layer, "layer.erofs"), index)

	flip(t, filepath.Join(layer, "layer.erofs"))
	verified(0)
	same(filepath.Join(layer, "layer.erofs"), index)
	flip(t, filepath.Join(layer, "layer.tar"))
	verified(1)
}

// A flipped bit in a disk with a hash tree, in its data or in the tree, is found by a scrub, and the disk is made again;
// of other disks nothing is known but the length.
func TestFlippedDisk(t *testing.T) {
	root := t.TempDir()
	s := opened(t, root)
	chain := []digest.Digest{ingested(t, s, tarOf(t, file{"a", strings.Repeat("a", 1000)}, file{"b", "b"}))}
	verified := func(damaged int) {
		t.Helper()
		if got := testkit.Must[int](t)(s.Verify(t.Context())); got != damaged {
			t.Errorf("%d items are damaged, not %d", got, damaged)
		}
	}
	for mode, isFound := range map[tarfs.Mode]bool{
		tarfs.ImageBlockWithVerity: true, tarfs.LayerBlockWithVerity: true, tarfs.ImageBlock: false,
	} {
		disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), mode, chain))
		whole, was := testkit.Must[[]byte](t)(os.ReadFile(disk.Path)), testkit.Must[os.FileInfo](t)(os.Stat(disk.Path))
		verified(0)
		if !os.SameFile(was, testkit.Must[os.FileInfo](t)(os.Stat(disk.Path))) {
			t.Errorf("%s: a whole disk is made again", mode)
		}
		for _, at := range []int{600, len(whole) / 2, len(whole) - 4096} {
			broken := bytes.Clone(whole)
			broken[at] ^= 4
			testkit.OK(t, os.WriteFile(disk.Path, broken, 0o600))
			verified(0)
			now := testkit.Must[[]byte](t)(os.ReadFile(disk.Path))
			if bytes.Equal(now, whole) != isFound {
				t.Errorf("%s: byte %d: found: %v", mode, at, !isFound)
			}
		}
		testkit.OK(t, os.WriteFile(disk.Path, whole, 0o600))
	}

	// Of a damaged tar comes another disk: it is not made.
	disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.ImageBlockWithVerity, chain))
	flip(t, disk.Path)
	broken := testkit.Must[[]byte](t)(os.ReadFile(disk.Path))
	flip(t, filepath.Join(root, "layers/sha256", chain[0].Encoded(), "layer.tar"))
	verified(2)
	if now := testkit.Must[[]byte](t)(os.ReadFile(disk.Path)); !bytes.Equal(now, broken) {
		t.Error("a disk is made of a damaged tar")
	}
}

// A tar that a scrub has found damaged is not handed out any more, and is replaced by who unpacks that layer again.
// Whoever stands on it goes on.
func TestDamagedTarIsReplaced(t *testing.T) {
	root := t.TempDir()
	s := opened(t, root)
	tar := tarOf(t, file{"a", strings.Repeat("a", 1000)})
	key := ingested(t, s, tar)
	path := filepath.Join(root, "layers/sha256", key.Encoded(), "layer.tar")
	flip(t, path)
	if got := testkit.Must[int](t)(s.Verify(t.Context())); got != 1 {
		t.Fatalf("%d items are damaged", got)
	}
	_, err := s.Get(key)
	is(t, err, errdefs.ErrNotFound)
	testkit.Must[store.Image](t)(s.Image(t.Context(), []digest.Digest{key})).Release()
	ingested(t, s, tar)
	if got := testkit.Must[[]byte](t)(os.ReadFile(path)); string(got) != string(tar) {
		t.Error("it is damaged still")
	}
	testkit.Must[store.Layer](t)(s.Get(key)).Release()
	if got := testkit.Must[int](t)(s.Verify(t.Context())); got != 0 {
		t.Errorf("%d items are damaged", got)
	}
}

// Metadata whose sum says something else, as that of another version of the library would, is damaged; the tar has its
// digest, so the layer is right all the same. Many who find it so at once do not harm each other.
func TestOtherMetadata(t *testing.T) {
	root := t.TempDir()
	s := opened(t, root)
	key := ingested(t, s, tarOf(t, file{"a", strings.Repeat("a", 1000)}))
	other := ingested(t, s, tarOf(t, file{"b", "b"}))
	info := filepath.Join(root, "layers/sha256", key.Encoded(), "info.json")
	text := string(testkit.Must[[]byte](t)(os.ReadFile(info)))
	sum := testkit.Must[string](t)(keep.SumOf(filepath.Join(root, "layers/sha256", key.Encoded(), "layer.erofs")))
	if !strings.Contains(text, sum) {
		t.Fatalf("no sum in %s", text)
	}
	testkit.OK(t, os.WriteFile(info, []byte(strings.Replace(text, sum, strings.Repeat("0", 64), 1)), 0o600))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			chain := []digest.Digest{key, other}[:1+i%2]
			image, err := s.Image(t.Context(), chain)
			if err != nil {
				t.Error(err)
				return
			}
			image.Release()
		})
	}
	all.Wait()
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

func TestScrubInterval(t *testing.T) {
	root, log := t.TempDir(), &lines{}
	options := store.Options{ScrubInterval: time.Millisecond, Log: slog.New(slog.NewTextHandler(log, nil))}
	s := testkit.Must[*store.Store](t)(store.Open(root, options))
	key := ingested(t, s, tarOf(t, file{"a", strings.Repeat("a", 1000)}))
	flip(t, filepath.Join(root, "layers/sha256", key.Encoded(), "layer.tar"))
	for late := time.Now().Add(30 * time.Second); !log.has("damaged=1"); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("nothing was verified")
		}
	}
	testkit.OK(t, s.Close()) // ends it
}
