#!/usr/bin/env bash
# `mkfs.erofs --chunksize=4096` leaves holes out, and Linux finds them there (SEEK_HOLE). One would guess
# that `dump.erofs -e` lists no extent for a file that is one hole, or one that is not mapped. It lists its
# length as data at 16 TiB (block 2^32 - 1), behind the image's end, and counts it as size on disk: so
# erofs-utils reads holes of such maps there, and what it gets is zeros because the file has ended.
source "$(dirname "$0")/common"
need truncate python3
need_root # the kernel's view
bin=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs dump.erofs)

cd "$work"
mkdir in at
truncate -s 64K in/hole
"$bin/mkfs.erofs" --quiet --chunksize=4096 image in >mkfs.log
mount -t erofs -o ro,loop image at && mounted+=("$work/at")
see "kernel, first byte of data" \
  "$(python3 -c 'import os; f = os.open("at/hole", os.O_RDONLY); print(os.lseek(f, 0, os.SEEK_DATA))' \
    2>&1 | grep -o 'No such device or address')" "No such device or address"
"$bin/dump.erofs" -e --path=/hole image >dump.log
see "dump.erofs, size on disk" "$(sed -n 's/.*On-disk size: *\([0-9]*\).*/\1/p' dump.log)" "65536"
see "dump.erofs, its extent" \
  "$(sed -n 's/.*: *\([0-9]*\)\.\.\([0-9]*\) |.*/\1/p' dump.log)" "17592186040320"
see "2^32 - 1 blocks of 4096" "$((((1 << 32) - 1) * 4096))" "17592186040320"
