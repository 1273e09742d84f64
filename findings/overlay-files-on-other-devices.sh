#!/usr/bin/env bash
# Layers that are directories of one ext4 have one st_dev in an overlayfs, their files as their directories. One would
# guess that nothing changes there when each layer is an EROFS, or all are one. But then overlayfs gives files a device
# number of the layer that they are in, also those that are written in the container, and directories its own. What
# stays on one file system takes each file for another's: `restic backup --one-file-system` saves directories without
# one file, `du -x` counts none, and `mksquashfs -one-file-system` packs none, which alone says so; exit 0 of all. (tar,
# cp -x, rsync -x and find -xdev ask it of directories alone.) The mount option xino=auto, which is not the default of
# Debian's kernels, gives one number again; inode numbers have 64 bits then.
source "$(dirname "$0")/common"
need_root
need python3 mkfs.ext4 du
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
restic=$(debian trixie restic=0.18.0-1+b4 restic)
squashfs=$(debian trixie squashfs-tools=1:4.6.1-1 mksquashfs)
echo "versions: Linux $(uname -r), $(du --version | head -n 1)"

cd "$work"
file_on_both upper work upper2 work2 upper3 work3
export RESTIC_PASSWORD=test RESTIC_CACHE_DIR=$work/cache

# tried NAME OPTIONS DEVICES FOUND: an overlay by these options, with a file of its layer and one that is written to it; how
# many device numbers there are, and how many of the two files each program finds.
tried() {
  local found options=$2
  mount -t overlay -o "$options" overlay merged
  echo two >merged/new
  see "$1: device numbers" "$(stat -c %d merged merged/file merged/new | sort -u | wc -l)" "$3"
  rm -rf repository image2
  "$restic/restic" -q init -r repository
  "$restic/restic" -q -r repository backup --one-file-system merged >/dev/null
  found=$("$restic/restic" -q -r repository ls latest | grep -cE '/(file|new)$' || true)
  "$squashfs/mksquashfs" merged image2 -one-file-system -no-progress >squashed 2>&1
  found+=" $(sed -n 's/^Number of files *//p' squashed) $(du -xa merged | grep -cE '/(file|new)$' || true)"
  see "  restic, mksquashfs and du -x find" "$found" "$4"
  umount merged
}
tried "layers of one ext4" lowerdir=ext4/lower,upperdir=ext4/upper,workdir=ext4/work 1 "2 2 2"
tried "a layer of EROFS" lowerdir=at,upperdir=ext4/upper2,workdir=ext4/work2 3 "0 0 0"
tried "the same, xino=auto" lowerdir=at,upperdir=ext4/upper3,workdir=ext4/work3,xino=auto 1 "2 2 2"
