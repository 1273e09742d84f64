package tarfs_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// image merges the small image.
func image(t *testing.T) (*tarfs.Tree, []io.ReaderAt) {
	t.Helper()
	var trees []*tarfs.Tree
	var devices []io.ReaderAt
	for _, source := range sources(t, smallImage(t)...) {
		trees, devices = append(trees, source.Tree), append(devices, source.Devices...)
	}
	tree, err := tarfs.Merge(trees, nil)
	ok(t, err)
	t.Cleanup(func() { tree.Close() })
	return tree, devices
}

// readLinkFS is fs.ReadLinkFS, which came with Go 1.25.
type readLinkFS interface {
	fs.FS
	ReadLink(name string) (string, error)
	Lstat(name string) (fs.FileInfo, error)
}

var (
	_ fs.ReadDirFS  = (*tarfs.FS)(nil)
	_ fs.StatFS     = (*tarfs.FS)(nil)
	_ fs.ReadFileFS = (*tarfs.FS)(nil)
	_ readLinkFS    = (*tarfs.FS)(nil)
)

func TestFSIsAsPackageFSWantsIt(t *testing.T) {
	// A link to nothing, or to itself, is no file that can be opened, which TestFS wants of all.
	plain := archive(t,
		dirEntry("etc"), fileEntry("etc/passwd", "root"), fileEntry("etc/empty", ""),
		fileEntry("big", noise(1, 100_000)), linkEntry(tar.TypeSymlink, "link", "etc"),
		linkEntry(tar.TypeSymlink, "etc/absolute", "/big"), linkEntry(tar.TypeLink, "hard", "big"),
		fileEntry("implied/below/this", "deep"),
	)
	source := sources(t, plain)[0]
	fsys := source.Tree.FS(source.Devices...)
	expected := []string{"etc/passwd", "etc/empty", "big", "link", "etc/absolute", "hard", "implied/below/this"}
	if err := fstest.TestFS(fsys, expected...); err != nil {
		t.Error(err)
	}
	sub, err := fs.Sub(fsys, "implied")
	ok(t, err)
	if err := fstest.TestFS(sub, "below/this"); err != nil {
		t.Error(err)
	}
}

func TestFSReadsTheMergedImage(t *testing.T) {
	tree, devices := image(t)
	fsys := tree.FS(devices...)
	for name, want := range map[string]string{
		"etc/passwd":          "root:x:0:0::/:/bin/sh\n",
		"opt/passwd":          "root:x:0:0::/:/bin/sh\n",
		"bin/block":           noise(3, 512),
		"etc/absolute":        "root:x:0:0::/:/bin/sh\n",
		"etc/up":              noise(3, 512),
		"usr/bin/su-hard":     noise(2, 20_000),
		"opt/hidden/c":        "only me",
		"opt/replaced/inside": "a directory where a file was",
		"etc/empty":           "",
	} {
		got, err := fs.ReadFile(fsys, name)
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v, want %d", name, len(got), err, len(want))
		}
	}
	for name, want := range map[string]error{
		"opt/gone":          fs.ErrNotExist,
		"opt/hidden/a":      fs.ErrNotExist,
		"etc/dangling":      fs.ErrNotExist,
		"etc/round":         syscall.ELOOP,
		"etc/passwd/inside": syscall.ENOTDIR,
		"nowhere/at/all":    fs.ErrNotExist,
		"/etc":              fs.ErrInvalid,
		"etc/../etc":        fs.ErrInvalid,
		"":                  fs.ErrInvalid,
	} {
		_, err := fsys.Open(name)
		var path *fs.PathError
		if !errors.Is(err, want) || !errors.As(err, &path) || path.Path != name {
			t.Errorf("Open(%q): %v, want %v", name, err, want)
		}
	}
	if link, err := fsys.ReadLink("etc/up"); link != "../../../usr/bin/../bin/block" || err != nil {
		t.Errorf("ReadLink: %q, %v", link, err)
	}
	if _, err := fsys.ReadLink("etc"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("ReadLink of a directory: %v", err)
	}
	if _, err := fsys.ReadFile("etc"); err == nil {
		t.Error("a directory was read as a file")
	}
	if _, err := fsys.ReadDir("etc/passwd"); !errors.Is(err, syscall.ENOTDIR) {
		t.Errorf("ReadDir of a file: %v", err)
	}
}

func TestFSTellsAllThatIsKnown(t *testing.T) {
	tree, devices := image(t)
	fsys := tree.FS(devices...)
	stat := func(name string) *tarfs.Stat {
		t.Helper()
		info, err := fsys.Lstat(name)
		ok(t, err)
		return info.Sys().(*tarfs.Stat)
	}
	su := stat("usr/bin/su")
	if su.FileMode() != 0o755|fs.ModeSetuid|fs.ModeSetgid || su.GID != 42 || su.Nlink != 2 {
		t.Errorf("su is %+v", su)
	}
	if hard := stat("usr/bin/su-hard"); hard.Inode != su.Inode {
		t.Errorf("a hard link is inode %d, its target %d", hard.Inode, su.Inode)
	}
	if got := stat("etc/xattrs").Xattrs; len(got) != 4 || got[3].Name != "user.plain" || string(got[3].Value) != "value" {
		t.Errorf("xattrs are %q", got)
	}
	if got := stat("home/user/file"); got.UID != 1000 || got.GID != 70_000 || !got.ModTime.Equal(made) {
		t.Errorf("file is %+v", got)
	}
	if got := stat("dev/vda"); got.Major != 253 || got.Minor != 300 || got.FileMode().Type() != fs.ModeDevice {
		t.Errorf("device is %+v", got)
	}
	if got := stat("tmp").FileMode(); got != fs.ModeDir|fs.ModeSticky|0o777 {
		t.Errorf("tmp is %v", got)
	}
	if got := stat("srv/sparse"); got.Size != 5<<20+1 || got.Extents < 3 {
		t.Errorf("sparse file is %+v", got)
	}
}

func TestFilesSeekAndReadAt(t *testing.T) {
	tree, devices := image(t)
	file := must[fs.File](t)(tree.FS(devices...).Open("srv/sparse"))
	defer file.Close()
	path := filepath.Join(t.TempDir(), "sparse")
	sparseFile(t, path)
	want := must[[]byte](t)(os.ReadFile(path))

	seeker := file.(io.ReadSeeker)
	if end := must[int64](t)(seeker.Seek(0, io.SeekEnd)); end != int64(len(want)) {
		t.Errorf("end is %d, want %d", end, len(want))
	}
	must[int64](t)(seeker.Seek(-int64(len(want)), io.SeekCurrent))
	same(t, "read", must[[]byte](t)(io.ReadAll(seeker)), want)
	at := file.(io.ReaderAt)
	for _, from := range []int{0, 1<<20 - 1, 1 << 20, 1<<20 + 4999, 3<<20 - 7, 3<<20 + 104_999, len(want) - 10, len(want), len(want) + 1} {
		buf := make([]byte, 10_000)
		n, err := at.ReadAt(buf, int64(from))
		rest := want[min(from, len(want)):]
		if wantErr := len(rest) < len(buf); wantErr != (err == io.EOF) || err != nil && !wantErr {
			t.Errorf("ReadAt %d: %d, %v", from, n, err)
		}
		same(t, "ReadAt", buf[:n], rest[:min(len(rest), len(buf))])
	}
	for _, seek := range [][2]int64{{-1, 0}, {-1 << 40, 2}, {0, 3}} {
		if _, err := seeker.Seek(seek[0], int(seek[1])); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Seek%v: %v", seek, err)
		}
	}
	ok(t, file.Close())
	if err := file.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Close, again: %v", err)
	}
	if _, err := at.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("ReadAt after Close: %v", err)
	}
}

// A name in a tar is bytes; package fs would not have this one.
func TestNamesThatAreNotUTF8(t *testing.T) {
	name := "dir/\xff\xfe\\:"
	tar := bytes.Replace(archive(t, fileEntry("dir/XXXX", "odd")), []byte("dir/XXXX"), []byte(name), 1)
	fixChecksum(tar)
	source := sources(t, tar)[0]
	got, err := source.Tree.FS(source.Devices...).ReadFile(name)
	if err != nil || string(got) != "odd" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestImagesReadBack(t *testing.T) {
	noLeak(t)
	tree, devices := image(t)
	listing := list(t, tree.FS(devices...))
	for _, artifact := range []tarfs.Artifact{tarfs.Bootstrap, tarfs.DiskMetadataFirst, tarfs.DiskDataFirst} {
		layout, err := tarfs.Plan(tree, &tarfs.LayoutOptions{Artifact: artifact, VolumeName: "small", UUID: [16]byte{7}})
		ok(t, err)
		file := must[*os.File](t)(os.Create(filepath.Join(t.TempDir(), "image")))
		defer file.Close()
		inside := devices
		if artifact == tarfs.Bootstrap {
			ok(t, layout.WriteMetadata(t.Context(), file))
		} else {
			ok(t, layout.WriteDisk(t.Context(), devices, file))
			inside = nil
		}
		image, err := tarfs.OpenImage(file, 0)
		ok(t, err)
		info := image.Info()
		if info.VolumeName != "small" || info.UUID[0] != 7 || info.HoldsDevices == (artifact == tarfs.Bootstrap) || info.Inodes != layout.Info().Inodes {
			t.Errorf("info is %+v", info)
		}
		if got, want := image.Devices(), layout.Devices(); len(got) != len(want) || got[0].Tag != want[0].Tag || got[0].DiskOffset != want[0].DiskOffset {
			t.Errorf("devices are %+v, want %+v", got, want)
		}
		fsys, err := image.FS(inside...)
		ok(t, err)
		image.Close()
		if got := list(t, fsys); !slices.Equal(got, listing) {
			t.Errorf("artifact %d lists otherwise than the tree", artifact)
		}
		fsys.Close()
		layout.Close()
	}
	tree.Close()
}
