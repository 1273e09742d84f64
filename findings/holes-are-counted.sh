#!/usr/bin/env bash
# EROFS keeps holes as holes, and the kernel's SEEK_HOLE finds them. One would guess that what copies sparse files
# well from ext4 does so from an image. But st_blocks counts holes too, for every file that is not compressed, and GNU
# cp and GNU tar --sparse look for holes only where st_blocks is less than the size: they write each zero out. So does
# du count it. An overlayfs keeps the holes when it copies such a file up, and then it is sparse to all of them.
source "$(dirname "$0")/common"
need_root
need python3 mkfs.ext4 tar cp
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r), $(cp --version | head -n 1), $(tar --version | head -n 1)"

cd "$work"
mkdir in at merged
python3 - <<'PY'
with open("in/file", "wb") as file:
    file.truncate(64 << 20)
    file.seek(32 << 20)
    file.write(b"x" * 4096)
PY
"$erofs/mkfs.erofs" --quiet --chunksize=4096 image in >mkfs.log
mounted+=("$work/merged" "$work/at")
ext4_disk 512M
mkdir ext4/{upper,work,out}
mount -t erofs -o ro,loop image at
cp --sparse=always in/file ext4/out/origin

# mib FILE: what is written of it on ext4, to the next MiB: a file on disk may have a few KiB more.
mib() { echo "$((($(stat -c %b "$1") + 2047) / 2048)) MiB"; }
holes() {
  python3 - "$1" <<'PY'
import os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
data = os.lseek(file, 0, os.SEEK_DATA)
print(f"data from {data >> 20} MiB, {os.lseek(file, data, os.SEEK_HOLE) - data} bytes")
PY
}
see "the image, of a file of 64 MiB" "$((($(stat -c %s image) + (1 << 20) - 1) >> 20)) MiB" "1 MiB"
see "SEEK_DATA and SEEK_HOLE there" "$(holes at/file)" "data from 32 MiB, 4096 bytes"
see "st_blocks, ext4 and EROFS" "$(mib ext4/out/origin), $(mib at/file)" "1 MiB, 64 MiB"
cp ext4/out/origin ext4/out/copy1 && cp at/file ext4/out/copy2
see "cp from ext4, from EROFS" "$(mib ext4/out/copy1), $(mib ext4/out/copy2)" "1 MiB, 64 MiB"
cp --sparse=always at/file ext4/out/copy3
see "cp --sparse=always" "$(mib ext4/out/copy3)" "1 MiB"
tar --sparse -C ext4/out -cf ext4/out/tar1 origin && tar --sparse -C at -cf ext4/out/tar2 file
see "tar --sparse of ext4, of EROFS" "$(mib ext4/out/tar1), $(mib ext4/out/tar2)" "1 MiB, 65 MiB"
mount -t overlay -o lowerdir=at,upperdir=ext4/upper,workdir=ext4/work overlay merged
touch merged/file
see "overlayfs, copied up" "$(mib merged/file)" "1 MiB"
