package tarfs

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// isCI says that an oracle that is absent is a failure, not a reason to skip.
func isCI() bool { return os.Getenv("CI") == "true" }

// without ends a test whose oracle is not there.
func without(t testing.TB, what string) {
	t.Helper()
	if isCI() {
		t.Fatalf("CI without %s", what)
	}
	t.Skipf("needs %s", what)
}

// workDir is a directory that is not on tmpfs: the kernel mounts no file of that.
func workDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "tarfs-go-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// entry is one of a test tar.
type entry struct {
	tar.Header
	body string
}

func dir(name string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755}}
}

func regular(name, body string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(body))}, body}
}

func link(kind byte, name, target string) entry {
	return entry{Header: tar.Header{Typeflag: kind, Name: name, Linkname: target, Mode: 0o777}}
}

func makeTar(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for i, e := range entries {
		h := e.Header
		h.ModTime = time.Unix(1700000000+int64(i), int64(i)*1000)
		h.Uid, h.Gid, h.Format = 10*i, 20*i, tar.FormatPAX
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// testTars are the layers of a small image, the lowest first.
func testTars(t testing.TB) [][]byte {
	caps := regular("bin/tool", strings.Repeat("tool", 3000))
	caps.PAXRecords = map[string]string{"SCHILY.xattr.user.note": "hello", "SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"}
	pipe := entry{Header: tar.Header{Typeflag: tar.TypeFifo, Name: "dev/pipe", Mode: 0o600}}
	disk := entry{Header: tar.Header{Typeflag: tar.TypeBlock, Name: "dev/disk", Mode: 0o660, Devmajor: 8, Devminor: 1}}
	return [][]byte{
		makeTar(t, dir("bin/"), caps, link(tar.TypeLink, "bin/again", "bin/tool"), dir("dev/"), pipe, disk,
			link(tar.TypeSymlink, "sh", "bin/tool"), link(tar.TypeSymlink, "abs", "/bin"), dir("gone/"),
			regular("gone/a", "a"), regular("gone/b", ""), regular("old", "old"),
			link(tar.TypeSymlink, "long", strings.Repeat("x/", 600))),
		makeTar(t, regular("new", strings.Repeat("new", 700)), regular("gone/.wh.a", ""), regular(".wh.old", ""),
			regular("bin/other", "other")),
		makeTar(t, dir("gone/"), regular("gone/.wh..wh..opq", ""), regular("gone/fresh", "fresh"), regular("last", strings.Repeat("z", 511))),
	}
}

// layersOf writes tars to files and makes layers of them.
func layersOf(t testing.TB, dir string, tars [][]byte) []Source {
	t.Helper()
	var sources []Source
	for i, data := range tars {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.tar", i)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
		sources = append(sources, sourceOf(t, f))
	}
	return sources
}

// sourceOf indexes a tar, tagged as the tool tags it.
func sourceOf(t testing.TB, f *os.File) Source {
	t.Helper()
	layer, err := IndexFile(t.Context(), f, &LayerOptions{TagDiffID: true, KeepPending: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { layer.Close() })
	source := Source{Tree: layer.Tree}
	devices, err := layer.Tree.Devices()
	if err != nil {
		t.Fatal(err)
	}
	for range devices {
		source.Devices = append(source.Devices, f)
	}
	return source
}

// modes are the six, and whether each is of a whole image.
var modes = map[Mode]bool{
	LayerBlock: false, LayerBlockWithVerity: false, LayerVerityOnly: false,
	ImageBlock: true, ImageBlockWithVerity: true, ImageVerityOnly: true,
}

// tool runs the Rust tool.
func tool(t testing.TB, args ...string) {
	t.Helper()
	name := os.Getenv("TARFS_TOOL")
	if name == "" {
		without(t, "TARFS_TOOL, the path of the tool tarfs")
	}
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("tarfs %v: %v\n%s", args, err, out)
	}
}

// canMount skips tests where the kernel or the user cannot mount EROFS.
func canMount(t testing.TB) {
	t.Helper()
	known, _ := os.ReadFile("/proc/filesystems")
	if os.Getuid() != 0 || !strings.Contains(string(known), "erofs") {
		without(t, "root and a kernel with EROFS")
	}
}

// mountImage mounts an image until the test ends.
func mountImage(t testing.TB, image string, devices ...string) string {
	t.Helper()
	canMount(t)
	target := t.TempDir()
	var err error
	if len(devices) == 0 {
		err = exec.Command("mount", "-t", "erofs", "-o", "ro,loop", image, target).Run()
	} else {
		// The files themselves: mount(8) would put a loop device before the first of them alone.
		options := "device=" + strings.Join(devices, ",device=")
		err = syscall.Mount(image, target, "erofs", syscall.MS_RDONLY, options)
	}
	if err != nil {
		t.Fatalf("mount %s: %v", image, err)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", target).CombinedOutput(); err != nil {
			t.Errorf("umount: %v\n%s", err, out)
		}
	})
	return target
}

// listing describes everything in a file system, a line each.
func listing(t testing.TB, fsys fs.FS) []string {
	t.Helper()
	var lines []string
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%s %v %d", path, info.Mode(), info.ModTime().UnixNano())
		switch {
		case info.Mode().IsRegular():
			data, err := fs.ReadFile(fsys, path)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(data)
			line += fmt.Sprintf(" %d %s", info.Size(), hex.EncodeToString(sum[:8]))
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := readLink(fsys, path)
			if err != nil {
				return err
			}
			line += " -> " + target
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func readLink(fsys fs.FS, path string) (string, error) {
	if own, ok := fsys.(interface{ ReadLink(string) (string, error) }); ok {
		return own.ReadLink(path)
	}
	return "", fmt.Errorf("%T has no ReadLink", fsys)
}

// dirFS is a directory of this machine, with links.
type dirFS struct {
	fs.FS
	root string
}

func (d dirFS) ReadLink(name string) (string, error) { return os.Readlink(filepath.Join(d.root, name)) }

func osFS(root string) fs.FS { return dirFS{os.DirFS(root), root} }

func sameLines(t testing.TB, what string, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		for i := range max(len(got), len(want)) {
			g, w := "(nothing)", "(nothing)"
			if i < len(got) {
				g = got[i]
			}
			if i < len(want) {
				w = want[i]
			}
			if g != w {
				t.Errorf("%s: %q, want %q", what, g, w)
				return
			}
		}
	}
}

func sameFiles(t testing.TB, got, want string) {
	t.Helper()
	if out, err := exec.Command("cmp", got, want).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
