package tarfs_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// made is when everything was made, with nanoseconds, which only pax records have.
var made = time.Unix(1_700_000_000, 123_456_789)

// entry is an entry of a tar, and its body.
type entry struct {
	tar.Header
	body string
}

func dirEntry(name string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}}
}

func fileEntry(name, body string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, body}
}

func linkEntry(kind byte, name, target string) entry {
	return entry{Header: tar.Header{Typeflag: kind, Name: name, Linkname: target, Mode: 0o777}}
}

// archive writes a tar by archive/tar.
func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := e.Header
		h.Size = int64(len(e.body))
		h.Format = tar.FormatPAX
		if h.ModTime.IsZero() {
			h.ModTime = made
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatalf("%s: %v", h.Name, err)
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

// noise is bytes that neither compress nor repeat, the same ones for a seed each time.
func noise(seed uint64, n int) string {
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	b := make([]byte, n)
	random.Read(b)
	return string(b)
}

// baseTar has one of everything that a tar has.
func baseTar(t testing.TB) []byte {
	t.Helper()
	xattrs := fileEntry("etc/xattrs", "with attributes\n")
	xattrs.PAXRecords = map[string]string{
		"SCHILY.xattr.user.plain":          "value",
		"SCHILY.xattr.user.empty-not":      "\x01",
		"SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"SCHILY.xattr.trusted.thing":       strings.Repeat("t", 300),
	}
	suid := fileEntry("usr/bin/su", noise(2, 20_000))
	suid.Mode, suid.Uid, suid.Gid = 0o6755, 0, 42
	owned := fileEntry("home/user/file", "mine\n")
	owned.Uid, owned.Gid, owned.Uname, owned.Gname = 1000, 70_000, "user", "users"
	old := fileEntry("etc/old", "1969\n")
	old.ModTime = time.Unix(-1, 0)
	far := fileEntry("etc/far", "after 2038\n")
	far.ModTime = time.Unix(1<<33, 1)
	tmp := dirEntry("tmp")
	tmp.Mode = 0o1777
	long := strings.Repeat("long-name/", 20)
	device := entry{Header: tar.Header{Typeflag: tar.TypeChar, Name: "dev/null", Mode: 0o666, Devmajor: 1, Devminor: 3}}
	block := entry{Header: tar.Header{Typeflag: tar.TypeBlock, Name: "dev/vda", Mode: 0o660, Devmajor: 253, Devminor: 300}}
	fifo := entry{Header: tar.Header{Typeflag: tar.TypeFifo, Name: "run/pipe", Mode: 0o600}}
	entries := []entry{
		dirEntry("etc"), dirEntry("usr"), dirEntry("usr/bin"), dirEntry("opt"), dirEntry("dev"), tmp,
		fileEntry("etc/passwd", "root:x:0:0::/:/bin/sh\n"),
		fileEntry("etc/empty", ""),
		xattrs, suid, owned, old, far, device, block, fifo,
		fileEntry("usr/bin/big", noise(1, 300_001)),
		fileEntry("usr/bin/block", noise(3, 512)),
		linkEntry(tar.TypeLink, "usr/bin/su-hard", "usr/bin/su"),
		linkEntry(tar.TypeSymlink, "bin", "usr/bin"),
		linkEntry(tar.TypeSymlink, "etc/absolute", "/etc/passwd"),
		linkEntry(tar.TypeSymlink, "etc/up", "../../../usr/bin/../bin/block"),
		linkEntry(tar.TypeSymlink, "etc/dangling", "nowhere"),
		linkEntry(tar.TypeSymlink, "etc/round", "round"),
		dirEntry("opt/hidden"), fileEntry("opt/hidden/a", "a"), fileEntry("opt/hidden/b", "b"),
		fileEntry("opt/gone", "gone"),
		fileEntry("opt/replaced", "a file that becomes a directory"),
		fileEntry(long+"file", "deep down"),
		fileEntry("name with spaces, comma and ünïcode", "odd"),
	}
	for i := range 40 {
		entries = append(entries, fileEntry(fmt.Sprintf("usr/share/many/%02d", i), noise(uint64(i), i*37)))
	}
	return archive(t, entries...)
}

// upperTar changes what is in baseTar.
func upperTar(t testing.TB) []byte {
	t.Helper()
	return archive(t,
		dirEntry("opt"),
		fileEntry("opt/.wh.gone", ""),
		dirEntry("opt/hidden"),
		fileEntry("opt/hidden/.wh..wh..opq", ""),
		fileEntry("opt/hidden/c", "only me"),
		dirEntry("opt/replaced"),
		fileEntry("opt/replaced/inside", "a directory where a file was"),
		fileEntry("opt/new", noise(9, 5000)),
		// Its target is in the layer below.
		linkEntry(tar.TypeLink, "opt/passwd", "etc/passwd"),
	)
}

// topTar is made by GNU tar, with a sparse file, where there is one.
func topTar(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "srv"), 0o755); err != nil {
		t.Fatal(err)
	}
	sparseFile(t, filepath.Join(dir, "srv/sparse"))
	return gnuTar(t, dir, "posix", "--sparse", "srv")
}

// sparseFile has holes at its start, between odd pieces, and at its end.
func sparseFile(t testing.TB, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i, at := range []int64{1 << 20, 3 << 20, 3<<20 + 100_000} {
		if _, err := f.WriteAt([]byte(noise(uint64(i), 5000)), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(5<<20 + 1); err != nil {
		t.Fatal(err)
	}
}

// smallImage is three layers with all that layers do to each other.
func smallImage(t testing.TB) [][]byte {
	t.Helper()
	return [][]byte{baseTar(t), upperTar(t), topTar(t)}
}
