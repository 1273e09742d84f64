package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// 120 layers asked for at the same time, by Go's library, of which 40 ask zstd to remember 128 MiB, and two have as
// much: the process stays small.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("long, and a race detector's memory is another")
	}
	h := newHome(t, "")
	testkit.Shell(t, h.dir, `mkdir tree; for i in {1..200}; do head -c 8000 /dev/urandom >tree/$i; done; truncate -s 150M zeros
		for i in {1..120}; do
			echo $i >tree/own
			case $i in 7 | 8) tar -c tree zeros | zstd -q --long=27 ;; *[147]) tar -c tree | zstd -q --long=27 ;; *) tar -c tree | gzip -1 ;; esac >blob
			mv blob content/blobs/sha256/$(sha256sum blob | cut -d ' ' -f 1)
		done`)
	t.Run("for containerd's snapshotter", func(t *testing.T) {
		h.t = t
		h.configure("[verity]\nlayers = 'containerd'")
		h.manyLayers(func(n int) []mount.Mount {
			dir := fmt.Sprintf("%s/snapshots/%d", h.dir, n)
			testkit.Shell(t, h.dir, fmt.Sprintf("mkdir -p %s/fs; : >%s/.erofslayer", dir, dir))
			return []mount.Mount{{Type: "bind", Source: dir + "/fs", Options: []string{"rw"}}}
		})
	})
	t.Run("for our own", func(t *testing.T) {
		h.t = t
		h.configure(fmt.Sprintf("[snapshotter]\nroot = %q", h.dir+"/kept"))
		sn := snapshotterOf(t, h.socket())
		h.manyLayers(func(n int) []mount.Mount {
			mounts, err := sn.Prepare(t.Context(), fmt.Sprint(n), "")
			if err != nil {
				t.Fatal(err)
			}
			return mounts
		})
	})
}

// manyLayers has all blobs made layers at the same time, and looks at how much memory that took.
func (h *home) manyLayers(snapshot func(n int) []mount.Mount) {
	h.t.Helper()
	const most = 256 << 20
	testkit.Shell(h.t, h.dir, `sed -i "s|^gunzip = .*|gunzip = 'go'|" config.toml`)
	p := h.start()
	d := differ(h.t, h.socket())
	blobs, err := os.ReadDir(h.dir + "/content/blobs/sha256")
	if err != nil || len(blobs) != 120 {
		h.t.Fatal(len(blobs), err)
	}
	var all sync.WaitGroup
	for n, blob := range blobs {
		desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: digest.NewDigestFromEncoded(digest.SHA256, blob.Name())}
		mounts := snapshot(n)
		all.Go(func() {
			if _, err := d.Apply(h.t.Context(), desc, mounts); err != nil {
				h.t.Error(err)
			}
		})
	}
	all.Wait()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		h.t.Fatal(err)
	}
	peak, err := strconv.Atoi(string(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)[1]))
	if err != nil || peak<<10 > most {
		h.t.Errorf("%d KiB at most, %v", peak, err)
	}
	h.t.Logf("%d layers, %d KiB at most", len(blobs), peak)
	if err := p.end(syscall.SIGTERM); err != nil {
		h.t.Error(err)
	}
}
