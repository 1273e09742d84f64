package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/metrics"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
	dto "github.com/prometheus/client_model/go"
)

// elsewhere is an image as another node has made it of its layers.
type elsewhere struct {
	tars           [][]byte
	chain          []digest.Digest
	metadata, tree []byte
	disk           []byte
	root           string
	blocks         uint64
}

func madeElsewhere(t *testing.T) *elsewhere {
	t.Helper()
	e := &elsewhere{tars: [][]byte{
		tarOf(t, file{"etc/passwd", "root"}, file{"etc/gone", "x"}, file{"file", strings.Repeat("a file\n", 20000)}),
		tarOf(t, file{"etc/.wh.gone", ""}, file{"app", strings.Repeat("app\n", 30000)}),
	}}
	s := opened(t, t.TempDir())
	for _, tar := range e.tars {
		e.chain = append(e.chain, ingested(t, s, tar))
	}
	image := testkit.Must[store.Image](t)(s.Image(t.Context(), e.chain))
	defer image.Release()
	disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.ImageVerityOnly, e.chain))
	whole := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.ImageBlockWithVerity, e.chain))
	e.disk = testkit.Must[[]byte](t)(os.ReadFile(whole.Path))
	e.metadata = testkit.Must[[]byte](t)(os.ReadFile(image.Path))
	e.tree = testkit.Must[[]byte](t)(os.ReadFile(disk.Path))
	e.root = disk.Root()
	testkit.Must[int](t)(fmt.Sscanf(disk.Label, "%d,", &e.blocks))
	return e
}

// attached is it as a registry has it.
func (e *elsewhere) attached() store.Attached {
	return store.Attached{Layers: e.chain, Root: digest.Digest(e.root), DataBlocks: e.blocks,
		Fetch: func(_ context.Context, metadata, tree io.Writer) error {
			_, err := metadata.Write(e.metadata)
			_, failed := tree.Write(e.tree)
			return errors.Join(err, failed)
		}}
}

// counted is what metrics have counted.
func counted(t *testing.T, m *metrics.Metrics) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for _, family := range testkit.Must[[]*dto.MetricFamily](t)(m.Registry.Gather()) {
		for _, metric := range family.Metric {
			name := family.GetName()
			for _, label := range metric.Label {
				name += " " + label.GetValue()
			}
			all[name] = int64(metric.GetCounter().GetValue())
		}
	}
	return all
}

// With what came with its image, a layer is neither indexed nor hashed block by block; image, disk and root hash are
// those that a node makes itself, and veritysetup verifies the disk.
func TestAttached(t *testing.T) {
	e := madeElsewhere(t)
	m, root := metrics.New(), t.TempDir()
	s := testkit.Must[*store.Store](t)(store.Open(root, store.Options{Metrics: m}))
	t.Cleanup(func() { testkit.OK(t, s.Close()) })
	testkit.OK(t, s.Attach(t.Context(), e.attached()))
	if !s.IsAttached(e.chain) || s.IsAttached(e.chain[:1]) {
		t.Error("attached to another image than it is")
	}
	ofMetadata := counted(t, m)["tarfs_hashed_bytes_total disk"]
	var tars int64
	for i, tar := range e.tars {
		layer := testkit.Must[store.Layer](t)(s.IngestPlain(t.Context(), e.chain[i], bytes.NewReader(tar)))
		defer layer.Release()
		tars += int64(len(tar))
	}
	image := testkit.Must[store.Image](t)(s.Image(t.Context(), e.chain))
	defer image.Release()
	if !bytes.Equal(testkit.Must[[]byte](t)(os.ReadFile(image.Path)), e.metadata) {
		t.Error("another image")
	}
	for _, mode := range []tarfs.Mode{tarfs.ImageVerityOnly, tarfs.ImageBlockWithVerity} {
		if disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), mode, e.chain)); disk.Root() != e.root {
			t.Errorf("%s: root %s, not %s", mode, disk.Root(), e.root)
		}
	}
	disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.ImageBlockWithVerity, e.chain))
	if said, err := veritysetup(disk, e); err != nil {
		t.Errorf("%v: %s", err, said)
	}
	if !bytes.Equal(testkit.Must[[]byte](t)(os.ReadFile(disk.Path)), e.disk) {
		t.Error("the disk has other bytes than one that is made of the layers")
	}

	count := counted(t, m)
	// What is no tar is the disk's metadata: it is hashed when it comes, and in each of two disks.
	metadata := int64(e.blocks)*512 - tars
	if ofMetadata != metadata || count["tarfs_hashed_bytes_total disk"] != 3*metadata {
		t.Errorf("hashed %v of disks, and %d is metadata", count, metadata)
	}
	if count["tarfs_indexed_bytes_total"] != 0 || count["tarfs_hashed_bytes_total tar"] != tars {
		t.Errorf("indexed and hashed: %v, of %d bytes of tars", count, tars)
	}
}

func veritysetup(disk store.Disk, e *elsewhere) (string, error) {
	parts := strings.Split(disk.Label, ",")
	command := exec.Command("veritysetup", "verify", "--no-superblock", "--format=1", "-s", "-", "--hash=sha256",
		"--data-block-size=512", "--hash-block-size=4096", "--data-blocks="+parts[0], "--hash-offset="+parts[1],
		disk.Path, disk.Path, strings.TrimPrefix(e.root, "sha256:"))
	said, err := command.CombinedOutput()
	return string(said), err
}

// A byte that changes anywhere, or another root hash, is refused, and nothing stays.
func TestAttachedChanged(t *testing.T) {
	right := madeElsewhere(t)
	root := t.TempDir()
	s := opened(t, root)
	refused := func(name string, e elsewhere) {
		t.Helper()
		err := s.Attach(t.Context(), e.attached())
		is(t, err, store.ErrAttached)
		if s.IsAttached(e.chain) || len(testkit.Must[[]os.DirEntry](t)(os.ReadDir(filepath.Join(root, "attached")))) > 0 {
			t.Fatalf("%s: something stays", name)
		}
	}
	flipped := func(data []byte, at int) []byte {
		data = bytes.Clone(data)
		data[at] ^= 0x10
		return data
	}
	step := 61
	if testing.Short() {
		step = 997
	}
	for at := 0; at < len(right.metadata); at += step {
		e := *right
		e.metadata = flipped(right.metadata, at)
		refused(fmt.Sprint("metadata at ", at), e)
	}
	for at := 0; at < len(right.tree); at += step {
		e := *right
		e.tree = flipped(right.tree, at)
		refused(fmt.Sprint("tree at ", at), e)
	}
	for name, change := range map[string]func(e *elsewhere){
		"root":       func(e *elsewhere) { e.root = "sha256:" + strings.Repeat("0", 64) },
		"no root":    func(e *elsewhere) { e.root = "" },
		"blocks":     func(e *elsewhere) { e.blocks++ },
		"all blocks": func(e *elsewhere) { e.blocks = 1 << 40 },
		"short tree": func(e *elsewhere) { e.tree = e.tree[:len(e.tree)-4096] },
		"long tree":  func(e *elsewhere) { e.tree = append(bytes.Clone(e.tree), 0) },
		"metadata":   func(e *elsewhere) { e.metadata = nil },
		"longer":     func(e *elsewhere) { e.metadata = append(bytes.Clone(e.metadata), make([]byte, 4096)...) },
		"layers":     func(e *elsewhere) { e.chain = e.chain[:1] },
	} {
		e := *right
		change(&e)
		refused(name, e)
	}
	testkit.OK(t, s.Attach(t.Context(), right.attached()))
}

// What comes with an image is held to the limits of what is made here.
func TestAttachedOverALimit(t *testing.T) {
	e := madeElsewhere(t)
	for name, limits := range map[string]tarfs.Limits{
		"max_inodes":         {MaxInodes: 4},
		"max_depth":          {MaxDepth: 1},
		"max_metadata_bytes": {MaxMetadataBytes: 2048},
		"max_layer_entries":  {MaxEntries: 1},
	} {
		s := testkit.Must[*store.Store](t)(store.Open(t.TempDir(), store.Options{Limits: limits}))
		err := s.Attach(t.Context(), e.attached())
		is(t, err, store.ErrAttached)
		if err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		testkit.OK(t, s.Close())
	}
	// Nothing is in the way at the edge, nor where there is no limit.
	for _, limits := range []tarfs.Limits{{MaxInodes: 5, MaxDepth: 2, MaxEntries: 3}, {MaxEntries: 1 << 63}} {
		s := testkit.Must[*store.Store](t)(store.Open(t.TempDir(), store.Options{Limits: limits}))
		testkit.OK(t, s.Attach(t.Context(), e.attached()))
		testkit.OK(t, s.Close())
	}
}

// What is not hashed is not noticed here: it is dm-verity that does not show it.
func TestAttachedTarOfOtherBytes(t *testing.T) {
	e := madeElsewhere(t)
	s := opened(t, t.TempDir())
	testkit.OK(t, s.Attach(t.Context(), e.attached()))
	for i, tar := range e.tars {
		_, err := s.IngestPlain(t.Context(), e.chain[i], bytes.NewReader(tar[:len(tar)-512]))
		is(t, err, store.ErrDiffID) // but as it comes it is
		layer := testkit.Must[store.Layer](t)(s.IngestPlain(t.Context(), e.chain[i], bytes.NewReader(tar)))
		defer layer.Release()
		if i == 0 {
			f := testkit.Must[*os.File](t)(os.OpenFile(layer.Tar, os.O_WRONLY, 0))
			testkit.Must[int](t)(f.WriteAt([]byte("A"), 3*512+10240))
			testkit.OK(t, f.Close())
		}
	}
	disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.ImageBlockWithVerity, e.chain))
	if disk.Root() != e.root {
		t.Errorf("root %s: a tar's blocks were hashed", disk.Root())
	}
	if said, err := veritysetup(disk, e); err == nil || !strings.Contains(said, "Verification failed") {
		t.Errorf("%v: %s", err, said)
	}
}

// It stays while its layers are on their way, and goes when they do. Layers that came with it serve other images.
func TestAttachedGoes(t *testing.T) {
	e := madeElsewhere(t)
	root := t.TempDir()
	s := opened(t, root)
	testkit.OK(t, s.Attach(t.Context(), e.attached()))
	collect := func(ids ...digest.Digest) {
		t.Helper()
		_, err := s.Collect(t.Context(), func(context.Context) ([]digest.Digest, error) { return ids, nil })
		testkit.OK(t, err)
	}
	release := testkit.Must[func()](t)(s.Hold(e.chain[1]))
	collect()
	if !s.IsAttached(e.chain) {
		t.Fatal("it went before its layers came")
	}
	release()
	collect()
	if s.IsAttached(e.chain) {
		t.Fatal("it stays, and nobody makes its layers")
	}
	testkit.OK(t, s.Attach(t.Context(), e.attached()))
	collect(e.chain[0])
	if !s.IsAttached(e.chain) {
		t.Fatal("it went before all its layers came")
	}
	for i, tar := range e.tars {
		layer := testkit.Must[store.Layer](t)(s.IngestPlain(t.Context(), e.chain[i], bytes.NewReader(tar)))
		layer.Release()
	}
	// Alone the upper one has no metadata, and is indexed again.
	image := testkit.Must[store.Image](t)(s.Image(t.Context(), e.chain[1:]))
	image.Release()
	collect(e.chain...)
	if !s.IsAttached(e.chain) {
		t.Error("it went before its layers")
	}
	testkit.OK(t, s.Close())
	s = testkit.Must[*store.Store](t)(store.Open(root, store.Options{}))
	t.Cleanup(func() { testkit.OK(t, s.Close()) })
	if !s.IsAttached(e.chain) {
		t.Error("it went with the process")
	}
	// A bit that was flipped since is noticed, and all made here; what comes again takes its place.
	kept := testkit.Must[[]string](t)(filepath.Glob(root + "/attached/*/image.verity"))[0]
	data := testkit.Must[[]byte](t)(os.ReadFile(kept))
	data[99] ^= 1
	testkit.OK(t, os.WriteFile(kept, data, 0o600))
	image = testkit.Must[store.Image](t)(s.Image(t.Context(), e.chain))
	image.Release()
	if !bytes.Equal(testkit.Must[[]byte](t)(os.ReadFile(image.Path)), e.metadata) || s.IsAttached(e.chain) {
		t.Error("another image, or damaged and used")
	}
	if disk := testkit.Must[store.Disk](t)(s.Disk(t.Context(), tarfs.ImageVerityOnly, e.chain)); disk.Root() != e.root {
		t.Errorf("root %s", disk.Root())
	}
	testkit.OK(t, s.Attach(t.Context(), e.attached()))
	if !s.IsAttached(e.chain) {
		t.Error("it is damaged")
	}
	collect(e.chain...) // its layers have come
	collect(e.chain[0])
	if s.IsAttached(e.chain) {
		t.Error("it stays without its layers")
	}
	if _, err := s.Get(e.chain[1]); !errdefs.IsNotFound(err) {
		t.Error(err)
	}
}
