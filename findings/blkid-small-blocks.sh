#!/usr/bin/env bash
# mkfs.erofs makes file systems with blocks of 512 bytes on request (tar indexes have them always),
# with a checksum in the superblock, and the kernel mounts them. util-linux 2.38 knows them for EROFS;
# one would guess that later versions do too. 2.41 and 2.42 verify the checksum over the block size less
# 1024 bytes, which is nothing at 512: blkid finds no file system, and so do udev and `mount` without -t.
source "$(dirname "$0")/common"
need_root
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
old=$(debian bookworm util-linux=2.38.1-5+deb12u3 blkid)
new=$(debian trixie util-linux=2.41.5-0+deb13u1 blkid)
newest=$(debian sid util-linux=2.42.4-1 blkid)

cd "$work"
type_by() {
  "$1/blkid" -p -o value -s TYPE image || true
}
mkdir in at && head -c 100000 /dev/zero >in/f
for block in 512 1024 4096; do
  "$erofs/mkfs.erofs" --quiet -b$block image in >mkfs.log
  mount -t erofs -o ro,loop image at && mounted+=("$work/at")
  see "$block, kernel" "$(cmp in/f at/f && echo same)" "same"
  umount at
  wanted=erofs
  ((block == 4096)) || wanted=""
  see "$block, blkid of util-linux 2.38.1" "$(type_by "$old")" "erofs"
  see "$block, blkid of util-linux 2.41.5" "$(type_by "$new")" "$wanted"
  see "$block, blkid of util-linux 2.42.4" "$(type_by "$newest")" "$wanted"
done
