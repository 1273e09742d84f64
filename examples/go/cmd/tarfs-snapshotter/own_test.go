package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	snapshotsapi "github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/proxy"
	"github.com/containerd/containerd/v2/core/snapshots/testsuite"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// ownHome is a home whose daemon is a snapshotter too.
func ownHome(t *testing.T) *home {
	h := newHome(t, "")
	h.configure(fmt.Sprintf("[snapshotter]\nroot = %q", h.dir+"/kept"))
	return h
}

// snapshotterOf is containerd's own client of a snapshotter.
func snapshotterOf(t *testing.T, socket string) snapshots.Snapshotter {
	return proxy.NewSnapshotter(snapshotsapi.NewSnapshotsClient(connection(t, socket)), "tarfs")
}

// containerd's suite, over the daemon's socket. Its name has the suite leave out what overlayfs refuses, as it does
// for containerd's own snapshotters: to rename a directory of a lower layer.
func TestSuite(t *testing.T) {
	testkit.Root(t)
	testsuite.SnapshotterSuite(t, "erofs", func(ctx context.Context, root string) (snapshots.Snapshotter, func() error, error) {
		h := ownHome(t)
		h.configure(fmt.Sprintf("[snapshotter]\nroot = %q", root))
		p := h.start()
		sn := testkit.NewHandled(t, snapshotterOf(t, h.socket()), filepath.Join(root, "..", "mounted"))
		return sn, func() error {
			sn.UnmountAll(ctx)
			return p.end(syscall.SIGTERM)
		}, nil
	})
}

// image is layers of one file each, and a client that has them unpacked as containerd does: without their parents,
// which come with the commit.
type image struct {
	t      *testing.T
	socket string
	sn     snapshots.Snapshotter
	descs  []ocispec.Descriptor
	ids    []digest.Digest
}

func (h *home) image(count int) *image {
	i := &image{t: h.t, socket: h.socket(), sn: snapshotterOf(h.t, h.socket())}
	for range count {
		desc, _, _ := h.layer()
		plain := testkit.Shell(h.t, h.dir, "gzip -dc content/blobs/sha256/"+desc.Digest.Encoded())
		i.descs, i.ids = append(i.descs, desc), append(i.ids, digest.FromString(plain))
	}
	return i
}

func (i *image) prepare(key string, n int) []mount.Mount {
	i.t.Helper()
	mounts, err := i.sn.Prepare(i.t.Context(), key, "", snapshots.WithLabels(map[string]string{
		snapshots.LabelSnapshotRef: identity.ChainID(slices.Clone(i.ids[:n+1])).String(), snapshots.LabelSnapshotDiffID: i.ids[n].String(),
	}))
	if err != nil {
		i.t.Fatal(err)
	}
	return mounts
}

// pull makes the snapshots of all layers, and says how many of them were there.
func (i *image) pull(name string) (top string, there int) {
	i.t.Helper()
	for n := range i.descs {
		key := fmt.Sprint(name, " extract ", n)
		mounts := i.prepare(key, n)
		if mounts[0].ReadOnly() {
			there++
		} else if made, err := differ(i.t, i.socket).Apply(i.t.Context(), i.descs[n], mounts); err != nil || made.Digest != i.ids[n] {
			i.t.Fatal(made.Digest, i.ids[n], err)
		}
		parent := top
		top = fmt.Sprint(name, " ", n)
		if err := i.sn.Commit(i.t.Context(), top, key, snapshots.WithParent(parent)); err != nil {
			i.t.Fatal(err)
		}
	}
	return top, there
}

// Layers come by one client and are shown by the other, are shared, and survive a kill.
func TestOwn(t *testing.T) {
	testkit.Root(t)
	h := ownHome(t)
	h.configure(fmt.Sprintf("[snapshotter]\nroot = %q\n[metrics]\naddress = %q", h.dir+"/kept", "unix:"+h.dir+"/metrics"))
	p := h.start()
	i := h.image(3)
	if top, there := i.pull("one"); top != "one 2" || there != 0 {
		t.Error(top, there)
	}
	// In another order, so with other parents; no blob is read.
	testkit.Shell(t, h.dir, "rm content/blobs/sha256/*")
	i.ids[0], i.ids[1] = i.ids[1], i.ids[0]
	top, there := i.pull("other")
	if there != 3 {
		t.Errorf("%d of 3 were there", there)
	}
	text := asked(t, "unix:"+h.dir+"/metrics")
	for _, line := range []string{`tarfs_layers_total{result="ok"} 3`, "tarfs_layers_reused_total 3", `tarfs_stage_seconds_count{stage="sync"} 3`} {
		if !strings.Contains(text, line) {
			t.Errorf("no %s in %s", line, text)
		}
	}
	p.end(syscall.SIGKILL)
	h.start()
	sn := testkit.NewHandled(t, i.sn, h.dir+"/mounted")
	mounts, err := sn.View(t.Context(), "view", top)
	if err != nil {
		t.Fatal(err)
	}
	defer sn.UnmountAll(context.Background())
	// Each layer has the file, so the last one's is seen.
	if got := testkit.Shell(t, mounts[0].Source, "cat file"); got != "3\n" {
		t.Errorf("%q", got)
	}
}

// Blobs that are not what they should be leave nothing, and the same snapshot then takes the right one. containerd 2.3
// applies to snapshots whose layer is there, too: its blob needs not be read.
func TestOwnRefuses(t *testing.T) {
	testkit.Root(t)
	h := ownHome(t)
	h.start()
	i := h.image(1)
	d, mounts := differ(t, h.socket()), i.prepare("one", 0)
	path := h.dir + "/content/blobs/sha256/" + i.descs[0].Digest.Encoded()
	right, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other, _, _ := h.layer()
	for _, row := range []struct {
		name, said string
		data       []byte
	}{
		{"flipped", "blob: is not what its digest says", append(append([]byte{}, right[:len(right)-1]...), right[len(right)-1]^1)},
		{"cut", "and should have", right[:len(right)-1]},
		{"other", "is of layer", nil},
	} {
		desc := i.descs[0]
		if row.data == nil {
			desc = other
		}
		os.WriteFile(path, row.data, 0o600)
		_, err := d.Apply(t.Context(), desc, mounts)
		if err == nil || !strings.Contains(err.Error(), row.said) || !strings.Contains(err.Error(), desc.Digest.String()) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if err := i.sn.(snapshots.Cleaner).Cleanup(t.Context()); err != nil {
		t.Error(err)
	}
	if left := testkit.Shell(t, h.dir, "ls -A kept/layers/sha256"); left != "" {
		t.Error("left:", left)
	}
	os.WriteFile(path, right, 0o600)
	for _, what := range []string{"read", "there"} {
		made, err := d.Apply(t.Context(), i.descs[0], mounts)
		if err != nil || made.Digest != i.ids[0] {
			t.Error(what, made, err)
		}
		os.Remove(path)
	}
	mounts[0].Source = h.dir + "/elsewhere/1/fs"
	if _, err := d.Apply(t.Context(), i.descs[0], mounts); !errdefs.IsNotImplemented(err) {
		t.Error("another snapshotter's mounts:", err)
	}
}

// A container over a layer that was damaged is refused, by an error that the log has too.
func TestOwnDamaged(t *testing.T) {
	testkit.Root(t)
	h := ownHome(t)
	p := h.start()
	i := h.image(1)
	top, _ := i.pull("image")
	if err := os.Truncate(h.dir+"/kept/layers/sha256/"+i.ids[0].Encoded()+"/layer.tar", 1); err != nil {
		t.Fatal(err)
	}
	_, err := i.sn.Prepare(t.Context(), "container", top)
	if err == nil || !strings.Contains(err.Error(), i.ids[0].String()) || !strings.Contains(err.Error(), "damaged") {
		t.Error(err)
	}
	p.until("level=ERROR msg=\"call failed\" call=/containerd.services.snapshots.v1.Snapshots/Prepare error=")
}

// A directory that another daemon has is refused, and so is one that can't be had.
func TestOwnHeld(t *testing.T) {
	h, second := ownHome(t), newHome(t, "")
	h.start()
	for root, said := range map[string]string{h.dir + "/kept": "held by another process", h.dir + "/s/below": "not a directory"} {
		second.configure(fmt.Sprintf("[snapshotter]\nroot = %q", root))
		out, err := program("--config", second.dir+"/config.toml").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "snapshotter: ") || !strings.Contains(string(out), said) {
			t.Errorf("%s: %v: %s", root, err, errors.New(string(out)))
		}
	}
}
