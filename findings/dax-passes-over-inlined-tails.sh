#!/usr/bin/env bash
# Guests get their root from the host's memory: an EROFS on virtio-pmem or an NVDIMM, mounted with `dax`, so that files are
# mapped where they lie, and no guest has a copy. mkfs.erofs puts the last bytes of a file behind its inode where they
# fit, as it has no block for them alone. One would guess that of such a file the last page is copied. The whole file is:
# a megabyte with a tail of 1024 bytes has no DAX, nor has nearly any file of an image, though /proc/mounts says
# `dax=always`; statx(2) tells. `-E noinline_data` is the cure. With blocks of 512 the mount succeeds too, without DAX for
# anything, and the kernel's log alone says why. A guest with Debian's kernel shows it, under QEMU.
source "$(dirname "$0")/common"
need xz apt-get
guest_kernels
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)

cd "$work"
mkdir place in
export CGO_ENABLED=0
go_program place/attributes golang.org/x/sys@v0.38.0 <<'GO'
package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	var files []string
	for _, path := range os.Args[1:] {
		var said unix.Statx_t
		if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_BASIC_STATS, &said); err != nil {
			files = append(files, err.Error())
		} else {
			files = append(files, fmt.Sprint(said.Attributes&unix.STATX_ATTR_DAX != 0))
		}
	}
	fmt.Println(strings.Join(files, " "))
}
GO

# What is in reach of a guest as memory: virtio-pmem's driver, which the kernel's package has as modules.
version=$(cat "$kernels/6.12/version")
apt-get -q download -o APT::Sandbox::User=root "linux-image-$version" >apt.log 2>&1 || {
  tail -n 3 apt.log
  exit 2
}
dpkg-deb -x linux-image-*.deb kernel
modules=(libnvdimm nd_virtio nd_btt nd_pmem virtio_pmem)
for module in "${modules[@]}"; do
  xz -dc "kernel/lib/modules/$version/kernel/drivers/nvdimm/$module.ko.xz" >"place/$module.ko"
done

head -c 1M /dev/zero | tr '\0' a >in/whole
(cat in/whole && head -c 1024 in/whole) >in/tail
image() {
  echo "$1" >in/name
  "$erofs/mkfs.erofs" --quiet "${@:2}" "$1" in >mkfs.log
}
image inlined -b4096
image noinline_data -b4096 -E noinline_data
image small -b512
cat >place/guest <<GUEST
exec >/dev/ttyS0 2>&1
for module in ${modules[*]}; do busybox insmod /place/\$module.ko; done
sleep 1
mkdir /at
for device in /dev/pmem*; do
  mount -t erofs -o ro,dax=always \$device /at
  status=\$?
  echo "SAID \$(cat /at/name): exit \$status, \$(grep -o 'erofs .*dax=always' /proc/mounts | grep -o dax=always) \$(/place/attributes /at/whole /at/tail)"
  umount /at
done
poweroff -f
GUEST

memory=()
for image in inlined noinline_data small; do
  truncate -s 16M "$image"
  memory+=(-object "memory-backend-file,id=m$image,mem-path=$image,size=16M,share=on"
    -device "virtio-pmem-pci,memdev=m$image,id=$image")
done
guest 6.12 -M q35 -m 512,slots=8,maxmem=2G "${memory[@]}"

# of IMAGE: the mount's status, its option, and which files have DAX: the one without a tail, the one with.
of() {
  sed -n "s/^SAID $1: //p" console
}
echo "versions: Linux $version"
see "mkfs.erofs -b4096" "$(of inlined)" "exit 0, dax=always true false"
see "mkfs.erofs -b4096 -E noinline_data" "$(of noinline_data)" "exit 0, dax=always true true"
see "mkfs.erofs -b512" "$(of small)" "exit 0,  false false"
see "what is logged of -b512" "$(grep -o 'erofs: unsupported.*' console)" "erofs: unsupported blocksize for DAX"
