#!/usr/bin/env bash
# A file of an EROFS with a device table may lie in any of its devices. One would guess that FIEMAP gives a place that
# is one file's alone, by an offset into all devices, as the image's own block numbers can be, or flags it as unknown.
# It gives the offset in the device that holds the file, and says neither which that is, nor that there are several:
# two files with nothing in common have the same extents, by filefrag too, and none is flagged as shared.
source "$(dirname "$0")/common"
need_root
need python3 filefrag
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r), $(filefrag -V 2>&1 | head -n 1)"

cd "$work"
mkdir at
for name in a b; do
  mkdir "in$name"
  # No two chunks are equal: mkfs.erofs writes such ones once.
  python3 -c 'import sys; print(end="".join(sys.argv[1] * 4 + "%4092d" % chunk for chunk in range(256)))' "$name" >"in$name/$name"
  "$erofs/mkfs.erofs" --quiet --chunksize=4096 --blobdev="device$name" "image$name" "in$name" >mkfs.log 2>&1
done
"$erofs/mkfs.erofs" --quiet image imagea imageb >mkfs.log 2>&1
mounted+=("$work/at")
see "mount" "$(mount_file image at "device=$work/devicea,device=$work/deviceb")" "mounted"

extents() { filefrag -v "$1" | sed -n 's/^ *0: *0\.\. *255: *\([0-9]*\)\.\. *\([0-9]*\): *256: */blocks \1 to \2, /p'; }
see "what is in a, in b" "$(head -c 4 at/a) $(head -c 4 at/b)" "aaaa bbbb"
see "extents of a" "$(extents at/a)" "blocks 0 to 255, last,eof"
see "extents of b" "$(extents at/b)" "blocks 0 to 255, last,eof"
