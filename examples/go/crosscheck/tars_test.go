package crosscheck

import (
	"archive/tar"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// entry is one of a tar that archive/tar writes.
type entry struct {
	tar.Header
	body string
}

func dir(name string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}}
}

func file(name, body string) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, body}
}

func link(kind byte, name, target string) entry {
	return entry{Header: tar.Header{Typeflag: kind, Name: name, Linkname: target, Mode: 0o777}}
}

func (e entry) with(change func(h *tar.Header)) entry {
	change(&e.Header)
	return e
}

// noise is bytes that do not repeat, the same ones each time.
func noise(seed byte, n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return string(b)
}

func archive(t testing.TB, format tar.Format, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := e.Header
		h.Size, h.Format = int64(len(e.body)), format
		if h.ModTime.IsZero() {
			h.ModTime = time.Unix(1_700_000_000, 0)
		}
		ok(t, w.WriteHeader(&h))
		must[int](t)(w.Write([]byte(e.body)))
	}
	ok(t, w.Close())
	return out.Bytes()
}

func records(pairs ...string) map[string]string {
	all := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return all
}

// everything has one of everything.
func everything(t testing.TB) []byte {
	acl := "\x02\x00\x00\x00\x01\x00\x06\x00\xff\xff\xff\xff\x04\x00\x04\x00\xff\xff\xff\xff\x20\x00\x04\x00\xff\xff\xff\xff"
	entries := []entry{
		dir("etc"), dir("usr/bin"), dir("dev"),
		dir("tmp").with(func(h *tar.Header) { h.Mode = 0o1777 }),
		file("etc/passwd", "root:x:0:0::/:/bin/sh\n"), file("etc/empty", ""),
		file("etc/xattrs", "with attributes\n").with(func(h *tar.Header) {
			h.PAXRecords = records("SCHILY.xattr.user.plain", "value", "SCHILY.xattr.user.binary", "\x01\xff=\n",
				"SCHILY.xattr.security.capability", "\x01\x00\x00\x02\x00\x04"+strings.Repeat("\x00", 14),
				"SCHILY.xattr.trusted.long", strings.Repeat("t", 300), "SCHILY.xattr.system.posix_acl_access", acl)
		}),
		file("usr/bin/su", noise(2, 20_000)).with(func(h *tar.Header) { h.Mode, h.Gid = 0o6755, 42 }),
		file("home/user/file", "mine\n").with(func(h *tar.Header) { h.Uid, h.Gid = 1000, 70_000 }),
		file("etc/nanoseconds", "1\n").with(func(h *tar.Header) { h.ModTime = time.Unix(1_700_000_000, 123_456_789) }),
		file("etc/before", "1969\n").with(func(h *tar.Header) { h.ModTime = time.Unix(-1, 0) }),
		file("etc/before-by-half", "1969\n").with(func(h *tar.Header) { h.ModTime = time.Unix(-2, 500_000_000) }),
		file("etc/far", "after 2038\n").with(func(h *tar.Header) { h.ModTime = time.Unix(1<<33, 1) }),
		link(tar.TypeChar, "dev/null", "").with(func(h *tar.Header) { h.Devmajor, h.Devminor = 1, 3 }),
		link(tar.TypeBlock, "dev/vda", "").with(func(h *tar.Header) { h.Devmajor, h.Devminor = 253, 300 }),
		link(tar.TypeFifo, "run/pipe", ""),
		file("usr/bin/big", noise(1, 300_001)), file("usr/bin/block", noise(3, 512)),
		link(tar.TypeLink, "usr/bin/su-hard", "usr/bin/su"),
		link(tar.TypeSymlink, "bin", "usr/bin"), link(tar.TypeSymlink, "etc/absolute", "/etc/passwd"),
		link(tar.TypeSymlink, "etc/dangling", "nowhere"),
		link(tar.TypeSymlink, "etc/long", strings.Repeat("long/", 200)),
		dir("opt/hidden"), file("opt/hidden/a", "a"), file("opt/gone", "gone"),
		file(strings.Repeat("long-name/", 20)+strings.Repeat("n", 255), "deep down"),
		file("spaces, comma and ünïcode", "odd"),
	}
	for i := range 60 {
		// Attributes that several files have, which the image has once, in several blocks of 512 bytes.
		shared := records("SCHILY.xattr.security.selinux", fmt.Sprintf("system_u:object_r:type_%d_t:s0\x00", i%5),
			"SCHILY.xattr.user.long", strings.Repeat(string(rune('a'+i%4)), 100+i%4*110))
		entries = append(entries, file(fmt.Sprintf("usr/share/many/%02d", i), noise(byte(i), i*97)).
			with(func(h *tar.Header) { h.PAXRecords = shared }))
	}
	return archive(t, tar.FormatPAX, entries...)
}

// stack is layers with what layers do to each other.
func stack(t testing.TB) [][]byte {
	return [][]byte{
		everything(t),
		archive(t, tar.FormatPAX, file("opt/.wh.gone", ""), dir("opt/hidden"), file("opt/hidden/.wh..wh..opq", ""),
			file("opt/hidden/c", "only me"), file("opt/new", noise(9, 5000)), link(tar.TypeLink, "opt/passwd", "etc/passwd")),
		gnuTar(t, "posix", "--sparse"),
	}
}

// source is a directory that GNU tar archives.
func source(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, "srv", name) }
	ok(t, os.MkdirAll(at("deep/"+strings.Repeat("long-name/", 15)), 0o755))
	ok(t, os.WriteFile(at("plain"), []byte(noise(4, 1000)), 0o640))
	ok(t, os.WriteFile(at("deep/"+strings.Repeat("long-name/", 15)+strings.Repeat("f", 120)), []byte("deep"), 0o600))
	ok(t, os.WriteFile(at("\xff\xfe not UTF-8"), []byte("bytes"), 0o644))
	ok(t, os.Link(at("plain"), at("hard")))
	ok(t, os.Symlink(strings.Repeat("far/", 40), at("symbolic")))
	f := must[*os.File](t)(os.Create(at("sparse")))
	defer f.Close()
	for i, offset := range []int64{4096, 1 << 20, 1<<20 + 8192, 3 << 20} {
		must[int](t)(f.WriteAt([]byte(noise(byte(i), 5000)), offset))
	}
	// More segments than a header has room for.
	for i := range int64(30) {
		must[int](t)(f.WriteAt([]byte("x"), 4<<20+i*16384))
	}
	ok(t, f.Truncate(6<<20+1))
	return root
}

func gnuTar(t testing.TB, format string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("tar")
	if err != nil {
		without(t, "GNU tar")
	}
	given := append([]string{"-c", "-C", source(t), "--format=" + format, "--sort=name", "--owner=5", "--group=70000",
		"--numeric-owner", "--mtime=@1700000000"}, args...)
	var out, failed bytes.Buffer
	command := exec.Command(path, append(given, "srv")...)
	command.Stdout, command.Stderr = &out, &failed
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", command.Args, err, failed.String())
	}
	return out.Bytes()
}
