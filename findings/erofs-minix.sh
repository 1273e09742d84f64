#!/usr/bin/env bash
# What kind of file system an image has does not depend on how many files are in it, one would guess.
# EROFS keeps its count of inodes where minix has its magic number, and libblkid of util-linux 2.41
# believes it: an EROFS with 4991 inodes is "minix" (with 4990 "erofs"), and so to everyone who asks it,
# `mount image dir` too. With `-t erofs` the kernel mounts it.
source "$(dirname "$0")/common"
need_root
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
blkid=$(debian trixie util-linux=2.41.5-0+deb13u1 blkid)

cd "$work"
mkdir in at
(cd in && seq 4989 | xargs touch) # and the root
see "4990 inodes" "$("$erofs/mkfs.erofs" --quiet image in >mkfs.log &&
  "$blkid/blkid" -p -o value -s TYPE image)" "erofs"
touch in/4990
see "4991 inodes" "$("$erofs/mkfs.erofs" --quiet image in >mkfs.log &&
  "$blkid/blkid" -p -o value -s TYPE image)" "minix"
mount -t erofs -o ro,loop image at && mounted+=("$work/at")
see "4991 inodes, files in the mount" "$(find at -type f | wc -l)" "4990"
