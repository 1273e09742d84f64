package tarfs_test

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// line is one line of a listing: all that two views of a file have to agree on.
func line(name string, s *tarfs.Stat, content []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q mode=%o owner=%d:%d links=%d mtime=%d.%09d", name, s.Mode, s.UID, s.GID, s.Nlink,
		s.ModTime.Unix(), s.ModTime.Nanosecond())
	switch s.FileMode().Type() {
	case 0:
		fmt.Fprintf(&b, " size=%d sha256=%x", s.Size, sha256.Sum256(content))
	case fs.ModeSymlink:
		fmt.Fprintf(&b, " -> %q", s.Link)
	case fs.ModeDevice, fs.ModeDevice | fs.ModeCharDevice:
		fmt.Fprintf(&b, " device=%d:%d", s.Major, s.Minor)
	}
	for _, x := range s.Xattrs {
		fmt.Fprintf(&b, " %s=%q", x.Name, x.Value)
	}
	return b.String()
}

// list is all of a file system of ours, in order of the paths.
func list(t *testing.T, fsys *tarfs.FS) []string {
	t.Helper()
	var lines []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var content []byte
		if info.Mode().IsRegular() {
			if content, err = fsys.ReadFile(name); err != nil {
				return err
			}
		}
		lines = append(lines, line(name, info.Sys().(*tarfs.Stat), content))
		return nil
	})
	ok(t, err)
	return lines
}

// diffLines says what only one of two listings has; "" if they are the same.
func diffLines(got, want []string) string {
	count := map[string]int{}
	for _, line := range want {
		count[line]++
	}
	var b strings.Builder
	for _, line := range got {
		if count[line]--; count[line] < 0 {
			fmt.Fprintf(&b, "+ %s\n", line)
		}
	}
	for _, line := range want {
		if count[line] > 0 {
			fmt.Fprintf(&b, "- %s\n", line)
			count[line] = 0
		}
	}
	return b.String()
}
