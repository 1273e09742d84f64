#!/usr/bin/env bash
# EROFS tells statx(2) that its files are immutable, which is true. One would guess that overlayfs, which puts a
# directory that can be written to above them, says what holds of *its* files. It passes the attribute on: in a
# container over EROFS layers every file that was not changed yet is "immutable" to statx, and can be written to.
# The first write takes the attribute away. Over layers in directories of ext4 there is none.
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
mkdir ext4/{lower,upper,work,upper2,work2}
cp in/file ext4/lower
"$erofs/mkfs.erofs" --quiet image in >mkfs.log
mount -t erofs -o ro,loop image at

# attribute FILE: whether statx has STATX_ATTR_IMMUTABLE for it.
attribute() {
  python3 - "$1" <<'PY'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
told = (ctypes.c_uint64 * 32)()
if libc.statx(-100, os.fsencode(sys.argv[1]), 0, 0x7ff, told):
    sys.exit(os.strerror(ctypes.get_errno()))
print("immutable" if told[1] & 0x10 else "not immutable")
PY
}
see "EROFS" "$(attribute at/file)" "immutable"
mount -t overlay -o lowerdir=ext4/lower,upperdir=ext4/upper2,workdir=ext4/work2 overlay merged
see "overlayfs over ext4" "$(attribute merged/file)" "not immutable"
umount merged
mount -t overlay -o lowerdir=at,upperdir=ext4/upper,workdir=ext4/work overlay merged
see "overlayfs over EROFS" "$(attribute merged/file)" "immutable"
see "a write to it" "$(echo two >>merged/file && cat merged/file | tr '\n' ' ')" "one two "
see "after that" "$(attribute merged/file)" "not immutable"
