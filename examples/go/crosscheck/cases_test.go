package crosscheck

import (
	"archive/tar"
	"strings"
	"testing"
	"time"
)

// Why archive/tar differs.
const (
	handed  = "archive/tar hands over what is no file of the archive, and leaves it to the caller"
	dumped  = "type D is a directory whose body lists names; archive/tar takes it for a file"
	global  = "archive/tar hands global headers over, and applies none"
	paxWins = "archive/tar prefers GNU's long name; GNU tar itself the pax record, as tarfs"
	solaris = "type X is Solaris's name for x, as GNU tar reads it; archive/tar takes it for a file"
)

// tarCase is a tar, and what archive/tar is known to make of it otherwise than tarfs.
type tarCase struct {
	name string
	data []byte
	// Differences in what is read.
	known []known
	// Who refuses it: "", "tarfs", "archive/tar", "both".
	refused, why string
}

// tars are all test tars.
func tars(t testing.TB) []tarCase {
	return append(ordinary(t), odd(t)...)
}

// ordinary tars are as programs write them.
func ordinary(t testing.TB) []tarCase {
	plain := []entry{
		dir("etc"), file("etc/passwd", "root"), file("etc/"+strings.Repeat("n", 90), noise(1, 700)),
		link(tar.TypeLink, "hard", "etc/passwd"), link(tar.TypeSymlink, "soft", "etc"),
		link(tar.TypeChar, "dev/tty", "").with(func(h *tar.Header) { h.Devmajor, h.Devminor = 5, 0 }),
	}
	gnu := append(plain,
		file(strings.Repeat("long/", 40)+"name", "L"), link(tar.TypeSymlink, "far", strings.Repeat("far/", 50)),
		file("base-256", "ids").with(func(h *tar.Header) { h.Uid, h.Gid = 1<<31, 1<<22 }),
		file("before", "1969").with(func(h *tar.Header) { h.ModTime = time.Unix(-86400, 0) }))
	return []tarCase{
		{name: "pax, everything", data: everything(t)},
		{name: "ustar", data: archive(t, tar.FormatUSTAR, append(plain, file(strings.Repeat("split/", 30)+"name", "prefix"))...)},
		{name: "gnu", data: archive(t, tar.FormatGNU, gnu...)},
		{name: "empty", data: archive(t, tar.FormatUSTAR)},
		{name: "whiteouts", data: stack(t)[1]},
		{name: "GNU tar, gnu", data: gnuTar(t, "gnu")},
		{name: "GNU tar, oldgnu", data: gnuTar(t, "oldgnu")},
		{name: "GNU tar, posix", data: gnuTar(t, "posix")},
		{name: "GNU tar, gnu, sparse", data: gnuTar(t, "gnu", "--sparse")},
		{name: "GNU tar, sparse 0.0", data: gnuTar(t, "posix", "--sparse", "--sparse-version=0.0")},
		{name: "GNU tar, sparse 0.1", data: gnuTar(t, "posix", "--sparse", "--sparse-version=0.1")},
		{name: "GNU tar, sparse 1.0", data: gnuTar(t, "posix", "--sparse", "--sparse-version=1.0")},
		{name: "GNU tar, a label", data: gnuTar(t, "gnu", "--label=backup"), known: []known{{"entries", "23, not 24", handed}, {`"backup"`, "is not there", handed}}},
		{name: "GNU tar, a label, posix", data: gnuTar(t, "posix", "--label=backup")},
		{name: "GNU tar, times with fractions", data: gnuTar(t, "posix", "--mtime=@-1700000000.123456789")},
		{name: "GNU tar, incremental", data: gnuTar(t, "gnu", "--incremental"), known: []known{
			{`"srv`, "mode drwxr-xr-x, not -rwxr-xr-x", dumped}, {`"srv`, "size 0, not ", dumped}, {`"srv`, "content , not ", dumped}}},
	}
}

// odd tars are as no program should write them, or as old ones did.
func odd(t testing.TB) []tarCase {
	r := func() *raw { return &raw{} }
	binary := func(n int64, width int) string {
		b := make([]byte, width)
		for i := range b {
			b[width-1-i] = byte(n >> min(63, 8*i))
		}
		b[0] |= 0x80
		return string(b)
	}
	return []tarCase{
		{name: "v7", data: r().add(0, "a", "a", magic(strings.Repeat("\x00", 8))).add(0, "dir/", "", magic(strings.Repeat("\x00", 8))).end(2)},
		{name: "contiguous", data: r().add('7', "a", "a").end(2)},
		{name: "star", data: r().add('0', "a", "a", prefix("pre/fix"), field{508, "tar\x00"}).end(2)},
		{name: "mode with a type", data: r().add('0', "a", "a", mode("0100644\x00")).add('5', "d", "", mode("0040755\x00")).end(2)},
		{name: "numbers with spaces", data: r().add('0', "a", "a", mode("   644 \x00"), owner("     7 ")).end(2)},
		{name: "a number ends early", data: r().add('0', "a", "a", owner("7 \x0000001")).end(2), refused: "archive/tar",
			why: "GNU tar reads a number up to its terminator; archive/tar wants nothing behind it"},
		{name: "binary numbers", data: r().add('0', "a", "a", owner(binary(1<<30, 8)), size(binary(1, 12)), mtime(binary(1<<33, 12))).end(2)},
		{name: "a binary time before 1970", data: r().add('0', "a", "a", mtime("\xff"+strings.Repeat("\xff", 10)+"\xfe")).end(2)},
		{name: "names from everywhere", data: r().add('0', "/absolute", "1").add('0', "./dot", "2").add('0', "two//slashes", "3").add('5', "./", "").end(2)},
		{name: "the same name twice", data: r().add('0', "a", "1").add('0', "a", "22").add('5', "d", "").add('5', "d", "", mode("0000700")).end(2)},
		{name: "a directory becomes a file", data: r().add('5', "d", "").add('0', "d/in", "1").add('0', "d", "2").end(2)},
		{name: "a file becomes a directory", data: r().add('0', "d", "2").add('5', "d", "").add('0', "d/in", "1").end(2)},
		{name: "a hard link to a symbolic link", data: r().add('2', "s", "", target("t")).add('1', "h", "", target("s")).end(2)},
		{name: "a link is replaced", data: r().add('0', "a", "1").add('1', "b", "", target("a")).add('0', "a", "2").end(2)},
		{name: "sizes without bodies", data: r().add('5', "d", "", size("00000001000")).add('2', "s", "", size("00000000004"), target("t")).add('3', "c", "", size("00000000004"), major("0000001")).end(2)},
		{name: "a size on a hard link", data: r().add('0', "a", "1").add('1', "b", "", target("a"), size("00000000001")).end(2)},
		{name: "pax time, long fraction", data: r().pax('x', "mtime=1.123456789999").add('0', "a", "a").end(2)},
		{name: "pax time, before 1970", data: r().pax('x', "mtime=-1.5").add('0', "a", "a").end(2)},
		{name: "pax, the last of a key counts", data: r().pax('x', "path=no", "path=yes").add('0', "a", "a").end(2)},
		{name: "pax, an empty value", data: r().pax('x', "path=", "uid=").add('0', "a", "a").end(2)},
		{name: "pax, two headers", data: r().pax('x', "path=one", "uid=7").pax('x', "gid=9").add('0', "a", "a").end(2)},
		{name: "pax, not UTF-8", data: r().pax('x', "hdrcharset=BINARY", "path=\xff\xfe").add('0', "a", "a").end(2)},
		{name: "pax, a NUL in a path", data: r().pax('x', "path=a\x00b").add('0', "a", "a").end(2), refused: "both", why: "no path has a NUL"},
		{name: "pax, size", data: r().pax('x', "size=3").add('0', "a", "abc", size("00000000000")).end(2)},
		{name: "pax, xattr with odd bytes", data: r().pax('x', "SCHILY.xattr.user.a=\x00\n=").add('0', "a", "a").end(2)},
		{name: "pax, xattr of libarchive", data: r().pax('x', "LIBARCHIVE.xattr.user.a=dmFsdWU").add('0', "a", "a").end(2), known: []known{{`"a"`, "xattrs", "archive/tar knows only the SCHILY keys"}}},
		{name: "pax, global", data: r().pax('g', "mtime=1000000000", "uid=77").add('0', "a", "a").end(2), known: []known{{`"a"`, "mtime", global}, {`"a"`, "owner 77:2", global}}},
		{name: "pax, global, comment", data: r().pax('g', "comment=1234567890123456789012345678901234567890").add('0', "a", "a").end(2)},
		{name: "a long name twice", data: r().add('L', "././@LongLink", "one\x00").add('L', "././@LongLink", "two\x00").add('0', "a", "a").end(2)},
		{name: "a long name and a pax path", data: r().add('L', "././@LongLink", "gnu\x00").pax('x', "path=pax").add('0', "a", "a").end(2), known: []known{{`"gnu"`, "is not there", paxWins}, {`"pax"`, "is there", paxWins}}},
		{name: "Solaris", data: r().pax('X', "path=solaris").add('0', "a", "a").end(2), known: []known{{"entries", "1, not 2", solaris},
			{`"PaxHeaders/x"`, "is not there", solaris}, {`"a"`, "is not there", solaris}, {`"solaris"`, "is there", solaris}}},
		{name: "one zero block", data: r().add('0', "a", "a").end(1)},
		{name: "no zero block", data: r().add('0', "a", "a").end(0)},
		{name: "a zero block, and more", data: []byte(string(r().add('0', "a", "a").end(1)) + string(r().add('0', "b", "b").end(2))), refused: "both", why: "some readers stop there, some read on"},
		{name: "something behind the end", data: []byte(string(r().add('0', "a", "a").end(2)) + noise(1, 3000))},
		{name: "nothing at all", data: nil},
		{name: "cut short", data: r().add('0', "a", noise(1, 2000)).end(0)[:1000], refused: "both", why: "a part is missing"},
		{name: "a wrong checksum", data: []byte(strings.Replace(string(r().add('0', "abc", "a").end(2)), "abc", "abd", 1)), refused: "both", why: "it is no header"},
		{name: "a negative size", data: r().add('0', "a", "", size(binary(-1, 12))).end(2), refused: "both", why: "there is no such length"},
		{name: "out of the root", data: r().add('0', "../a", "a").end(2), refused: "tarfs", why: "archive/tar leaves it to the caller what a path may lead to"},
		{name: "an unknown type", data: r().add('Z', "a", "a").end(2), refused: "tarfs", why: handed + "; SkipUnknownTypes passes over it"},
		{name: "a part of a volume", data: r().add('M', "a", "a").end(2), refused: "tarfs", why: "the rest of the file is in another archive; archive/tar leaves that to the caller"},
		{name: "no name", data: r().add('0', "", "a").end(2), refused: "tarfs", why: "archive/tar leaves it to the caller what a path may be; GNU tar puts . in its place, and warns"},
	}
}
