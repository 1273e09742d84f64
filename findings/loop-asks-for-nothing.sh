#!/usr/bin/env bash
# fanotify's FAN_PRE_ACCESS (Linux 6.14) asks a program before a file is read, so that it can fetch what is not there yet:
# made for files that come when they are needed, as lazily pulled images are. One would guess that mounting such a file
# changes nothing, since its bytes are read all the same. It depends on the way: EROFS mounted from the file, without a loop
# device, asks for the data of files, in it or in a second device, and not for metadata: superblock, inodes and directories
# have to be there. Over a loop device, which mount(8) makes without saying so, nobody is asked at all: what is not there yet
# is zeros, without an error, and stays so in the page cache.
source "$(dirname "$0")/common"
need_root
need python3 mkfs.ext4 fallocate
need_linux 6.14
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir in at ext4
printf 'data%.0s' {1..262144} >in/file # of whole blocks, so that it lies in one piece
mounted+=("$work/at" "$work/ext4")
truncate -s 64M disk && mkfs.ext4 -q disk
mount -o loop disk ext4
"$erofs/mkfs.erofs" --quiet -b4096 image in >mkfs.log
data=$(python3 -c 'print(open("image", "rb").read().index(b"datadata"))') # where it begins, behind the metadata

# filled FILE OFFSET COMMAND...: runs it while a program fills ext4/lazy from this file, of which it has nothing from this
# offset on, where it is asked to; what the command prints, and whether the program was asked.
filled() {
  local whole=$1 offset=$2
  shift 2
  cp "$whole" ext4/lazy
  fallocate --punch-hole --offset "$offset" --length "$(stat -c %s "$whole")" ext4/lazy
  sync && echo 3 >/proc/sys/vm/drop_caches
  python3 - "$whole" "$@" <<'PY'
import ctypes, os, select, struct, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
PRE_CONTENT_CLASS, ADD, PRE_ACCESS, HERE = 8, 1, 0x100000, -100
group = libc.fanotify_init(PRE_CONTENT_CLASS, os.O_RDWR)
if group < 0 or libc.fanotify_mark(group, ADD, ctypes.c_uint64(PRE_ACCESS), HERE, b"ext4/lazy"):
    sys.exit(os.strerror(ctypes.get_errno()))
whole, asked = open(sys.argv[1], "rb").read(), 0
command = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE)
while command.poll() is None or select.select([group], [], [], 0)[0]:
    if not select.select([group], [], [], 0.1)[0]:
        continue
    event = os.read(group, 4096)
    while event:
        length, _, _, head, _, file, _ = struct.unpack_from("=IBBHQii", event)
        offset, count = struct.unpack_from("=QQ", event, head + 8)
        os.pwrite(file, whole[offset : offset + count], offset)
        os.write(group, struct.pack("=iI", file, 1))
        os.close(file)
        event, asked = event[length:], asked + 1
print(command.stdout.read().decode().strip() + (", asked" if asked else ", nobody asked"))
PY
}

# how FILE OFFSET: what is read there of the file that is in the image.
how() {
  python3 -c 'import sys
want, read = open("in/file", "rb").read(), open(sys.argv[1], "rb")
read.seek(int(sys.argv[2]))
bytes = read.read(len(want))
print("right" if bytes == want else "other bytes" if any(bytes) else "zeros")' "$@"
}
over_loop() { mount -t erofs -o ro,loop ext4/lazy at && how at/file 0 && umount at; }
# from_file IMAGE OPTIONS
from_file() {
  local mounted
  mounted=$(mount_file "$1" at "$2")
  if [[ $mounted == mounted ]]; then how at/file 0 && umount at; else echo "$mounted"; fi
}
export -f how over_loop from_file mount_file
tar -C in -cf layer.tar file
"$erofs/mkfs.erofs" --quiet --tar=i ext4/index layer.tar >mkfs.log
see "read(2) of the image's data" "$(filled image "$data" bash -c 'how ext4/lazy "$0"' "$data")" "right, asked"
see "a file in it, mounted from the image" "$(filled image "$data" bash -c 'from_file ext4/lazy ""')" "right, asked"
see "the same, its data in a tar as second device" \
  "$(filled layer.tar 0 bash -c 'from_file ext4/index device=ext4/lazy')" "right, asked"
see "the same, the metadata not there either" "$(filled image 0 bash -c 'from_file ext4/lazy ""')" "EINVAL, nobody asked"
see "mounted over a loop device" "$(filled image "$data" bash -c over_loop)" "zeros, nobody asked"
