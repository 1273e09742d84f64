#!/usr/bin/env bash
# O_DIRECT asks that reads pass the page cache. EROFS has it on a block device, for each layout of a file. One would guess
# that where Linux mounts the image from a file (6.12) it has it as well, or takes the flag and reads through the cache, as
# many file systems do. It does neither: open(2) says EINVAL, for every file, with the mount option `directio` too, and so it
# does in an overlayfs over it. A container whose program opens files of its image so runs over loop devices, and not over
# the same image mounted from its file.
source "$(dirname "$0")/common"
need_root
need python3 mkfs.ext4
need_linux 6.12
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir in at ext4 empty merged
seq 100000 >in/file
mounted+=("$work/merged" "$work/at" "$work/ext4")
truncate -s 64M disk && mkfs.ext4 -q disk
mount -o loop disk ext4 # tmpfs has no files to mount
"$erofs/mkfs.erofs" --quiet ext4/image in >mkfs.log

# direct FILE: all of it, by direct reads.
direct() {
  python3 - "$1" <<'PY'
import mmap, os, sys
try:
    file = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
    read = os.preadv(file, [page := mmap.mmap(-1, 1 << 20)], 0)
    print("right" if page[:read] == open("in/file", "rb").read() else "other bytes")
except OSError as error:
    print(error.strerror)
PY
}
# both: of a file at "at", and in an overlayfs over it.
both() {
  mount -t overlay -o lowerdir=at:empty overlay merged
  echo "$(direct at/file), in overlayfs: $(direct merged/file)"
  umount merged at
}
see "ext4" "$(cp in/file ext4 && direct ext4/file)" "right"
mount -t erofs -o ro,loop ext4/image at
see "EROFS on a loop device" "$(both)" "right, in overlayfs: right"
mount_file ext4/image at "" >said
see "the same image, from its file" "$(both)" "Invalid argument, in overlayfs: Invalid argument"
mount_file ext4/image at directio >said
see "the same, mounted with directio" "$(both)" "Invalid argument, in overlayfs: Invalid argument"
