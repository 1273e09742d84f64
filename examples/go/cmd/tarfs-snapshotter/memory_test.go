package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
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
	const layers, most = 120, 256 << 20
	h := newHome(t, "")
	h.configure("[verity]\nlayers = 'containerd'")
	testkit.Shell(t, h.dir, `sed -i "s|^gunzip = .*|gunzip = 'go'|" config.toml
		mkdir tree; for i in {1..200}; do head -c 8000 /dev/urandom >tree/$i; done; truncate -s 150M zeros
		for i in {1..120}; do
			echo $i >tree/own
			case $i in 7 | 8) tar -c tree zeros | zstd -q --long=27 ;; *[147]) tar -c tree | zstd -q --long=27 ;; *) tar -c tree | gzip -1 ;; esac >blob-$i
		done`)
	p := h.start()
	d := differ(t, h.socket())
	var all sync.WaitGroup
	for i := 1; i <= layers; i++ {
		data, err := os.ReadFile(fmt.Sprintf("%s/blob-%d", h.dir, i))
		if err != nil {
			t.Fatal(err)
		}
		desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: digest.FromBytes(data), Size: int64(len(data))}
		dir := fmt.Sprintf("%s/snapshots/%d", h.dir, i)
		testkit.Shell(t, h.dir, fmt.Sprintf("mv blob-%d content/blobs/sha256/%s; mkdir -p %s/fs; : >%s/.erofslayer", i, desc.Digest.Encoded(), dir, dir))
		all.Go(func() {
			if _, err := d.Apply(t.Context(), desc, []mount.Mount{{Type: "bind", Source: dir + "/fs", Options: []string{"rw"}}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	peak, err := strconv.Atoi(string(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)[1]))
	if err != nil || peak<<10 > most {
		t.Errorf("%d KiB at most, %v", peak, err)
	}
	t.Logf("%d layers, %d KiB at most", layers, peak)
}
