package snapshot_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// unpacked is what layers are as files: GNU tar unpacks them one over the other, between that we
// remove what whiteouts hide.
func unpacked(t testing.TB, tars ...[]byte) string {
	t.Helper()
	gnutar := program(t, "tar")
	dir := diskDir(t)
	ok(t, os.Chmod(dir, 0o755))
	for _, data := range tars {
		hide(t, dir, data)
		command := exec.Command(gnutar, "-x", "-p", "-C", dir, "--numeric-owner", "--same-owner",
			"--xattrs", "--xattrs-include=*", "--exclude=.wh.*", "-f", "-")
		command.Stdin = bytes.NewReader(data)
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("tar: %v\n%s", err, out)
		}
	}
	return dir
}

// hide removes what the whiteouts of a layer hide.
func hide(t testing.TB, dir string, data []byte) {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		ok(t, err)
		parent, base := filepath.Split(filepath.Join(dir, h.Name))
		if base == ".wh..wh..opq" {
			children, err := os.ReadDir(parent)
			ok(t, err)
			for _, child := range children {
				ok(t, os.RemoveAll(filepath.Join(parent, child.Name())))
			}
		} else if name, is := strings.CutPrefix(base, ".wh."); is {
			ok(t, os.RemoveAll(filepath.Join(parent, name)))
		}
	}
}

// listing describes everything below a directory, a line each; not the directory itself.
func listing(t testing.TB, root string) []string {
	t.Helper()
	var lines []string
	ok(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		line, err := describe(path)
		lines = append(lines, strings.TrimPrefix(path, root)+" "+line)
		return err
	}))
	return lines
}

func describe(path string) (string, error) {
	var s unix.Stat_t
	if err := unix.Lstat(path, &s); err != nil {
		return "", err
	}
	line := fmt.Sprintf("%o %d:%d", s.Mode, s.Uid, s.Gid)
	if s.Mode&unix.S_IFMT != unix.S_IFDIR {
		line += fmt.Sprintf(" %d links", s.Nlink)
	}
	switch s.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		line += fmt.Sprintf(" %d bytes %s %d", s.Size, sum(data)[:12], s.Mtim.Nano())
	case unix.S_IFLNK:
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		line += " -> " + target
	case unix.S_IFCHR, unix.S_IFBLK:
		line += fmt.Sprintf(" device %x", s.Rdev)
	}
	names := make([]byte, 4096)
	n, err := unix.Llistxattr(path, names)
	if err != nil {
		return "", err
	}
	for name := range strings.SplitSeq(string(names[:n]), "\x00") {
		if name == "" {
			continue
		}
		value := make([]byte, 4096)
		n, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			return "", err
		}
		line += fmt.Sprintf(" %s=%x", name, value[:n])
	}
	return line, nil
}

// sameTree compares a mount with what it should show.
func sameTree(t testing.TB, got, want string) {
	t.Helper()
	sameLines(t, listing(t, got), listing(t, want))
}

func sameLines(t testing.TB, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("got  %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("want %s", line)
		}
	}
	if !t.Failed() {
		t.Errorf("same lines in another order or number: %d and %d", len(got), len(want))
	}
}
