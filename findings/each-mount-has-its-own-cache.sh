#!/usr/bin/env bash
# Containers of one image share its pages in memory: so it is where layers are unpacked, and one would guess that an
# EROFS which Linux mounts from its file (since 6.12, without a loop device) is one file system, however often it is
# mounted, as an ext4 on a device is. Each such mount is a file system of its own, with a cache of its own: what one
# container has read another one reads again, and both keep it. `mount -o loop` of the same file twice finds the loop
# device that is there, and shares. containerd's handler of the type erofs mounts the file anew for each container.
source "$(dirname "$0")/common"
need_root
need_linux 6.12
need python3 mkfs.ext4
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
go_program handler github.com/containerd/containerd/v2@v2.4.2 <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/plugins/mount/erofs"
)

func main() {
	image := mount.Mount{Type: "erofs", Source: os.Args[1], Options: []string{"ro", "loop"}}
	if _, err := erofs.NewErofsMountHandler().Mount(context.Background(), image, os.Args[2], nil); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
GO
echo "versions: Linux $(uname -r), $(mount --version)"

cd "$work"
mkdir in one two at
python3 -c 'import os; open("in/file", "wb").write(os.urandom(8 << 20))'
"$erofs/mkfs.erofs" --quiet image in >mkfs.log
mounted+=("$work/one" "$work/two" "$work/at")
ext4_disk 64M
mkdir ext4/{layer,upper1,work1,upper2,work2} && cp in/file ext4/layer

# shared NAME WANTED: reads the file of the first mount; how many MiB of both are in memory then.
shared() {
  cat one/file >/dev/null
  see "$1: the first, the second" "$(cached one/file two/file)" "$2"
  umount one two
}
container() { mount -t overlay -o "lowerdir=$1,upperdir=ext4/upper$3,workdir=ext4/work$3" overlay "$2"; }
umount ext4 && mount -o loop disk ext4 # what was written is in memory no more
container ext4/layer one 1 && container ext4/layer two 2
shared "overlayfs over a directory of ext4" "8 + 8"
mount_file image one "" >/dev/null && mount_file image two "" >/dev/null
shared "an EROFS mounted twice from its file" "8 + 0"
mount -t erofs -o ro,loop image one && mount -t erofs -o ro,loop image two
shared "mount -o loop, twice" "8 + 8"
./handler "$work/image" "$work/one" && ./handler "$work/image" "$work/two"
shared "containerd's handler, twice" "8 + 0"
mount_file image at "" >/dev/null
container at one 1 && container at two 2
shared "mounted once, two overlayfs over it" "8 + 8"
