#!/usr/bin/env bash
# POSIX lets a hard link in a pax archive have its file's bytes behind it (`pax -o linkdata`: type 1, a size that is
# not 0), so that it can be had alone. One would guess that readers skip or use them, or fail. Java's, Node's and
# libarchive do. Go's archive/tar fails. Python's tarfile and `mkfs.erofs --tar=f` read the bytes as the next header, take
# that for the end of the archive, and succeed: every entry behind the link is gone, without a word. Where the file begins
# with 1024 zeros, as images of disks do, GNU tar and Go take these for the archive's end too; and where it is a tar, all
# but libarchive show the files that are in it, and none that is behind the link.
source "$(dirname "$0")/common"
need tar
need_root # the kernel's view
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
bsdtar=$(debian sid libarchive-tools=3.8.10-2 bsdtar)
python=$(debian trixie python3.13-minimal=3.13.5-2+deb13u5,libpython3.13-stdlib python3.13)
python() { PYTHONHOME=$(dirname "$python")/root/usr "$python/python3.13" "$@"; }
echo "versions: $(tar --version | head -n 1)"
go_program list <<'GO'
package main

import (
	"archive/tar"
	"fmt"
	"os"
)

func main() {
	file, _ := os.Open(os.Args[1])
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(header.Name, " ")
	}
}
GO

cd "$work"
python - <<'PY'
import tarfile
def entry(name, kind, body):
    one = tarfile.TarInfo(name)
    one.type, one.size, one.mode = kind, len(body), 0o644
    one.linkname = "file" if kind == tarfile.LNKTYPE else ""
    one.pax_headers = dict(comment="pax")
    return one.tobuf(tarfile.PAX_FORMAT) + body + bytes(-len(body) % 512)
for name, body in [
    ("text", b"one\n"),
    ("zeros", bytes(4096)),
    ("tar", entry("inside", tarfile.REGTYPE, b"one\n") + bytes(1024)),
]:
    with open(name + ".tar", "wb") as out:
        out.write(entry("file", tarfile.REGTYPE, body) + entry("link", tarfile.LNKTYPE, body))
        out.write(entry("behind", tarfile.REGTYPE, b"end\n") + bytes(1024))
PY
mkdir at && mounted+=("$work/at")
# read_all BODY GO PYTHON GNU MKFS: what each makes of it, and how it ends.
read_all() {
  see "a file of $1, libarchive" "$("$bsdtar/bsdtar" -tf "$1.tar" | xargs)" "file link behind"
  see "Go" "$(./list "$1.tar")" "$2"
  see "Python's tarfile" "$(python -c 'import sys, tarfile; print(*tarfile.open(sys.argv[1]).getnames())' "$1.tar")" "$3"
  rm -rf out && mkdir out
  see "GNU tar" "$(said tar -xf "$1.tar" -C out | cut -d : -f 1), $(cd out && echo *)" "$4"
  see "mkfs.erofs --tar=f" "$(said "$erofs/mkfs.erofs" --quiet --tar=f image "$1.tar" | cut -d : -f 1)" "exit 0"
  mount -t erofs -o ro,loop image at
  see "what the kernel shows" "$(cd at && echo *)" "$5"
  umount at
}
read_all text "file link archive/tar: invalid tar header" "file link" "exit 2, behind file link" "file link"
read_all zeros "file link EOF" "file link" "exit 0, file link" "file link"
read_all tar "file link inside EOF" "file link inside" "exit 0, file inside link" "file inside link"
