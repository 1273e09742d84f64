package uppertar

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// overlay is a mounted overlayfs, on a tmpfs of its own.
type overlay struct {
	lower, upper, merged string
}

// newOverlay mounts one over what the script, in the shell, makes in its lower directory. It gives more options
// to overlayfs.
func newOverlay(t *testing.T, lower string, options ...string) *overlay {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("needs root, for overlayfs")
	}
	// Names of tests may have a comma, which overlayfs's options may not.
	dir, err := os.MkdirTemp("", "uppertar")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	mount(t, dir, "tmpfs", "")
	o := &overlay{dir + "/lower", dir + "/upper", dir + "/merged"}
	for _, d := range []string{o.lower, o.upper, o.merged, dir + "/work"} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	shell(t, o.lower, lower)
	options = append(options, "lowerdir="+o.lower, "upperdir="+o.upper, "workdir="+dir+"/work")
	mount(t, o.merged, "overlay", strings.Join(options, ","))
	return o
}

func mount(t *testing.T, dir, kind, options string) {
	t.Helper()
	if err := unix.Mount(kind, dir, kind, 0, options); err != nil {
		t.Fatalf("mount %s %s: %v", kind, options, err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error("umount", dir, err)
		}
	})
}

// shell runs a script in a directory.
func shell(t *testing.T, dir, script string) string {
	t.Helper()
	c := exec.Command("bash", "-euc", script)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// written is the tar of an upper directory.
func written(t *testing.T, upper string, opts *Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, upper, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// described is a line for each path of a tree, all that users see of it.
func described(t *testing.T, root string) string {
	t.Helper()
	var lines strings.Builder
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		var s unix.Stat_t
		if err := unix.Lstat(path, &s); err != nil {
			return err
		}
		fmt.Fprintf(&lines, "%q %o %d:%d mtime %d.%09d", strings.TrimPrefix(path, root), s.Mode, s.Uid, s.Gid, s.Mtim.Sec, s.Mtim.Nsec)
		switch s.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&lines, " links %d, %d bytes %x", s.Nlink, s.Size, sha256.Sum256(data))
		case unix.S_IFLNK:
			target, _ := os.Readlink(path)
			fmt.Fprintf(&lines, " -> %q", target)
		case unix.S_IFCHR, unix.S_IFBLK:
			fmt.Fprintf(&lines, " device %x", s.Rdev)
		}
		for _, name := range xattrs(t, path) {
			value, _ := grown(func(to []byte) (int, error) { return unix.Lgetxattr(path, name, to) })
			fmt.Fprintf(&lines, " %s=%q", name, value)
		}
		lines.WriteByte('\n')
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines.String()
}

// xattrs are the names that a tar extractor sets without more options.
func xattrs(t *testing.T, path string) (names []string) {
	list, err := grown(func(to []byte) (int, error) { return unix.Llistxattr(path, to) })
	if err != nil {
		t.Fatal(path, err)
	}
	for name := range strings.SplitSeq(string(list), "\x00") {
		if strings.HasPrefix(name, "user.") || name == "security.capability" || strings.HasPrefix(name, "system.posix_acl") {
			names = append(names, name)
		}
	}
	return names
}
