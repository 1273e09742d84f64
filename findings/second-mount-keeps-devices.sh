#!/usr/bin/env bash
# An EROFS image whose data is in a second device is mounted with device=. One would guess that a second mount with
# another device= shows the bytes of that one, or fails. A file system that is mounted already is taken as it is, with
# the options of its first mount: the second one succeeds, and shows the bytes of the *first* device. So it is also
# with `mount -o loop` of one file, where mount(8) finds the loop device that is there. Mounted without a loop device
# (mount(2), Linux 6.12), each mount is its own.
source "$(dirname "$0")/common"
need_root
need losetup python3
[[ $(uname -r | cut -d - -f 1 | xargs printf '6.12\n%s\n' | sort -V | head -n 1) == 6.12 ]] || {
  echo "needs Linux 6.12 or later"
  exit 2
}
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r), $(mount --version)"

cd "$work"
mkdir in one two
python3 -c 'print("A" * 4095)' >in/file
"$erofs/mkfs.erofs" --quiet --chunksize=4096 --blobdev=A image in >mkfs.log
tr A B <A >B # another device for the same image
mounted+=("$work/one" "$work/two")
a='' b=''
trap 'umount one two 2>/dev/null || true; losetup -d $a $b 2>/dev/null || true; leave' EXIT
a=$(losetup --find --show --read-only A) b=$(losetup --find --show --read-only B)
letter() { head -c 1 "$1/file"; }
mount -t erofs -o "ro,loop,device=$a" image one
mount -t erofs -o "ro,loop,device=$b" image two
see "first mount, device=A" "$(letter one)" "A"
see "second mount, device=B, exit 0" "$(letter two)" "A"
umount one two
mount -t erofs -o "ro,loop,device=$b" image two
see "device=B alone" "$(letter two)" "B"
umount two
see "without loop devices" "$(mount_file image one device=A) $(mount_file image two device=B)" "mounted mounted"
see "first and second mount" "$(letter one) $(letter two)" "A B"
