#!/usr/bin/env bash
# Linux mounts an EROFS image that is a regular file without a loop device (6.12). One would guess that
# every file system that can hold a file will do. tmpfs, where /run and many temporary folders are, will
# not, nor will overlayfs, which is the root of containers, whatever is below it: mount(2) gives ENOTBLK,
# "Block device required", and nothing is logged. `mount` does not show it: it makes a loop device.
source "$(dirname "$0")/common"
need_root
need python3 mkfs.ext4
need_linux 6.12
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir in at tmpfs ext4 merged && echo x >in/f
mounted+=("$work/at" "$work/merged" "$work/tmpfs" "$work/ext4")
truncate -s 32M disk && mkfs.ext4 -q disk
mount -o loop disk ext4
mount -t tmpfs tmpfs tmpfs
mkdir ext4/lower ext4/empty
mount -t overlay -o lowerdir=ext4/lower:ext4/empty overlay merged
"$erofs/mkfs.erofs" --quiet image in >mkfs.log
cp image ext4 && cp image tmpfs && cp image ext4/lower
see "mount(2), file on ext4" "$(mount_file ext4/image at "")" "mounted"
umount at
see "mount(2), the same file on tmpfs" "$(mount_file tmpfs/image at "")" "ENOTBLK"
see "mount(2), the same through overlayfs over ext4" "$(mount_file merged/image at "")" "ENOTBLK"
