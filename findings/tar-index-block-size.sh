#!/usr/bin/env bash
# `mkfs.erofs --tar=i -b4096` makes the index of a tar; containerd calls it with just these options. One
# would guess blocks of 4096 bytes, as with --tar=f, or an error. The option is ignored without a word,
# the blocks have 512 bytes, and a dm-verity device with data blocks of 4096 bytes can't carry them.
source "$(dirname "$0")/common"
need tar
bin=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs dump.erofs)

cd "$work"
echo x >f && tar -cf layer.tar f
for kind in f i; do
  see "--tar=$kind -b4096" \
    "$(said "$bin/mkfs.erofs" --quiet --tar=$kind -b4096 image layer.tar | cut -d : -f 1)" "exit 0"
  wanted=4096
  [[ $kind == f ]] || wanted=512
  see "--tar=$kind -b4096, block size" \
    "$("$bin/dump.erofs" -s image | sed -n 's/^Filesystem blocksize: *//p')" "$wanted"
done
