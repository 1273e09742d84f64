#!/usr/bin/env bash
# A file that was changed in an overlayfs remembers which file below it is a copy of, by a file handle of that one
# (`trusted.overlay.origin`). One would guess that a handle dies with the image: ext4 that was made anew, with the same
# UUID and the same inode numbers, says ESTALE, as its inodes have generations. EROFS's have none. Where an image is
# built anew with a UUID that is given (`mkfs.erofs -U`), the handle opens whatever has that place now. Below an upper
# directory that was kept, overlayfs takes the two files for one, without a word: the file that nobody touched shows the
# changed one's bytes, and if it is opened first, the changed one is ESTALE. What is written to it is written to both,
# which are hard links of each other in the upper directory from then on. With another UUID overlayfs asks no handle, and
# all is well. The kernel's overlayfs.rst allows to change what is below while nothing is mounted, without the options
# that are off here.
source "$(dirname "$0")/common"
need_root
need python3 mkfs.ext4
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir old new at ext4 upper-ext4 merged
(cd old && echo 1 >a && echo 2 >b && echo 3 >c)
(cd new && echo 2 >b && echo 3 >c && echo 4 >d) # one file left out, and one more
off=index=off,metacopy=off,xino=off,redirect_dir=off
uuid=11111111-2222-3333-4444-555555555555 other=66666666-2222-3333-4444-555555555555
truncate -s 64M disk && mkfs.ext4 -q disk
mounted+=("$work/merged" "$work/at" "$work/upper-ext4")
mount -o loop disk upper-ext4

# make KIND TREE UUID: a file system of these files, "image"
make() {
  rm -f image
  if [[ $1 == erofs ]]; then
    "$erofs/mkfs.erofs" --quiet -U "$3" image "$2" >mkfs.log
  else
    truncate -s 64M image && mkfs.ext4 -q -U "$3" image
    mount -o loop image ext4
    cp "$2"/* ext4
    umount ext4
  fi
}

# handle FILE: writes it to "handle"; opened DIR: the bytes of what it opens there.
handle() { by_handle take "$1"; }
opened() { by_handle open "$1"; }
by_handle() {
  python3 - "$@" <<'PY'
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
class Handle(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_uint), ("kind", ctypes.c_int), ("data", ctypes.c_ubyte * 128)]
what, path = sys.argv[1:]
if what == "take":
    handle, mount = Handle(128), ctypes.c_int()
    assert libc.name_to_handle_at(-100, os.fsencode(path), ctypes.byref(handle), ctypes.byref(mount), 0) == 0
    open("handle", "wb").write(bytes(handle))
else:
    handle = Handle.from_buffer_copy(open("handle", "rb").read())
    file = libc.open_by_handle_at(os.open(path, os.O_RDONLY), ctypes.byref(handle), os.O_RDONLY)
    print(os.read(file, 9).decode().strip() if file >= 0 else errno.errorcode[ctypes.get_errno()])
PY
}

# below KIND: mounts the image, and an overlayfs over it
below() {
  mount -t "$1" -o ro,loop image at
  mount -t overlay -o "lowerdir=at,upperdir=upper-ext4/$1,workdir=upper-ext4/$1-work,$off" overlay merged
}

# again KIND: mounts the image and the overlayfs once more, so that nothing is in memory of before
again() {
  umount merged at
  below "$1"
}
bytes() { cat "$@" 2>&1 | sed 's/.*: //' | xargs; }

# kept KIND UUID: b is changed over the first image, and the second one takes its place
kept() {
  echo "$1, made anew with $([[ $2 == "$uuid" ]] && echo the same UUID || echo another UUID)"
  rm -rf "upper-ext4/$1" "upper-ext4/$1-work" && mkdir "upper-ext4/$1" "upper-ext4/$1-work"
  make "$1" old "$uuid"
  below "$1"
  echo 9 >merged/b
  handle at/b
  umount merged at
  make "$1" new "$2"
  below "$1"
}

kept ext4 "$uuid"
see "  the handle of the old b opens" "$(opened at)" "ESTALE"
see "  b, c" "$(bytes merged/b merged/c)" "9 3"
umount merged at

kept erofs "$uuid"
see "  the handle of the old b opens" "$(opened at)" "3"
see "  b, c of the image" "$(bytes at/b at/c)" "2 3"
see "  b, c" "$(bytes merged/b merged/c)" "9 9"
again erofs
see "  c, b, in this order" "$(bytes merged/c merged/b)" "3 Stale file handle"
again erofs
bytes merged/b merged/c >/dev/null
echo 7 >merged/c
again erofs
see "  b, c, and 7 was written to c" "$(bytes merged/b merged/c)" "7 7"
linked=$([[ upper-ext4/erofs/b -ef upper-ext4/erofs/c ]] && echo "hard links" || echo "two files")
see "  b and c in the upper directory" "$linked" "hard links"
umount merged at

kept erofs "$other"
see "  b, c" "$(bytes merged/b merged/c)" "9 3"
