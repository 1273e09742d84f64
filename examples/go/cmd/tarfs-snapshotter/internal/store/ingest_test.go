package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

func TestIngest(t *testing.T) {
	root := t.TempDir()
	s := opened(t, root)
	tar := tarOf(t, file{"a", "content"}, file{"b", "->a"})
	want := digest.FromBytes(tar)
	_, err := s.Get(want)
	is(t, err, errdefs.ErrNotFound)

	for _, asked := range []digest.Digest{"", want} {
		layer := testkit.Must[store.Layer](t)(s.Ingest(t.Context(), asked, iotest.OneByteReader(bytes.NewReader(tar))))
		layer.Release()
		if layer.DiffID != want || layer.Size != int64(len(tar)) {
			t.Errorf("%+v, want %s of %d bytes", layer, want, len(tar))
		}
	}
	layer := testkit.Must[store.Layer](t)(s.Get(want))
	defer layer.Release()
	if got := testkit.Must[[]byte](t)(os.ReadFile(layer.Tar)); !bytes.Equal(got, tar) {
		t.Error("the tar that is kept is another one")
	}
	if dir := filepath.Join(root, "layers/sha256", want.Encoded()); filepath.Dir(layer.Tar) != dir {
		t.Errorf("%s is not in %s", layer.Tar, dir)
	}
}

// What is kept is the business of root alone.
func TestModes(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	defer unix.Umask(unix.Umask(0))
	s := opened(t, root)
	id := ingested(t, s, tarOf(t, file{"a", "content"}))
	image := testkit.Must[store.Image](t)(s.Image(t.Context(), []digest.Digest{id}))
	image.Release()
	seen := 0
	testkit.OK(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info := testkit.Must[fs.FileInfo](t)(d.Info())
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = fs.ModeDir | 0o700
		}
		if info.Mode() != want {
			t.Errorf("%s: %v, want %v", path, info.Mode(), want)
		}
		seen++
		return nil
	}))
	if seen != 14 {
		t.Errorf("%d files and directories: %q", seen, names(t, root))
	}
}

func TestIngestFails(t *testing.T) {
	root := t.TempDir()
	s := opened(t, root)
	tar := tarOf(t, file{"a", strings.Repeat("content", 1000)})
	want := digest.FromBytes(tar)
	reset := errors.New("connection reset")
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(reset)
	before := names(t, root)
	for _, row := range []struct {
		name string
		ctx  context.Context
		want digest.Digest
		tar  io.Reader
		err  error
		text string
	}{
		{"another layer's diffID", t.Context(), digest.FromString("x"), bytes.NewReader(tar), store.ErrDiffID, want.String()},
		{"a stream that breaks", t.Context(), want, io.MultiReader(bytes.NewReader(tar[:2000]), iotest.ErrReader(reset)), reset, want.String()},
		{"a tar that was cut", t.Context(), want, bytes.NewReader(tar[:2000]), tarfs.ErrTar, want.String()},
		{"not a tar", t.Context(), want, strings.NewReader(strings.Repeat("x", 4096)), tarfs.ErrTar, want.String()},
		{"cancelled", cancelled, want, bytes.NewReader(tar), reset, want.String()},
		{"a diffID of another algorithm", t.Context(), digest.Digest("sha512:" + strings.Repeat("0", 128)), bytes.NewReader(tar), nil, "sha512:"},
		{"no diffID", t.Context(), "x/../y", bytes.NewReader(tar), digest.ErrDigestInvalidFormat, "x/../y"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := s.Ingest(row.ctx, row.want, row.tar)
			if err == nil || row.err != nil && !errors.Is(err, row.err) || !strings.Contains(err.Error(), row.text) {
				t.Errorf("%v", err)
			}
			if after := names(t, root); len(after) != len(before) {
				t.Errorf("left behind: %q", after)
			}
		})
	}
	ingested(t, s, tar) // the next one works
}

func TestFullDisk(t *testing.T) {
	root := smallDisk(t, "size=1m")
	s := opened(t, root)
	before := names(t, root)
	tar := tarOf(t, file{"a", strings.Repeat("content", 300000)})
	_, err := s.Ingest(t.Context(), "", bytes.NewReader(tar))
	is(t, err, unix.ENOSPC)
	if after := names(t, root); len(after) != len(before) {
		t.Errorf("left behind: %q", after)
	}
	ingested(t, s, tarOf(t, file{"a", "content"})) // a smaller one fits
}

// The last file of a layer does not fit: no inode is left for it.
func TestFullDiskOfInodes(t *testing.T) {
	tar := tarOf(t, file{"a", "content"})
	failed := 0
	for inodes := 5; ; inodes++ {
		root := smallDisk(t, fmt.Sprintf("size=1m,nr_inodes=%d", inodes))
		s, err := store.Open(root, store.Options{})
		if err != nil {
			is(t, err, unix.ENOSPC)
			continue
		}
		before := names(t, root)
		layer, err := s.Ingest(t.Context(), "", bytes.NewReader(tar))
		layer.Release()
		testkit.OK(t, s.Close())
		if err == nil {
			break
		}
		is(t, err, unix.ENOSPC)
		failed++
		if after := names(t, root); len(after) != len(before) {
			t.Errorf("%d inodes: left behind: %q", inodes, after)
		}
	}
	if failed < 4 {
		t.Errorf("failed %d times: a layer is a directory and three files", failed)
	}
}

// Many ingest the same layers at the same time.
func TestIngestAtOnce(t *testing.T) {
	root := t.TempDir()
	s := opened(t, root)
	tars := [][]byte{tarOf(t, file{"a", "one"}), tarOf(t, file{"a", "two"})}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			tar := tars[i%2]
			layer, err := s.Ingest(t.Context(), digest.FromBytes(tar), bytes.NewReader(tar))
			if err != nil {
				t.Error(err)
				return
			}
			defer layer.Release()
			if got, err := os.ReadFile(layer.Tar); err != nil || !bytes.Equal(got, tar) {
				t.Errorf("%s: %v", layer.DiffID, err)
			}
		})
	}
	all.Wait()
	if got := testkit.Must[[]fs.DirEntry](t)(os.ReadDir(filepath.Join(root, "layers/sha256"))); len(got) != 2 {
		t.Errorf("%v", got)
	}
}

// What a process left that was killed is removed, what it kept is there, and only one has the directory.
func TestOpen(t *testing.T) {
	root := t.TempDir()
	first := testkit.Must[*store.Store](t)(store.Open(root, store.Options{}))
	id := ingested(t, first, tarOf(t, file{"a", "content"}))
	_, err := store.Open(root, store.Options{})
	is(t, err, keep.ErrLocked)
	testkit.OK(t, first.Close())
	testkit.OK(t, first.Close())
	_, err = first.Get(id)
	is(t, err, store.ErrClosed)

	for _, dir := range []string{"layers/sha256/.tmp-1", "images/.tmp-2"} {
		testkit.OK(t, os.Mkdir(filepath.Join(root, dir), 0o700))
		testkit.OK(t, os.WriteFile(filepath.Join(root, dir, "layer.tar"), []byte("half"), 0o600))
	}
	second := opened(t, root)
	testkit.Must[store.Layer](t)(second.Get(id)).Release()
	for _, name := range names(t, root) {
		if strings.Contains(name, keep.TempPrefix) {
			t.Errorf("%s is still there", name)
		}
	}
	for _, bad := range []string{"a,b", "a:b", `a\b`, "a{{b", strings.Repeat("long/", 40)} {
		if _, err := store.Open(filepath.Join(root, bad), store.Options{}); err == nil {
			t.Errorf("%s: was opened", bad)
		}
	}
}
