#!/usr/bin/env bash
# Linux mounts an EROFS image that is a regular file without a loop device (6.12). One would guess that
# every file system that can hold a file will do. tmpfs, where /run and many temporary folders are, will
# not: mount(2) gives ENOTBLK, "Block device required", and nothing is logged. `mount` does not show
# it: it makes a loop device.
source "$(dirname "$0")/common"
need_root
need python3 mkfs.ext4
[[ $(uname -r | cut -d - -f 1 | xargs printf '6.12\n%s\n' | sort -V | head -n 1) == 6.12 ]] || {
  echo "needs Linux 6.12 or later"
  exit 2
}
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir in at tmpfs ext4 && echo x >in/f
mounted+=("$work/at" "$work/tmpfs" "$work/ext4")
truncate -s 32M disk && mkfs.ext4 -q disk
mount -o loop disk ext4
mount -t tmpfs tmpfs tmpfs
"$erofs/mkfs.erofs" --quiet image in >mkfs.log
cp image ext4 && cp image tmpfs
see "mount(2), file on ext4" "$(mount_file ext4/image at "")" "mounted"
umount at
see "mount(2), the same file on tmpfs" "$(mount_file tmpfs/image at "")" "ENOTBLK"
