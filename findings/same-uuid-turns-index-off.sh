#!/usr/bin/env bash
# Two EROFS images may have one UUID, as where each layer is made with the same -U. One would guess that this is of no
# consequence for layers below an overlayfs, or an error where it is of one. overlayfs with index=on, nfs_export=on
# mounts, exit 0, and has switched both off: the kernel's log alone has a line. Hard links then break at the first
# write, and file handles cannot be had. With UUIDs of their own both work.
source "$(dirname "$0")/common"
need_root
need mkfs.ext4
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir base top a b ext4 merged
echo one >base/file && ln base/file base/link
echo two >top/other
truncate -s 64M disk && mkfs.ext4 -q disk
mounted+=("$work/merged" "$work/a" "$work/b" "$work/ext4")
mount -o loop disk ext4
uuid=11111111-2222-4333-8444-55555555555

# linked LAST LAST: mounts two layers whose UUIDs end so, writes to a file with two names; how many it then has.
linked() {
  "$erofs/mkfs.erofs" --quiet -U "$uuid$1" base.erofs base >mkfs.log
  "$erofs/mkfs.erofs" --quiet -U "$uuid$2" top.erofs top >mkfs.log
  mount -t erofs -o ro,loop base.erofs a
  mount -t erofs -o ro,loop top.erofs b
  rm -rf ext4/upper ext4/work && mkdir ext4/upper ext4/work
  mount -t overlay -o lowerdir=b:a,upperdir=ext4/upper,workdir=ext4/work,index=on,nfs_export=on overlay merged
  echo more >>merged/file
  echo "index=on $(grep -c " $work/merged .*index=on" /proc/mounts || true) times, the other name has $(wc -l <merged/link) lines"
  umount merged a b
}
see "two UUIDs" "$(linked 1 2)" "index=on 1 times, the other name has 2 lines"
see "one UUID" "$(linked 1 1)" "index=on 0 times, the other name has 1 lines"
