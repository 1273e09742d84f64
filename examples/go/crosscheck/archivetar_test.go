package crosscheck

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// unpacked is what the entries that archive/tar gives make: later ones replace earlier ones.
type unpacked struct {
	// Hard links are the same pointer.
	files   map[string]*about
	entries uint64
}

func unpack(r io.Reader) (*unpacked, error) {
	u := &unpacked{files: map[string]*about{}}
	for from := tar.NewReader(r); ; {
		h, err := from.Next()
		if err == io.EOF {
			return u, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		u.entries++
		if err := u.add(h, from); err != nil {
			return nil, err
		}
	}
}

func clean(name string) string {
	return strings.TrimPrefix(path.Join("/", name), "/")
}

func (u *unpacked) add(h *tar.Header, body io.Reader) error {
	name := clean(h.Name)
	if name == "" {
		name = "."
	}
	a := &about{
		mode: h.FileInfo().Mode(), uid: uint32(h.Uid), gid: uint32(h.Gid), modTime: h.ModTime.UTC(),
		major: uint32(h.Devmajor), minor: uint32(h.Devminor),
	}
	for key, value := range h.PAXRecords {
		if attribute, is := strings.CutPrefix(key, "SCHILY.xattr."); is {
			if a.xattrs == nil {
				a.xattrs = map[string]string{}
			}
			a.xattrs[attribute] = value
		}
	}
	switch {
	case h.Typeflag == tar.TypeLink:
		if a = u.files[clean(h.Linkname)]; a == nil {
			// Its target is in a lower layer.
			a = &about{target: h.Linkname}
		}
	case a.mode.Type() == fs.ModeSymlink:
		a.target, a.size = h.Linkname, int64(len(h.Linkname))
	case a.mode.IsRegular():
		content, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		a.size, a.content = int64(len(content)), sum(content, nil)
	}
	if old := u.files[name]; old != nil && (!old.mode.IsDir() || !a.mode.IsDir()) {
		for below := range u.files {
			if strings.HasPrefix(below, name+"/") {
				delete(u.files, below)
			}
		}
	}
	u.files[name] = a
	return nil
}

// listing counts the links.
func (u *unpacked) listing() listing {
	links := map[*about]uint32{}
	for name, a := range u.files {
		links[a]++
		if a.mode.IsDir() {
			links[a]++
			if parent := u.files[path.Dir(name)]; parent != nil && name != "." {
				links[parent]++
			}
		}
	}
	all := listing{}
	for name, a := range u.files {
		one := *a
		one.links = links[a]
		all[name] = one
	}
	return all
}

// hold compares a tar's entries with the tree that tarfs makes of it.
func hold(t *testing.T, l layer, u *unpacked) (found []string) {
	t.Helper()
	if l.Info.Entries != u.entries {
		found = append(found, fmt.Sprintf("entries: %d, not %d", l.Info.Entries, u.entries))
	}
	from := merged(t, l)
	fsys := from.tree.FS(from.devices...)
	got, want := listing{}, u.listing()
	ok(t, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		s := info.Sys().(*tarfs.Stat)
		a := aboutStat(s)
		switch {
		case s.Flags&tarfs.Whiteout != 0:
			// It was a file.
			marker := path.Join(path.Dir(name), ".wh."+path.Base(name))
			if _, there := want[marker]; there {
				delete(want, marker)
				return nil
			}
		case s.Flags&tarfs.Pending != 0:
			a = about{target: s.Link, links: 1}
		case a.mode.IsRegular():
			a.content = sum(fsys.ReadFile(name))
		}
		if s.Flags&tarfs.Opaque != 0 {
			delete(want, path.Join(name, ".wh..wh..opq"))
		}
		// Directories that a tar does not list are not archive/tar's business; nor are links to them.
		if listed, there := want[name]; a.mode.IsDir() {
			if s.Flags&tarfs.Implied != 0 && !there {
				return nil
			}
			a.links, listed.links = 0, 0
			if there {
				want[name] = listed
			}
		}
		got[name] = a
		return nil
	}))
	return append(found, differences(got, want)...)
}

func TestArchiveTar(t *testing.T) {
	for _, c := range tars(t) {
		t.Run(c.name, func(t *testing.T) {
			l, ours := indexed(t, c.data)
			u, theirs := unpack(bytes.NewReader(c.data))
			refused := ""
			switch {
			case ours != nil && theirs != nil:
				refused = "both"
			case ours != nil:
				refused = "tarfs"
			case theirs != nil:
				refused = "archive/tar"
			}
			if refused != c.refused {
				t.Errorf("refused by %q, not %q: tarfs: %v; archive/tar: %v", refused, c.refused, ours, theirs)
			}
			if refused != "" {
				if c.why == "" {
					t.Error("nobody says why")
				}
				return
			}
			only(t, hold(t, l, u), c.known)
		})
	}
}

func TestArchiveTarAgreesOnTheRealImage(t *testing.T) {
	known := map[int][]known{3: {{`"var/www/html/.wh.index.nginx-debian.html"`, "is not there",
		"umoci writes whiteouts below a file that took a directory's place; they do nothing"}}}
	for i, l := range realImage(t) {
		u, err := unpack(io.NewSectionReader(l.tar.(*os.File), 0, 1<<62))
		ok(t, err)
		only(t, hold(t, l, u), known[i])
		t.Logf("layer %d: %d entries", i+1, u.entries)
	}
}
