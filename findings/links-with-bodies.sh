#!/usr/bin/env bash
# POSIX lets a hard link in a pax archive have its file's bytes behind it (`pax -o linkdata`: type 1, a size that is
# not 0), so that it can be had alone. One would guess that readers skip or use them, or fail. Java's and Node's do.
# Go's archive/tar fails. Python's tarfile and `mkfs.erofs --tar=f` read the bytes as the next header, take that for
# the end of the archive, and succeed: every entry behind the link is gone, without a word.
source "$(dirname "$0")/common"
need_root # the kernel's view
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
python=$(debian trixie python3.13-minimal=3.13.5-2+deb13u5,libpython3.13-stdlib python3.13)
python() { PYTHONHOME=$(dirname "$python")/root/usr "$python/python3.13" "$@"; }
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
with open("layer.tar", "wb") as out:
    for name, kind in ("file", tarfile.REGTYPE), ("link", tarfile.LNKTYPE), ("behind", tarfile.REGTYPE):
        entry = tarfile.TarInfo(name)
        entry.type, entry.size, entry.mode = kind, 4, 0o644
        entry.linkname = "file" if kind == tarfile.LNKTYPE else ""
        out.write(entry.tobuf(tarfile.PAX_FORMAT) + b"one\n".ljust(512, b"\0"))
    out.write(bytes(1024))
PY
see "Go" "$(./list layer.tar)" "file link archive/tar: invalid tar header"
see "Python's tarfile" "$(python -c 'import tarfile; print(*tarfile.open("layer.tar").getnames())')" "file link"
see "mkfs.erofs --tar=f" "$(said "$erofs/mkfs.erofs" --quiet --tar=f image layer.tar | cut -d : -f 1)" "exit 0"
mkdir at && mounted+=("$work/at") && mount -t erofs -o ro,loop image at
see "what the kernel shows" "$(cd at && echo *)" "file link"
