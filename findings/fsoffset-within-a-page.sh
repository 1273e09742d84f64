#!/usr/bin/env bash
# EROFS takes `fsoffset=N` (Linux 6.16): the image begins at byte N of its file, and N must be a multiple
# of the image's block, which may be 512. One would guess that 512 then means byte 512. What is left of N
# over whole pages is dropped: an image at byte 512 is not found, and an image at byte 0 mounts with
# fsoffset=512 and gives *other bytes*, without an error. Multiples of the page are right.
source "$(dirname "$0")/common"
need_root
need losetup
need_linux 6.16
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
page=$(getconf PAGESIZE)
mkdir in at && seq 5000 >in/f
"$erofs/mkfs.erofs" --quiet -b512 at-0 in >mkfs.log
(head -c 512 /dev/zero && cat at-0) >at-512
(head -c "$page" /dev/zero && cat at-0) >at-page
try() { # FILE OFFSET
  if mount -t erofs -o ro,loop,fsoffset="$2" "$1" at 2>/dev/null; then
    cmp -s in/f at/f && echo "right bytes" || echo "wrong bytes"
    umount at
  else
    echo "refused"
  fi
}
mounted+=("$work/at")
see "image at 0, fsoffset=0" "$(try at-0 0)" "right bytes"
see "image at a page, fsoffset=page" "$(try at-page "$page")" "right bytes"
see "image at 512, fsoffset=512" "$(try at-512 512)" "refused"
see "image at 0, fsoffset=512" "$(try at-0 512)" "wrong bytes"
