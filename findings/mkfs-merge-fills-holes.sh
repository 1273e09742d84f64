#!/usr/bin/env bash
# `mkfs.erofs MERGED IMAGE...` merges images, and refers to the data that they have in a second device
# (`--blobdev=`) where it lies. One would guess that a hole stays one: between data of the image itself it
# does. Where the data is in a second device, each hole of the merged image shows the first bytes of that
# device, and the exit status is 0.
source "$(dirname "$0")/common"
need losetup truncate
need_root # the kernel's view
bin=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)

cd "$work"
mkdir in at
head -c 4096 /dev/zero | tr '\0' A >in/a
truncate -s 4096 in/hole
first() { # the first byte of a/ and hole/ as the kernel shows them
  local device
  device=$(losetup --find --show --read-only "$2")
  mount -t erofs -o "ro,loop,device=$device" "$1" at && mounted=("$work/at")
  losetup --detach "$device" # when it is unmounted
  head -qc 1 at/a at/hole | tr '\0' 0
  umount at
}
"$bin/mkfs.erofs" --quiet --chunksize=4096 --blobdev=blob image in >mkfs.log
see "image over its blob: a file, a hole" "$(first image blob)" "A0"
see "merged" "$(said "$bin/mkfs.erofs" --quiet merged image | cut -d : -f 1)" "exit 0"
see "merged over the blob: a file, a hole" "$(first merged blob)" "AA"
"$bin/mkfs.erofs" --quiet --chunksize=4096 alone in >mkfs.log
"$bin/mkfs.erofs" --quiet merged alone >mkfs.log
see "merged over an image of one device" "$(first merged alone)" "A0"
