package snapshot_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/faults"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
	"golang.org/x/sys/unix"
)

// What a disk does not give is named, and stays: its bytes are right where they can be read again. Until then a layer is
// fetched where it is prepared, and an image merged where it is mounted.
func TestVerifyUnreadable(t *testing.T) {
	disk := faults.NewDisk(t)
	root := filepath.Join(disk.Dir, "root")
	tars, r := threeLayers(t), newRegistry()
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	ok(t, m.MergeLayers(t.Context(), s))
	alone := archive(t, file("alone", noise(4, 9000)))
	layer := r.add(alone, alone)
	prepared(t, m, "alone", layer)
	ok(t, m.DetachLayer("alone1")) // nobody uses it
	verified := func(what string, lost ...string) {
		t.Helper()
		done, err := m.Verify(t.Context())
		ok(t, err)
		if done.Layers != len(tars)+1 || done.Images != 1 || len(done.Lost) != len(lost) {
			t.Fatalf("%s: %+v, where %q are lost", what, done, lost)
		}
		for i, loss := range done.Lost {
			if loss.Path != lost[i] || !errors.Is(loss.Err, snapshot.ErrDamaged) || !errors.Is(loss.Err, unix.EIO) {
				t.Errorf("%s: %+v, where %s is lost", what, loss, lost[i])
			}
		}
	}
	whole := func(path string, want []byte) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what it was: %v", path, err)
		}
	}
	merged := only(t, root, "images/*/bootstrap")
	bootstrap, err := os.ReadFile(merged)
	ok(t, err)

	disk.Spoil(t, filepath.Join(root, "layers", sum(tars[0]), "bootstrap"), 0)
	verified("metadata of a layer is made again")
	for path, want := range map[string][]byte{
		filepath.Join("layers", sum(alone), "tar"):   alone,
		filepath.Join("layers", sum(tars[2]), "tar"): tars[2],
		strings.TrimPrefix(merged, root+"/"):         bootstrap,
	} {
		mend := disk.Spoil(t, filepath.Join(root, path), 0)
		verified(path, filepath.Dir(path))
		mend()
		verified(path + ", mended")
		whole(filepath.Join(root, path), want)
	}
	if got := r.called(layer.Digest); got != 1 {
		t.Errorf("%d fetches of a layer that is there", got)
	}

	// Whoever prepares it gets another, also where somebody uses it.
	for _, tar := range [][]byte{alone, tars[2]} {
		path := filepath.Join(root, "layers", sum(tar), "tar")
		disk.Spoil(t, path, 0)
		verified("a tar", "layers/"+sum(tar))
		prepared(t, m, "again"+sum(tar)[:8], r.add(tar, tar))
		whole(path, tar)
		verified("a tar that came again")
		if got := r.called(sha(tar)); got != 2 {
			t.Errorf("%d fetches", got)
		}
	}
}

// An item that can't be looked at keeps no other from being read: its description is a directory.
func TestVerifyGoesOn(t *testing.T) {
	tars, r, root := threeLayers(t), newRegistry(), diskDir(t)
	m := manager(t, root, snapshot.Options{Fetcher: r})
	s := image(t, m, r, "s", tars...)
	ok(t, m.MergeLayers(t.Context(), s))
	for _, tar := range tars {
		info := filepath.Join(root, "layers", sum(tar), "info.json")
		ok(t, os.Rename(info, info+".away"))
		ok(t, os.Mkdir(info, 0o700))
	}
	rot(t, only(t, root, "images/*/bootstrap"))
	done, err := m.Verify(t.Context())
	if !errors.Is(err, unix.EISDIR) || done.Layers != len(tars) || done.Images != 1 || len(done.Lost) != 1 {
		t.Errorf("%+v: %v", done, err)
	}
	for _, tar := range tars {
		if !strings.Contains(err.Error(), "layers/"+sum(tar)) {
			t.Errorf("nothing is said of layer %s: %v", sum(tar), err)
		}
		if _, err := os.Lstat(filepath.Join(root, "layers", sum(tar), "tar")); err != nil {
			t.Error(err)
		}
	}
}
