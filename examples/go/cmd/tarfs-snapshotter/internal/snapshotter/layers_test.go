package snapshotter_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/opencontainers/go-digest"
)

// Two images share a layer, over another one: it is applied once, and stays until both are gone.
func TestSharedLayers(t *testing.T) {
	n := newNode(t, t.TempDir())
	base, other, app := tarOf(t, "base", "x"), tarOf(t, "other", "x"), tarOf(t, "app", "x")
	first, applied := n.pull(t, "first", base, app)
	if applied != 2 {
		t.Errorf("%d layers applied", applied)
	}
	second, applied := n.pull(t, "second", other, app)
	if applied != 1 {
		t.Errorf("%d layers applied: the app's is kept", applied)
	}
	usage := testkit.Must[snapshots.Usage](t)(n.Usage(t.Context(), second))
	if usage.Size < int64(len(app)) {
		t.Errorf("%+v for a layer of %d bytes", usage, len(app))
	}
	kept := func(want int) {
		t.Helper()
		testkit.OK(t, n.Cleanup(t.Context()))
		if got := n.entries(t, "layers/sha256"); len(got) != want {
			t.Errorf("%d layers: %q", len(got), got)
		}
	}
	kept(3)
	testkit.OK(t, n.Remove(t.Context(), first))
	kept(3)
	testkit.OK(t, n.Remove(t.Context(), second))
	kept(2)
	testkit.OK(t, n.Remove(t.Context(), filepath.Dir(first)))
	testkit.OK(t, n.Remove(t.Context(), filepath.Dir(second)))
	kept(0)
	if got := n.entries(t, "snapshots"); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
}

// A layer that is on its way is not collected: neither one that a snapshot was prepared for, nor one that is applied.
func TestCleanupWhilePulling(t *testing.T) {
	n := newNode(t, t.TempDir())
	tar := tarOf(t, "base", "x")
	mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "key", "", labels(tar)))
	testkit.OK(t, n.apply(t.Context(), mounts, tar))
	testkit.OK(t, n.Cleanup(t.Context()))
	staged := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "staged", "", labels(tar)))
	if !staged[0].ReadOnly() {
		t.Errorf("%+v", staged)
	}
	testkit.OK(t, n.Remove(t.Context(), "key"))
	testkit.OK(t, n.Cleanup(t.Context()))
	testkit.OK(t, n.Commit(t.Context(), "base", "staged"))
	testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", "base"))
}

// What was kept and is damaged is fetched again, and what stands on it works again.
func TestDamagedLayer(t *testing.T) {
	n := newNode(t, t.TempDir())
	tar := tarOf(t, "base", strings.Repeat("x", 5000))
	top, _ := n.pull(t, "first", tar)
	id := digest.FromBytes(tar)
	testkit.OK(t, os.Truncate(filepath.Join(n.root, "layers/sha256", id.Encoded(), "layer.tar"), 512))
	_, err := n.Prepare(t.Context(), "container", top)
	if err == nil || !strings.Contains(err.Error(), id.String()) || !strings.Contains(err.Error(), "512 bytes instead of") {
		t.Errorf("%v", err)
	}
	_, err = n.Stat(t.Context(), "container")
	is(t, err, errdefs.ErrNotFound) // no snapshot is left without mounts
	if _, applied := n.pull(t, "second", tar); applied != 1 {
		t.Error("the damaged layer was handed out")
	}
	testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top))
}

// What callers give and ask of mounts.
func TestTarget(t *testing.T) {
	n := newNode(t, t.TempDir())
	tar, another := tarOf(t, "base", "x"), tarOf(t, "another", "x")
	top, _ := n.pull(t, "first", tar)
	container := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "container", top))
	view := testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "view", top))
	active := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "active", ""))
	kept := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "kept", "", labels(tar)))
	bind := func(source string) []mount.Mount {
		return []mount.Mount{{Type: "bind", Source: source, Options: []string{"rw", "rbind"}}}
	}
	fs := active[0].Source
	for _, row := range []struct {
		name   string
		mounts []mount.Mount
		want   bool
	}{
		{"a container", container, true},
		{"without a parent", active, true},
		{"as containerd gives binds to differs of overlayfs", []mount.Mount{{Type: "overlay", Options: []string{"upperdir=" + fs}}}, true},
		{"a view", view, false},
		{"a layer that is kept", kept, true},
		{"none", nil, false},
		{"another directory", bind(t.TempDir()), false},
		{"of another root", bind(t.TempDir() + "/snapshots/1/fs"), false},
		{"a name that is no number", bind(n.root + "/snapshots/x/fs"), false},
		{"beside it", bind(fs + "/../work"), false},
		{"written another way", bind(fs + "/"), false},
		{"below it", bind(fs + "/fs"), false},
		{"a type that is not ours", []mount.Mount{{Type: "ext4", Source: fs}}, false},
	} {
		if id, got := n.Target(row.mounts); got != row.want || got && !strings.Contains(fmt.Sprint(row.mounts), "/snapshots/"+id+"/") {
			t.Errorf("%s: %q %v", row.name, id, got)
		}
	}

	id, _ := n.Target(kept)
	known, is1 := must2(n.Known(t.Context(), id))(t)
	known.Release()
	if !is1 || known.DiffID != digest.FromBytes(tar) || known.Size != int64(len(tar)) {
		t.Errorf("%+v %v", known, is1)
	}
	id, _ = n.Target(active)
	if known, is1 := must2(n.Known(t.Context(), id))(t); is1 {
		t.Errorf("%+v", known)
	}

	layer := testkit.Must[store.Layer](t)(n.layers.Ingest(t.Context(), "", bytes.NewReader(another)))
	defer layer.Release()
	testkit.OK(t, n.Applied(t.Context(), id, layer))
	if again := testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "active")); !again[0].ReadOnly() {
		t.Errorf("after the layer was applied: %+v", again)
	}
	is(t, n.Applied(t.Context(), "77", layer), errdefs.ErrNotFound)
	other := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "of another", "", labels(tarOf(t, "x", "y"))))
	id, _ = n.Target(other)
	is(t, n.Applied(t.Context(), id, layer), errdefs.ErrFailedPrecondition)

	// Over a parent too: what a tool applies that commits containers.
	id, _ = n.Target(container)
	testkit.OK(t, n.Applied(t.Context(), id, layer))
	testkit.OK(t, n.Commit(t.Context(), "committed", "container"))
	if got := testkit.Must[[]mount.Mount](t)(n.View(t.Context(), "of both", "committed")); len(got) != 2 || len(got[0].Options) != 4 {
		t.Errorf("%+v", got)
	}
}

// Another differ that unpacked into our directory has lost the layer's whiteouts, unless the layer is the lowest.
func TestForeignDiffer(t *testing.T) {
	n := newNode(t, t.TempDir())
	base, upper := tarOf(t, "base", "x"), tarOf(t, "upper", "x")
	unpack := func(key, parent string, tar []byte) {
		t.Helper()
		mounts := testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), key, parent, labels(tar)))
		testkit.OK(t, os.WriteFile(filepath.Join(mounts[0].Source, key), nil, 0o600))
	}
	unpack("lowest", "", base)
	testkit.OK(t, n.Commit(t.Context(), "base", "lowest", labels(base)))
	unpack("rebased", "", upper)
	unpack("above", "base", upper)
	for _, key := range []string{"rebased", "above"} {
		err := n.Commit(t.Context(), "top", key, labels(upper), snapshots.WithParent("base"))
		is(t, err, errdefs.ErrFailedPrecondition)
		if !strings.Contains(err.Error(), digest.FromBytes(upper).String()) {
			t.Errorf("the error names no layer: %v", err)
		}
	}
	// Both at once is no layer either.
	mounts := testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), "above"))
	testkit.OK(t, n.apply(t.Context(), mounts, upper))
	is(t, n.Commit(t.Context(), "top", "above", labels(upper)), errdefs.ErrFailedPrecondition)
}

// Nobody says by labels which layer a snapshot is of.
func TestPrivateLabels(t *testing.T) {
	n := newNode(t, t.TempDir())
	const name = "tarfs.private/layer"
	mine := snapshots.WithLabels(map[string]string{name: digest.FromString("x").String()})
	_, err := n.Prepare(t.Context(), "key", "", mine)
	is(t, err, errdefs.ErrInvalidArgument)
	tar := tarOf(t, "base", "x")
	top, _ := n.pull(t, "first", tar)
	testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), "key", ""))
	is(t, n.Commit(t.Context(), "committed", "key", mine), errdefs.ErrInvalidArgument)
	info := testkit.Must[snapshots.Info](t)(n.Stat(t.Context(), top))
	info.Labels[name] = "forged"
	_, err = n.Update(t.Context(), info, "labels."+name)
	is(t, err, errdefs.ErrInvalidArgument)
	for _, fields := range [][]string{nil, {"labels"}, {"labels.x"}} {
		info.Labels = map[string]string{name: "forged", "x": fmt.Sprint(fields)}
		got := testkit.Must[snapshots.Info](t)(n.Update(t.Context(), info, fields...))
		if _, seen := got.Labels[name]; seen || got.Labels["x"] != fmt.Sprint(fields) {
			t.Errorf("%v: %v", fields, got.Labels)
		}
		testkit.Must[[]mount.Mount](t)(n.View(t.Context(), fmt.Sprint(fields), top)) // the layer is known still
	}
}

// The mounts, word for word: containerd, Kata and nerdbox know them by these.
func TestMountLists(t *testing.T) {
	n := newNode(t, t.TempDir())
	base, app := tarOf(t, "base", "x"), tarOf(t, "app", "x")
	top, _ := n.pull(t, "image", base, app)
	view := func(key, parent string, opts ...snapshots.Opt) []mount.Mount {
		return testkit.Must[[]mount.Mount](t)(n.View(t.Context(), key, parent, opts...))
	}
	prepare := func(key, parent string, opts ...snapshots.Opt) []mount.Mount {
		return testkit.Must[[]mount.Mount](t)(n.Prepare(t.Context(), key, parent, opts...))
	}
	mapped := snapshots.WithLabels(map[string]string{
		snapshots.LabelSnapshotUIDMapping: "0:1:2", snapshots.LabelSnapshotGIDMapping: "0:3:4",
	})
	first := view("view", top)
	container := prepare("container", top)
	erofs := fmt.Sprintf("{erofs ROOT/images/%s/image.erofs  [ro loop device=ROOT/layers/sha256/%s/layer.tar device=ROOT/layers/sha256/%s/layer.tar]}",
		n.entries(t, "images")[0], digest.FromBytes(base).Encoded(), digest.FromBytes(app).Encoded())
	for i, row := range []struct {
		mounts []mount.Mount
		want   string
	}{
		{first, erofs + " {format/bind {{ mount 0 }}  [rbind ro]}"},
		{container, erofs + " {format/overlay overlay  [workdir=DIR/work upperdir=DIR/fs lowerdir={{ mount 0 }}]}"},
		{view("mapped view", top, mapped), erofs + " {format/bind {{ mount 0 }}  [uidmap=0:1:2 gidmap=0:3:4 rbind]}"},
		{prepare("mapped", top, mapped), erofs + " {format/overlay overlay  [uidmap=0:1:2 gidmap=0:3:4 workdir=DIR/work upperdir=DIR/fs lowerdir={{ mount 0 }}]}"},
		{prepare("alone", ""), "{bind DIR/fs  [rw rbind]}"},
		{view("empty view", ""), "{bind DIR/fs  [ro rbind]}"},
		{prepare("new layer", top, labels(tarOf(t, "new", "x"))), "{bind DIR/fs  [rw rbind]}"},
		{prepare("kept layer", top, labels(base)), "{bind DIR/fs  [ro rbind]}"},
	} {
		dir := fmt.Sprintf("%s/snapshots/%d", n.root, i+3) // after the two layers
		got := strings.Trim(fmt.Sprint(row.mounts), "[]")
		got = strings.ReplaceAll(strings.ReplaceAll(got, dir, "DIR"), n.root, "ROOT")
		if got != row.want {
			t.Errorf("%d: %s\nwant %s", i, got, row.want)
		}
	}
	// They are the same when they are asked for again.
	for key, mounts := range map[string][]mount.Mount{"view": first, "container": container} {
		if again := testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), key)); fmt.Sprint(again) != fmt.Sprint(mounts) {
			t.Errorf("%s: %v, then %v", key, mounts, again)
		}
	}
}
