#!/usr/bin/env bash
# `mkfs.erofs -U clear` makes images whose bytes do not change from build to build, and Linux mounts them from a file, without
# a loop device, since 6.12. One would guess that nothing asks for that UUID. Such a mount is file system 0 to statfs(2), and
# fanotify(7), which names files by file systems (FAN_REPORT_FID), cannot watch it whole: ENODEV. One directory of it can
# be watched, but then that listener gets no other file system, EXDEV, and one that has another already gets none of this.
# Over a loop device, whose number it takes, and with a UUID all of that works.
source "$(dirname "$0")/common"
need_root
need_linux 6.12
need python3
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir in at other
echo one >in/file
"$erofs/mkfs.erofs" --quiet -U clear cleared in >mkfs.log
"$erofs/mkfs.erofs" --quiet -U 11111111-2222-3333-4444-555555555555 given in >mkfs.log
mounted+=("$work/at" "$work/other")
mount -t tmpfs none other

# watched KIND:PATH...: whether one listener takes them, all of a file system or one directory each.
watched() {
  python3 - "$@" <<'PY'
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
FAN_REPORT_DFID_NAME, FAN_MARK_ADD, FAN_MARK_FILESYSTEM, FAN_OPEN, FAN_ONDIR = 0xC00, 0x1, 0x100, 0x20, 0x40000000
listener, words = libc.fanotify_init(FAN_REPORT_DFID_NAME, os.O_RDONLY), []
for each in sys.argv[1:]:
    kind, path = each.split(":", 1)
    flags = FAN_MARK_ADD | (FAN_MARK_FILESYSTEM if kind == "whole" else 0)
    mask = ctypes.c_uint64(FAN_OPEN | FAN_ONDIR)
    failed = libc.fanotify_mark(listener, flags, mask, -100, os.fsencode(path))
    words.append(errno.errorcode[ctypes.get_errno()] if failed else "yes")
print(*words)
PY
}
# all: the ID of what is mounted, and what can be watched
all() {
  local id=other
  [[ $(stat -f -c %i at) != 0 ]] || id=0
  echo "ID $id, whole: $(watched whole:at), and another: $(watched one:at one:other), before it: $(watched one:other one:at)"
  umount at
}
good="ID other, whole: yes, and another: yes yes, before it: yes yes"
mount_file given at '' >mount.log
see "a UUID, from a file" "$(all)" "$good"
mount -t erofs -o ro,loop cleared at
see "-U clear, over a loop device" "$(all)" "$good"
mount_file cleared at '' >mount.log
see "-U clear, from a file" "$(all)" "ID 0, whole: ENODEV, and another: yes EXDEV, before it: yes EXDEV"
