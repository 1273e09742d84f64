#!/usr/bin/env bash
# An EROFS image that is a regular file is mounted without a loop device (Linux 6.12). One would guess that a page of
# it is kept in memory once, as with a block device. It is kept twice: as a page of the file in the mount, and as one
# of the image file, which EROFS reads through the page cache of the file system that it lies on. The mount option
# `directio` (6.12.117 and 6.18 have it) keeps it once; on Btrfs not where the image has blocks of 512 bytes, and no
# error says so. One would guess the same of a disk with sectors of 4096 bytes: there such an image is mounted without an
# error too, and then each read of a file in it is one. A loop device keeps it twice as well, and `losetup --direct-io=on` its cure.
source "$(dirname "$0")/common"
need_root
need losetup python3 mkfs.ext4 mkfs.btrfs
need_linux 6.12
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir in at
head -c 16M /dev/urandom >in/file # 4096 pages of 4096 bytes

# mount_disk FOLDER: what it is named after, with sectors of so many bytes; the loop device goes with the mount.
mount_disk() {
  local loop
  loop=$(losetup --find --show --sector-size "${1#*-}" "$1.disk")
  mount "$loop" "$1"
  losetup --detach "$loop"
}
for disk in ext4-512 btrfs-512 ext4-4096; do
  mkdir "$disk" && mounted+=("$work/$disk")
  truncate -s 256M "$disk.disk"
  case $disk in
    ext4*) mkfs.ext4 -q -b 4096 "$disk.disk" ;;
    btrfs*) mkfs.btrfs -q "$disk.disk" >mkfs.log 2>&1 ;;
  esac
  mount_disk "$disk"
  for block in 512 4096; do
    "$erofs/mkfs.erofs" --quiet -b "$block" "$disk/$block" in >mkfs.log
  done
done
mounted=("$work/at" "${mounted[@]}")
sync

# held IMAGE OPTIONS: what is in memory after the 16 MiB were read: of the file, and of the image.
held() {
  local disk=${1%/*}
  umount "$disk"
  mount_disk "$disk" # anew, which leaves nothing of it in memory
  if [[ $2 == loop ]]; then
    mount -t erofs -o ro,loop "$1" at
  else
    [[ $(mount_file "$1" at "$2") == mounted ]]
  fi
  if cat at/file >/dev/null 2>said; then
    cached at/file "$1"
  else
    sed 's/.*: //' said
  fi
  umount at
}
see "a file on ext4" "$(held ext4-512/4096 '')" "16 + 16"
see "with directio" "$(held ext4-512/4096 directio)" "16 + 0"
see "with directio, blocks of 512" "$(held ext4-512/512 directio)" "16 + 0"
see "on Btrfs, with directio" "$(held btrfs-512/4096 directio)" "16 + 0"
see "on Btrfs, with directio, blocks of 512" "$(held btrfs-512/512 directio)" "16 + 16"
see "sectors of 4096, with directio" "$(held ext4-4096/4096 directio)" "16 + 0"
see "sectors of 4096, blocks of 512" "$(held ext4-4096/512 '')" "16 + 16"
see "sectors of 4096, blocks of 512, with directio" "$(held ext4-4096/512 directio)" "Input/output error"
see "by a loop device" "$(held ext4-512/4096 loop)" "16 + 16"
