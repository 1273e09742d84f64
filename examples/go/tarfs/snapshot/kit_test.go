package snapshot_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
	"github.com/klauspost/compress/zstd"
)

// oracle skips the test if something that judges it is missing; in CI that is a failure.
func oracle(t testing.TB, there bool, what string) {
	t.Helper()
	if there {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("CI, and there is no oracle: %s", what)
	}
	t.Skipf("no oracle: %s", what)
}

// program is an oracle that is a program.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	oracle(t, err == nil, name)
	return path
}

// canMount is the oracle of most tests: the kernel.
func canMount(t testing.TB) {
	t.Helper()
	known, _ := os.ReadFile("/proc/filesystems")
	oracle(t, os.Getuid() == 0 && strings.Contains(string(known), "erofs"), "root and a kernel with EROFS")
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// diskDir is a temporary directory that is not on tmpfs.
func diskDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "tarfs-snapshot-")
	ok(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// entry is an entry of a tar, and its body.
type entry struct {
	tar.Header
	body string
}

func file(name, body string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, body}
}

func directory(name string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}}
}

func link(kind byte, name, target string) entry {
	return entry{Header: tar.Header{Typeflag: kind, Name: name, Linkname: target, Mode: 0o777}}
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i, e := range entries {
		h := e.Header
		h.Size, h.Format = int64(len(e.body)), tar.FormatPAX
		h.ModTime = time.Unix(1_700_000_000+int64(i), 123_456_789)
		ok(t, w.WriteHeader(&h))
		_, err := io.WriteString(w, e.body)
		ok(t, err)
	}
	ok(t, w.Close())
	return out.Bytes()
}

// noise is bytes that neither compress nor repeat.
func noise(seed uint64, n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(b)
	return string(b)
}

// threeLayers is a small image, the lowest layer first: files come, change and go, and the second
// layer's hard link has its target in the first.
func threeLayers(t testing.TB) [][]byte {
	suid := file("bin/su", noise(1, 70_001))
	suid.Mode, suid.Uid, suid.Gid = 0o4755, 5, 100_000
	suid.PAXRecords = map[string]string{"SCHILY.xattr.user.note": "kept"}
	return [][]byte{
		archive(t, directory("bin"), suid, link(tar.TypeLink, "bin/su2", "bin/su"), directory("etc"),
			file("etc/passwd", "root:x:0:0\n"), file("etc/gone", "gone"), directory("etc/hidden"),
			file("etc/hidden/a", "a"), link(tar.TypeSymlink, "sh", "bin/su"), file("etc/empty", "")),
		archive(t, directory("etc"), file("etc/.wh.gone", ""), directory("etc/hidden"),
			file("etc/hidden/.wh..wh..opq", ""), file("etc/hidden/b", noise(2, 1000)),
			link(tar.TypeLink, "etc/passwd2", "etc/passwd")),
		archive(t, file("top", noise(3, 5000)), file("etc/passwd", "changed\n"), file("a", "first in order")),
	}
}

func sum(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

func sha(data []byte) string { return "sha256:" + sum(data) }

func gzipped(t testing.TB, data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(data)
	ok(t, err)
	ok(t, w.Close())
	return out.Bytes()
}

func zstandard(t testing.TB, data []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	ok(t, err)
	defer w.Close()
	return w.EncodeAll(data, nil)
}

// registry is a fetcher with everything in memory.
type registry struct {
	mu    sync.Mutex
	blobs map[string][]byte
	calls map[string]int
	// serve, if there is one, serves the n-th call for a digest instead, or returns nil.
	serve func(ctx context.Context, digest string, n int) (io.ReadCloser, error)
}

func newRegistry() *registry {
	return &registry{blobs: map[string][]byte{}, calls: map[string]int{}}
}

// add takes a blob, and describes it as the layer of a tar.
func (r *registry) add(blob, tar []byte) snapshot.Layer {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blobs[sha(blob)] = blob
	return snapshot.Layer{Ref: "example.org/image:1", Digest: sha(blob), DiffID: sha(tar)}
}

func (r *registry) Fetch(ctx context.Context, _, digest string) (io.ReadCloser, error) {
	r.mu.Lock()
	r.calls[digest]++
	n, blob, serve := r.calls[digest], r.blobs[digest], r.serve
	r.mu.Unlock()
	if serve != nil {
		if rc, err := serve(ctx, digest, n); rc != nil || err != nil {
			return rc, err
		}
	}
	if blob == nil {
		return nil, fmt.Errorf("no blob %s", digest)
	}
	return io.NopCloser(bytes.NewReader(blob)), nil
}

func (r *registry) called(digest string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[digest]
}

// quick is a policy for tests that make fetches fail.
var quick = snapshot.FetchPolicy{
	Backoff: time.Millisecond, Open: 200 * time.Millisecond, Stall: 200 * time.Millisecond,
}

// manager opens a manager, which is closed, and what it mounted unmounted, when the test ends.
func manager(t testing.TB, root string, options snapshot.Options) *snapshot.Manager {
	t.Helper()
	if options.Fetch == (snapshot.FetchPolicy{}) {
		options.Fetch = quick
	}
	m, err := snapshot.NewManager(root, options)
	ok(t, err)
	t.Cleanup(func() {
		ok(t, m.Close())
		unmountAll(t, root)
	})
	return m
}

// unmountAll ends all mounts below a manager's root, whatever the manager thinks of them.
func unmountAll(t testing.TB, root string) {
	entries, _ := os.ReadDir(filepath.Join(root, "mnt"))
	for _, e := range entries {
		exec.Command("umount", filepath.Join(root, "mnt", e.Name())).Run()
	}
	if left := loopsOf(t, root); len(left) > 0 {
		t.Errorf("loop devices are left: %q", left)
		for _, path := range left {
			if out, err := exec.Command("losetup", "-j", path, "-n", "-O", "NAME").Output(); err == nil {
				exec.Command("losetup", append([]string{"-d"}, strings.Fields(string(out))...)...).Run()
			}
		}
	}
}

// loopsOf are the loop devices before files below a directory.
func loopsOf(t testing.TB, root string) (found []string) {
	t.Helper()
	// The kernel frees them a moment after the last user is gone.
	for range 50 {
		found = nil
		files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
		ok(t, err)
		for _, f := range files {
			if data, err := os.ReadFile(f); err == nil && strings.HasPrefix(string(data), root+"/") {
				found = append(found, strings.TrimSpace(string(data)))
			}
		}
		if len(found) == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return found
}

// prepared prepares layers as snapshots NAME1, NAME2 and so on, waits for all, and returns a
// snapshot that stands on them.
func prepared(t testing.TB, m *snapshot.Manager, name string, layers ...snapshot.Layer) snapshot.Snapshot {
	t.Helper()
	s := snapshot.Snapshot{ID: name}
	for i, layer := range layers {
		id := fmt.Sprintf("%s%d", name, i+1)
		ok(t, m.PrepareLayer(t.Context(), id, layer))
		s.ParentIDs = append([]string{id}, s.ParentIDs...)
	}
	for _, id := range s.ParentIDs {
		ok(t, m.WaitLayerReady(t.Context(), id))
	}
	return s
}

// image prepares the layers of tars.
func image(t testing.TB, m *snapshot.Manager, r *registry, name string, tars ...[]byte) snapshot.Snapshot {
	t.Helper()
	var layers []snapshot.Layer
	for _, tar := range tars {
		layers = append(layers, r.add(tar, tar))
	}
	return prepared(t, m, name, layers...)
}
