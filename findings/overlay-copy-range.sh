#!/usr/bin/env bash
# copy_file_range(2) copies between any two files of one file system. One would guess that two files of one overlayfs
# are that: they have one mount. Where the source is still in a layer of EROFS, and the target in the upper directory
# on ext4, it is EXDEV, "Invalid cross-device link", as the call is handed to the files below. Between files that both
# are in the upper directory it works, so that a program which takes EXDEV for an error fails on files of the image,
# and no more once they were written to.
source "$(dirname "$0")/common"
need_root
need python3 mkfs.ext4
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir in at ext4 merged
echo one >in/file
truncate -s 64M disk && mkfs.ext4 -q disk
mounted+=("$work/merged" "$work/at" "$work/ext4")
mount -o loop disk ext4
mkdir ext4/{upper,work,lower,upper2,work2}
cp in/file ext4/lower
"$erofs/mkfs.erofs" --quiet image in >mkfs.log
mount -t erofs -o ro,loop image at
copy() {
  python3 - "$@" <<'PY'
import errno, os, sys
source, target = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_RDWR | os.O_CREAT, 0o644)
try:
    print(os.copy_file_range(source, target, 4), "bytes")
except OSError as error:
    print(errno.errorcode[error.errno])
PY
}
mount -t overlay -o lowerdir=at,upperdir=ext4/upper,workdir=ext4/work overlay merged
see "a file of the EROFS layer" "$(copy merged/file merged/new)" "EXDEV"
touch -c merged/file
see "after touch, which copies it up" "$(copy merged/file merged/new)" "4 bytes"
umount merged
mount -t overlay -o lowerdir=ext4/lower,upperdir=ext4/upper2,workdir=ext4/work2 overlay merged
see "a file of a layer on the upper's ext4" "$(copy merged/file merged/new)" "4 bytes"
