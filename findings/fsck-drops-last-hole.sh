#!/usr/bin/env bash
# `mkfs.erofs --chunksize=4096 --blobdev=` puts file data into a second device, holes left out, and
# `fsck.erofs --extract` is told of that device. One would guess that a sparse file comes out as the kernel
# shows it: it does without the second device. With it a hole at the end of a file is not written, and
# nothing sets the length: the file is shorter, or empty, and the exit status is 0.
source "$(dirname "$0")/common"
need losetup truncate
need_root # the kernel's view
bin=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs fsck.erofs)

cd "$work"
mkdir in at
truncate -s 64K in/hole
head -c 4096 /dev/zero | tr '\0' C >in/tail && truncate -s 64K in/tail
lengths() {
  stat -c %s "$1/hole" "$1/tail" | xargs
}
"$bin/mkfs.erofs" --quiet --chunksize=4096 alone in >mkfs.log
"$bin/mkfs.erofs" --quiet --chunksize=4096 --blobdev=blob image in >mkfs.log
device=$(losetup --find --show --read-only blob)
mount -t erofs -o "ro,loop,device=$device" image at && mounted+=("$work/at")
losetup --detach "$device" # when it is unmounted
see "source" "$(lengths in)" "65536 65536"
see "kernel" "$(lengths at)" "65536 65536"
see "fsck.erofs, one device" \
  "$(said "$bin/fsck.erofs" --extract=one alone | cut -d : -f 1)" "exit 0"
see "extracted" "$(lengths one)" "65536 65536"
see "fsck.erofs, two devices" \
  "$(said "$bin/fsck.erofs" --extract=two --device=blob image | cut -d : -f 1)" "exit 0"
see "extracted" "$(lengths two)" "0 4096"
