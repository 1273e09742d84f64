// Package testkit is what tests of several packages need: shell scripts, mounts, and trees as text.
package testkit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Shell runs a script in a directory, which has to succeed, and gives what it printed.
func Shell(t testing.TB, dir, script string) string {
	t.Helper()
	c := exec.Command("bash", "-euo", "pipefail", "-c", script)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// Without ends a test whose oracle is not there: CI must have it.
func Without(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI without %s", what)
	}
	t.Skipf("needs %s", what)
}

// Root ends a test that only root can run, for others.
func Root(t testing.TB) {
	t.Helper()
	if os.Getuid() != 0 {
		Without(t, "root")
	}
}

// Tmpfs is a directory with a filesystem of its own, of so many bytes; 0 for no limit. Its name suits the options
// of overlayfs.
func Tmpfs(t testing.TB, bytes int64) string {
	t.Helper()
	Root(t)
	dir := Dir(t)
	Mount(t, dir, "tmpfs", "tmpfs", fmt.Sprintf("size=%d", bytes))
	return dir
}

// Dir is a directory on a disk, from which Linux mounts files, whose name suits the options of overlayfs.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "tarfs-snapshotter-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// Mount mounts until the test ends.
func Mount(t testing.TB, dir, source, kind, options string) {
	t.Helper()
	if err := unix.Mount(source, dir, kind, 0, options); err != nil {
		t.Fatalf("mount %s %s: %v", kind, options, err)
	}
	t.Cleanup(func() { unmount(t, dir) })
}

// MountLayer mounts a file with EROFS until the test ends.
func MountLayer(t testing.TB, file string) string {
	t.Helper()
	Root(t)
	dir := Dir(t)
	Shell(t, "/", fmt.Sprintf("mount -t erofs -o ro,loop %q %q", file, dir))
	t.Cleanup(func() { unmount(t, dir) })
	return dir
}

// unmount unmounts. What was on it a moment ago, such as an overlayfs, may hold it some moments longer; what is
// still open in this process holds it for good, and is an error.
func unmount(t testing.TB, dir string) {
	t.Helper()
	var err error
	for range 40 {
		if err = unix.Unmount(dir, 0); !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Error("umount", dir, err)
	}
}

// Tree is a line for each path of a tree: all that users see of it.
func Tree(t testing.TB, root string) string {
	t.Helper()
	var lines strings.Builder
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		line, err := describe(path)
		fmt.Fprintf(&lines, "%q %s\n", strings.TrimPrefix(path, root), line)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines.String()
}

func describe(path string) (string, error) {
	var s unix.Stat_t
	if err := unix.Lstat(path, &s); err != nil {
		return "", err
	}
	line := fmt.Sprintf("%o %d:%d mtime %d.%09d", s.Mode, s.Uid, s.Gid, s.Mtim.Sec, s.Mtim.Nsec)
	switch s.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		line += fmt.Sprintf(" links %d, %d bytes %x", s.Nlink, s.Size, sha256.Sum256(data))
	case unix.S_IFLNK:
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		line += fmt.Sprintf(" -> %q", target)
	case unix.S_IFCHR, unix.S_IFBLK:
		line += fmt.Sprintf(" device %x", s.Rdev)
	}
	return line + xattrs(path), nil
}

// xattrs are those that an extractor of tars sets without more options.
func xattrs(path string) (text string) {
	list := make([]byte, 1<<16)
	n, err := unix.Llistxattr(path, list)
	if err != nil {
		return " xattrs: " + err.Error()
	}
	names := strings.Split(string(list[:n]), "\x00")
	slices.Sort(names) // filesystems list them in orders of their own
	for _, name := range names {
		if strings.HasPrefix(name, "user.") || name == "security.capability" || strings.HasPrefix(name, "system.posix_acl") {
			value := make([]byte, 1<<16)
			n, err := unix.Lgetxattr(path, name, value)
			text += fmt.Sprintf(" %s=%q %v", name, value[:max(n, 0)], err)
		}
	}
	return text
}

// Difference is the lines of one text that another has not.
func Difference(one, other string) string {
	has := map[string]bool{}
	for line := range strings.Lines(other) {
		has[line] = true
	}
	var only strings.Builder
	for line := range strings.Lines(one) {
		if !has[line] {
			only.WriteString(line)
		}
	}
	return only.String()
}
