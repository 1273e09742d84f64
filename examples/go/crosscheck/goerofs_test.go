package crosscheck

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	erofs "github.com/erofs/go-erofs"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// theirs lists an image as go-erofs reads it.
func theirs(t testing.TB, fsys fs.FS) listing {
	t.Helper()
	all := listing{}
	ok(t, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s := info.Sys().(*erofs.Stat)
		a := about{
			// FileInfo.Mode has bits of st_mode where package fs has others.
			mode: s.Mode, uid: s.UID, gid: s.GID, links: uint32(s.Nlink),
			modTime: time.Unix(int64(s.Mtime), int64(s.MtimeNs)).UTC(),
		}
		if len(s.Xattrs) > 0 {
			a.xattrs = s.Xattrs
		}
		switch {
		case a.mode.IsRegular():
			a.size, a.content = s.Size, sum(fs.ReadFile(fsys, name))
		case a.mode.Type() == fs.ModeSymlink:
			a.size = s.Size
			if a.target, err = fs.ReadLink(fsys, name); err != nil {
				return err
			}
		case a.mode&fs.ModeDevice != 0:
			a.major, a.minor = s.Rdev>>8&0xfff, s.Rdev&0xff|s.Rdev>>12&0xfff00
		}
		all[name] = a
		return nil
	}))
	return all
}

// form is a way to lay out an image.
type form struct {
	name string
	tarfs.LayoutOptions
	// sealed has a hash tree behind the disk.
	sealed bool
}

var forms = []form{
	{name: "bootstrap"},
	{name: "bootstrap, plain", LayoutOptions: tarfs.LayoutOptions{PlainBodies: true}},
	{name: "disk", LayoutOptions: tarfs.LayoutOptions{Artifact: tarfs.DiskMetadataFirst}},
	{name: "disk, chunk indexes", LayoutOptions: tarfs.LayoutOptions{Artifact: tarfs.DiskMetadataFirst, ChunkIndexes: true}},
	{name: "disk, as Nydus aligns", LayoutOptions: tarfs.LayoutOptions{Artifact: tarfs.DiskMetadataFirst, Align: 512 << 10}},
	{name: "disk, data first", LayoutOptions: tarfs.LayoutOptions{Artifact: tarfs.DiskDataFirst}},
	{name: "disk, data first, chunk indexes", LayoutOptions: tarfs.LayoutOptions{Artifact: tarfs.DiskDataFirst, ChunkIndexes: true}},
	{name: "disk, sealed", LayoutOptions: tarfs.LayoutOptions{Artifact: tarfs.DiskMetadataFirst}, sealed: true},
}

// laidOut makes the image, and what go-erofs must be given as extra devices: as many as the device
// table has. A disk has none.
func laidOut(t testing.TB, from image, how form) (memory, []io.ReaderAt) {
	t.Helper()
	layout := must[*tarfs.Layout](t)(tarfs.Plan(from.tree, &how.LayoutOptions))
	defer layout.Close()
	var out memory
	if how.Artifact == tarfs.Bootstrap {
		ok(t, layout.WriteMetadata(t.Context(), &out))
		return out, from.devices
	}
	ok(t, layout.WriteDisk(t.Context(), from.devices, &out))
	if how.sealed {
		params := &tarfs.VerityParams{Placement: tarfs.HashBehindData}
		ok(t, must[*tarfs.Sealed](t)(layout.HashDisk(t.Context(), from.devices, nil, params, &out)).Close())
	}
	return out, nil
}

// What go-erofs is known to make of images, where it is not what they are. The kernel reads all of
// them, as the tests of package tarfs show.
var readOtherwise = []struct{ what, why string }{
	{"content of whole files, in a bootstrap with plain bodies: zeros, without an error",
		"it looks for a plain body in the image's own file (erofs.go, loadBlock, LayoutFlatPlain), where " +
			"the kernel maps the address through the device table. The file ends before that, and " +
			"ReadFile takes the end for that of what it read. In a disk the body is there"},
	{"system.posix_acl_access and _default: have a dot behind the name",
		"it ends each prefix with a dot (xattr.go, xattrIndex.String), also those that are whole names"},
	{"compact images: refused",
		"it knows no 48-bit layout, which mtimes of small inodes are a part of"},
}

// unread is the content of a body that go-erofs has not found.
func unread(size int64) string {
	return sum(make([]byte, size), nil)
}

// aclDot is how go-erofs calls the attributes of ACLs.
var aclDot = map[string]string{
	"system.posix_acl_access":  "system.posix_acl_access.",
	"system.posix_acl_default": "system.posix_acl_default.",
}

// readsAs is what go-erofs is known to make of an image in that form.
func (f form) readsAs(t testing.TB, from image, want listing) listing {
	t.Helper()
	all := listing{}
	for name, a := range want {
		if f.PlainBodies && isPlain(t, from.tree, name, a) {
			a.content = unread(a.size)
		}
		xattrs := map[string]string{}
		for name, value := range a.xattrs {
			if dotted, there := aclDot[name]; there {
				name = dotted
			}
			xattrs[name] = value
		}
		if a.xattrs != nil {
			a.xattrs = xattrs
		}
		all[name] = a
	}
	return all
}

// isPlain says that a file lies in one piece in a device.
func isPlain(t testing.TB, tree *tarfs.Tree, name string, a about) bool {
	t.Helper()
	if !a.mode.IsRegular() || a.size == 0 {
		return false
	}
	inode := must[uint32](t)(tree.Lookup(name))
	extents := must[[]tarfs.Extent](t)(tree.Extents(inode))
	return len(extents) == 1 && extents[0].Device >= 0 && extents[0].Bytes == uint64(a.size)
}

// mounted lists an image as a mount shows it, whiteouts of a layer included.
func mounted(t testing.TB, file memory, devices []io.ReaderAt) listing {
	t.Helper()
	opened := must[*tarfs.Image](t)(tarfs.OpenImage(file, int64(len(file))))
	defer opened.Close()
	if opened.Info().HoldsDevices {
		devices = nil
	}
	fsys := must[*tarfs.FS](t)(opened.FS(devices...))
	defer fsys.Close()
	return ours(t, fsys)
}

// compare has go-erofs read an image in all forms. It says how many files it read, and how many not.
func compare(t *testing.T, from image, forms []form) {
	t.Helper()
	for _, how := range forms {
		t.Run(how.name, func(t *testing.T) {
			file, devices := laidOut(t, from, how)
			opened, err := erofs.Open(file, erofs.WithExtraDevices(devices...))
			ok(t, err)
			want := mounted(t, file, devices)
			got, read, zeros := theirs(t, opened), 0, 0
			for name, a := range got {
				switch {
				case !a.mode.IsRegular():
				case a.content != want[name].content && a.content == unread(a.size):
					zeros++
				default:
					read++
				}
			}
			for _, line := range differences(got, how.readsAs(t, from, want)) {
				t.Error(line)
			}
			t.Logf("%d names, %d files read, %d as zeros", len(got), read, zeros)
		})
	}
}

func TestGoErofsReadsLayers(t *testing.T) {
	for _, c := range tars(t) {
		l, err := indexed(t, c.data)
		if err != nil || l.hasPending(t) {
			continue // said by TestArchiveTar, and by the merge below
		}
		t.Run(c.name, func(t *testing.T) { compare(t, merged(t, l), forms) })
	}
}

func TestGoErofsReadsMergedImages(t *testing.T) {
	var layers []layer
	for _, data := range stack(t) {
		layers = append(layers, must[layer](t)(indexed(t, data)))
	}
	compare(t, merged(t, layers...), forms)
}

func TestGoErofsReadsTheRealImage(t *testing.T) {
	layers := realImage(t)
	// It reads block by block, which takes long: one disk, and the bootstrap in both forms.
	compare(t, merged(t, layers...), forms[:3])
	compare(t, merged(t, layers[3]), forms)
}

// Blocks of 4096 bytes, with copies of all bodies: of the tool, as the C API has no such disks.
func TestGoErofsReadsCopiedBodies(t *testing.T) {
	tool := os.Getenv("TARFS_TOOL")
	if tool == "" {
		without(t, "TARFS_TOOL, the path of the tool tarfs")
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "disk")
	args := []string{"export", "--mode", "image_block", "--block-size", "4096", "-o", out}
	var layers []layer
	for i, data := range stack(t) {
		layers = append(layers, must[layer](t)(indexed(t, data)))
		args = append(args, filepath.Join(dir, fmt.Sprint(i, ".tar")))
		ok(t, os.WriteFile(args[len(args)-1], data, 0o600))
	}
	if said, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	disk := memory(must[[]byte](t)(os.ReadFile(out)))
	opened, err := erofs.Open(disk)
	ok(t, err)
	how, from := forms[0], merged(t, layers...)
	file, devices := laidOut(t, from, how)
	for _, line := range differences(theirs(t, opened), how.readsAs(t, from, mounted(t, file, devices))) {
		t.Error(line)
	}
}

// What is listed above and is no matter of single files.
func TestGoErofsRefusesCompactImages(t *testing.T) {
	l := must[layer](t)(indexed(t, stack(t)[0]))
	for _, artifact := range []tarfs.Artifact{tarfs.Bootstrap, tarfs.DiskMetadataFirst} {
		how := form{LayoutOptions: tarfs.LayoutOptions{Compact: true, Artifact: artifact}}
		file, devices := laidOut(t, merged(t, l), how)
		if _, err := erofs.Open(file, erofs.WithExtraDevices(devices...)); !errors.Is(err, erofs.ErrNotImplemented) {
			t.Errorf("Open: %v: readOtherwise wants a line less", err)
		}
	}
	for _, line := range readOtherwise {
		t.Logf("%s: %s", line.what, line.why)
	}
}
