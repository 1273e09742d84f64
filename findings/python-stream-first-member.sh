#!/usr/bin/env bash
# A gzip file may be several members, one behind the other (RFC 1952): Alpine's packages are three, cut between entries of
# one tar, and eStargz, a form of layers that registries hold, has some for each file. One would guess that Python's
# tarfile reads them all. With mode "r:gz" it does. With "r|gz", for what comes from a network and cannot seek, it ends with
# the first member: where that ends between two entries there is no error, and every entry behind is gone; of an eStargz layer
# it shows the first file, and says "unexpected end of data". bzip2 and xz are the same.
source "$(dirname "$0")/common"
need tar gzip xz bzip2
python=$(debian trixie python3.13-minimal=3.13.5-2+deb13u5,libpython3.13-stdlib python3.13)
python() { PYTHONHOME=$(dirname "$python")/root/usr "$python/python3.13" "$@"; }
go_program zip github.com/containerd/stargz-snapshotter/estargz@v0.19.1 <<'GO'
package main

import (
	"io"
	"os"

	"github.com/containerd/stargz-snapshotter/estargz"
)

func main() {
	file, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	info, err := file.Stat()
	if err != nil {
		panic(err)
	}
	blob, err := estargz.Build(io.NewSectionReader(file, 0, info.Size()))
	if err != nil {
		panic(err)
	}
	defer blob.Close()
	if _, err := io.Copy(os.Stdout, blob); err != nil {
		panic(err)
	}
}
GO
echo "versions: $(tar --version | head -n 1), $(gzip --version | head -n 1)"

cd "$work"
mkdir etc
echo one >etc/passwd
echo two >etc/group
# listed FILE MODE: the files that tarfile finds, and how it ends
listed() {
  python - "$@" <<'PY' | xargs
import sys, tarfile
try:
    with tarfile.open(sys.argv[1], sys.argv[2]) as tar:
        for entry in tar:
            print(entry.name, end=" ")
except tarfile.TarError as error:
    print("and", error)
PY
}
# Three members, with the end of the archive in the last one, as Alpine's packages have it.
touch .SIGN .PKGINFO
for part in .SIGN .PKGINFO "etc/passwd etc/group"; do
  # shellcheck disable=SC2086 # two words in the last one
  tar --format=ustar -b 1 -cf part.tar $part
  [[ $part == etc* ]] && gzip -c part.tar || head -c -1024 part.tar | gzip
done >package.gz
all=".SIGN .PKGINFO etc/passwd etc/group"
see "three members, GNU tar" "$(tar -tzf package.gz | xargs)" "$all"
see "three members, tarfile, r:gz" "$(listed package.gz r:gz)" "$all"
see "three members, tarfile, r|gz" "$(listed package.gz 'r|gz')" ".SIGN"
see "three members, tarfile, r|*" "$(listed package.gz 'r|*')" ".SIGN"
gzip -dc package.gz >package.tar
gzip -c package.tar >one.gz
see "the same as one member, tarfile, r|gz" "$(listed one.gz 'r|gz')" "$all"
for packer in bzip2 xz; do
  { head -c 512 package.tar | "$packer" && tail -c +513 package.tar | "$packer"; } >"two.$packer"
  see "two streams of $packer, GNU tar" "$("$packer" -dc "two.$packer" | tar -t | xargs)" "$all"
done
see "two streams, tarfile, r:bz2, r:xz" "$(listed two.bzip2 r:bz2), $(listed two.xz r:xz)" "$all, $all"
see "two streams, tarfile, r|bz2, r|xz" "$(listed two.bzip2 'r|bz2'), $(listed two.xz 'r|xz')" ".SIGN, .SIGN"

all=".no.prefetch.landmark etc/ etc/passwd etc/group stargz.index.json"
tar --format=ustar -cf layer.tar --no-recursion etc etc/passwd etc/group
./zip layer.tar >layer.tar.gz
see "eStargz, GNU tar" "$(tar -tzf layer.tar.gz | xargs)" "$all"
see "eStargz, tarfile, r:gz" "$(listed layer.tar.gz r:gz)" "${all/etc\//etc}"
see "eStargz, tarfile, r|gz" "$(listed layer.tar.gz 'r|gz')" ".no.prefetch.landmark and unexpected end of data"
