package snapshot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// reference is a manager that nobody kills: same layers, same bytes.
type reference struct {
	m        *snapshot.Manager
	tars     map[string][]byte // by diffID in hex
	listings map[string][]string
}

// newReference makes layers, writes their blobs for children, and prepares them.
func newReference(t *testing.T, o *orders, random *rand.Rand) *reference {
	t.Helper()
	ref := &reference{tars: map[string][]byte{}, listings: map[string][]string{}}
	r := newRegistry()
	for i := range 6 {
		tar := archive(t, directory("d"), file("d/same", fmt.Sprint(i)),
			file(fmt.Sprint("d/own", i), noise(random.Uint64(), 2000+random.IntN(150_000))),
			file(fmt.Sprint("d/.wh.own", (i+1)%6), ""))
		blob := [][]byte{tar, gzipped(t, tar), zstandard(t, tar)}[i%3]
		layer := r.add(blob, tar)
		o.Layers = append(o.Layers, layer)
		ref.tars[sum(tar)] = tar
		ok(t, os.WriteFile(filepath.Join(o.Blobs, layer.Digest), blob, 0o600))
	}
	ref.m = manager(t, diskDir(t), snapshot.Options{Fetcher: r})
	for _, layer := range o.Layers { // snapshots are named by their layers
		ok(t, prepare(t, ref.m, strings.TrimPrefix(layer.DiffID, "sha256:"), layer))
	}
	return ref
}

// itemInfo is an item's info.json.
type itemInfo struct {
	Layers      []string
	Mode, Label string
}

func readItem(dir string) (info itemInfo, err error) {
	data, err := os.ReadFile(filepath.Join(dir, "info.json"))
	if err == nil {
		err = json.Unmarshal(data, &info)
	}
	return info, err
}

// compare compares an item with the one that the reference makes of the same.
func (ref *reference) compare(t *testing.T, root, kind, key string) {
	t.Helper()
	info, err := readItem(filepath.Join(root, kind, key))
	if err != nil {
		t.Errorf("%s/%s: %v", kind, key, err)
		return
	}
	s := snapshotOf(info.Layers)
	switch kind {
	case "images":
		ok(t, ref.m.MergeLayers(t.Context(), s))
	case "disks":
		s.ID = info.Layers[0]
		_, err := ref.m.Export(t.Context(), s, tarfs.Mode(info.Mode))
		ok(t, err)
	}
	got, want := filesOf(t, filepath.Join(root, kind, key)), filesOf(t, filepath.Join(ref.m.Root(), kind, key))
	if kind == "layers" && !bytes.Equal(got["tar"], ref.tars[key]) {
		t.Errorf("layer %s is not the tar", key)
	}
	for name := range got {
		if !bytes.Equal(got[name], want[name]) {
			t.Errorf("%s/%s/%s has %d bytes, not the %d that it should", kind, key, name, len(got[name]), len(want[name]))
		}
	}
	if len(got) != len(want) || len(got) < 2 {
		t.Errorf("%s/%s has %d files, not %d", kind, key, len(got), len(want))
	}
}

// filesOf reads all files of a directory.
func filesOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	ok(t, err)
	files := map[string][]byte{}
	for _, e := range entries {
		files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name()))
		ok(t, err)
	}
	return files
}

// snapshotOf stands on layers, the lowest first.
func snapshotOf(layers []string) snapshot.Snapshot {
	parents := slices.Clone(layers)
	slices.Reverse(parents)
	return snapshot.Snapshot{ID: "s", ParentIDs: parents}
}

// listing is what a mount of layers shows: what GNU tar unpacks.
func (ref *reference) listing(t *testing.T, layers []string) []string {
	t.Helper()
	key := strings.Join(layers, ",")
	if ref.listings[key] == nil {
		var tars [][]byte
		for _, layer := range layers {
			tars = append(tars, ref.tars[layer])
		}
		ref.listings[key] = listing(t, unpacked(t, tars...))
	}
	return ref.listings[key]
}
