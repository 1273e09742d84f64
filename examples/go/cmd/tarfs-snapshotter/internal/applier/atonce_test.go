package applier

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// Many layers at once: never more of them are made than is allowed, and each is right.
func TestAtOnce(t *testing.T) {
	d := newDesk(t)
	a := d.applier(func(o *Options) { o.Concurrent, o.Verity = 3, "containerd" })
	var busy, most atomic.Int64
	var all sync.WaitGroup
	var calls []func()
	for i := range 16 {
		data, want := d.gnuTar(fmt.Sprintf(`echo %d >a; head -c 1000000 /dev/urandom >b`, i), "")
		desc := d.blob(ocispec.MediaTypeImageLayerGzip, compressed(t, "gzip -1", data))
		dir, mounts := d.snapshot()
		first, last := true, false
		counted := func(_ ocispec.Descriptor, read int64) {
			if first {
				first = false
				most.Store(max(most.Load(), busy.Add(1)))
			}
			if read == desc.Size && !last {
				last = true
				busy.Add(-1)
			}
		}
		calls = append(calls, func() {
			if _, err := a.Apply(t.Context(), desc, mounts, diff.WithProgress(counted)); err != nil {
				t.Error(err)
			}
		})
		t.Cleanup(func() {
			if got := testkit.Tree(t, testkit.MountLayer(t, dir+"/layer.erofs")); got != want {
				t.Errorf("%s: mounted\n%sextracted\n%s", dir, got, want)
			}
			verified(t, dir, "containerd")
		})
	}
	for _, call := range calls {
		all.Go(call)
	}
	all.Wait()
	if n := most.Load(); n < 2 || n > 3 {
		t.Errorf("%d at once", n)
	}
}

// Two calls for one snapshot: the second is told so, and disturbs nothing.
func TestTwoForOne(t *testing.T) {
	d := newDesk(t)
	a := d.applier(nil)
	desc := d.blob(ocispec.MediaTypeImageLayer, tarOf(t, 1<<20))
	dir, mounts := d.snapshot()
	tried := false
	_, err := a.Apply(t.Context(), desc, mounts, diff.WithProgress(func(ocispec.Descriptor, int64) {
		if tried {
			return
		}
		tried = true
		_, err := a.Apply(t.Context(), desc, mounts)
		if !errdefs.IsUnavailable(err) || !strings.Contains(err.Error(), "another call is at work") {
			t.Error(err)
		}
	}))
	if err != nil || files(t, dir) != "layer.erofs" {
		t.Error(err, files(t, dir))
	}
	// The lock is gone, and a layer that is there is made anew.
	if _, err := a.Apply(t.Context(), desc, mounts); err != nil {
		t.Error(err)
	}
}

// Who waits for others does not wait longer than it is asked to.
func TestWaitEnds(t *testing.T) {
	d := newDesk(t)
	a := d.applier(func(o *Options) { o.Concurrent = 1 })
	desc := d.blob(ocispec.MediaTypeImageLayer, tarOf(t, 1<<20))
	_, mounts := d.snapshot()
	_, others := d.snapshot()
	ctx, cancel := context.WithCancel(t.Context())
	tried := false
	_, err := a.Apply(t.Context(), desc, mounts, diff.WithProgress(func(ocispec.Descriptor, int64) {
		if !tried {
			tried = true
			cancel()
			if _, err := a.Apply(ctx, desc, others); err == nil || !strings.Contains(err.Error(), "canceled") {
				t.Error(err)
			}
		}
	}))
	if err != nil {
		t.Error(err)
	}
}
