#!/usr/bin/env bash
# GRUB 2.14 reads EROFS, and files in chunks (`mkfs.erofs --chunksize`). One would guess that it takes holes and data
# for what they are, as Linux does. It has them the other way round: a hole is an address to it, far behind the end,
# and an error; and a chunk in block 1 of the image is a hole, whose bytes it gives as zeros without an error. Block 1
# is where the first file of a small image lies, one whose metadata takes one block, as of a kernel alone in an image.
source "$(dirname "$0")/common"
need truncate
need_root # the kernel's view
grub=$(debian sid grub-common=2.14-4 grub-fstest)
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir in at && mounted+=("$work/at")
seq 5000 >in/full

# by_grub FILE: how GRUB reads it.
by_grub() {
  if "$grub/grub-fstest" "$work/image" cat "/$1" >got 2>said; then
    cmp -s "in/$1" got && echo "right" && return
    cmp -s <(tail -c +4097 "in/$1") <(tail -c +4097 got) && [[ -z $(head -c 4096 got | tr -d '\0') ]] &&
      echo "4096 zeros, the rest right"
  else
    sed "s/.*error: //; s/offset [0-9]*/offset N/; s/ .loop0.\.//" said | tail -n 1
  fi
}
# made OPTIONS: an image of the folder, which Linux reads right.
made() {
  "$erofs/mkfs.erofs" --quiet "$@" image in >mkfs.log
  mount -t erofs -o ro,loop image at
  see "mkfs.erofs $*, Linux" "$(diff -r in at && echo right)" "right"
  umount at
}
made -Enoinline_data
see "GRUB" "$(by_grub full)" "right"
made --chunksize=4096
see "GRUB" "$(by_grub full)" "4096 zeros, the rest right"
mv in/full in/hole && truncate -s 100000 in/hole
made -Enoinline_data
see "GRUB, zeros that are stored" "$(by_grub hole)" "right"
made --chunksize=4096
see "GRUB, a hole" "$(by_grub hole)" "read error at offset N: attempt to read or write outside of disk"
