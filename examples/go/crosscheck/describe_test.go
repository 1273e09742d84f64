package crosscheck

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// about is all that there is to know of a file; what a reader does not tell is empty on both sides.
type about struct {
	mode         fs.FileMode
	uid, gid     uint32
	links        uint32
	modTime      time.Time
	size         int64
	major, minor uint32
	target       string
	xattrs       map[string]string
	content      string
}

// listing is what is known of each path.
type listing map[string]about

// sum is short for content that was read, and for why it was not.
func sum(content []byte, err error) string {
	if err != nil {
		return "error: " + err.Error()
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(content))
}

func aboutStat(s *tarfs.Stat) about {
	a := about{
		mode: s.FileMode(), uid: s.UID, gid: s.GID, links: s.Nlink, modTime: s.ModTime.UTC(),
		major: s.Major, minor: s.Minor, target: s.Link,
	}
	if len(s.Xattrs) > 0 {
		a.xattrs = map[string]string{}
		for _, x := range s.Xattrs {
			a.xattrs[x.Name] = string(x.Value)
		}
	}
	if a.mode.IsRegular() || a.mode.Type() == fs.ModeSymlink {
		a.size = s.Size
	}
	return a
}

// ours lists a file system of this project.
func ours(t testing.TB, fsys *tarfs.FS) listing {
	t.Helper()
	all := listing{}
	ok(t, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		a := aboutStat(info.Sys().(*tarfs.Stat))
		if a.mode.IsRegular() {
			a.content = sum(fsys.ReadFile(name))
		}
		all[name] = a
		return nil
	}))
	return all
}

// differs says in what a and b differ, in words: "mtime 1, not 2".
func (a about) differs(b about) []string {
	var all []string
	say := func(what string, same bool, x, y any) {
		if !same {
			all = append(all, fmt.Sprintf("%s %v, not %v", what, x, y))
		}
	}
	say("mode", a.mode == b.mode, a.mode, b.mode)
	say("owner", a.uid == b.uid && a.gid == b.gid, fmt.Sprint(a.uid, ":", a.gid), fmt.Sprint(b.uid, ":", b.gid))
	say("links", a.links == b.links, a.links, b.links)
	say("mtime", a.modTime.Equal(b.modTime), a.modTime.UnixNano(), b.modTime.UnixNano())
	say("size", a.size == b.size, a.size, b.size)
	say("device", a.major == b.major && a.minor == b.minor, fmt.Sprint(a.major, ":", a.minor), fmt.Sprint(b.major, ":", b.minor))
	say("target", a.target == b.target, a.target, b.target)
	say("xattrs", maps.Equal(a.xattrs, b.xattrs), fmt.Sprintf("%q", a.xattrs), fmt.Sprintf("%q", b.xattrs))
	say("content", a.content == b.content, a.content, b.content)
	return all
}

// differences compares two listings: "PATH: what".
func differences(got, want listing) (all []string) {
	for path, g := range got {
		w, there := want[path]
		if !there {
			all = append(all, fmt.Sprintf("%q: is there, and should not be", path))
			continue
		}
		for _, what := range g.differs(w) {
			all = append(all, fmt.Sprintf("%q: %s", path, what))
		}
	}
	for path := range want {
		if _, there := got[path]; !there {
			all = append(all, fmt.Sprintf("%q: is not there", path))
		}
	}
	slices.Sort(all)
	return all
}

// known is a difference that is expected, and why. Each must show, and nothing else may.
type known struct {
	// in is what the line of a difference begins with, and has is what else is in it.
	in, has string
	why     string
}

// only holds differences against what is known of them.
func only(t *testing.T, found []string, expected []known) {
	t.Helper()
	seen := make([]bool, len(expected))
next:
	for _, line := range found {
		for i, k := range expected {
			if strings.HasPrefix(line, k.in) && strings.Contains(line, k.has) {
				seen[i] = true
				continue next
			}
		}
		t.Errorf("not known: %s", line)
	}
	for i, k := range expected {
		if !seen[i] {
			t.Errorf("is known to differ, and does not: %s … %s (%s)", k.in, k.has, k.why)
		}
	}
}
