#!/usr/bin/env bash
# preadv2(2) with RWF_NOWAIT reads what is in memory, and says EAGAIN if it is not; programs with event loops, and
# io_uring for each first try, rely on it. One would guess that every file system which reads through the page cache
# has it. EROFS says EOPNOTSUPP, for cached pages too, from a file as over a loop device: with io_uring each read goes
# to a thread. The same holds for overlayfs, whatever is below it. ext4 and XFS have it. Linux 6.1 and 6.12 do so too.
source "$(dirname "$0")/common"
need_root
need python3 mkfs.ext4 mkfs.xfs
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir in at ext4 xfs merged empty
seq 5000 >in/file
mounted+=("$work/merged" "$work/at" "$work/ext4" "$work/xfs")
for kind in ext4 xfs; do
  truncate -s 512M "$kind.disk"
  "mkfs.$kind" -q "$kind.disk"
  mount -o loop "$kind.disk" "$kind"
  cp in/file "$kind"
done
"$erofs/mkfs.erofs" --quiet image in >mkfs.log
mount -t erofs -o ro,loop image at
mount -t overlay -o lowerdir=ext4:empty overlay merged

# at_once FILE: reads it, so that it is in memory, and then without waiting.
at_once() {
  python3 - "$1" <<'PY'
import os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
os.pread(file, 4096, 0)
try:
    print(os.preadv(file, [bytearray(4096)], 0, os.RWF_NOWAIT), "bytes")
except OSError as error:
    print(error.strerror)
PY
}
see "ext4" "$(at_once ext4/file)" "4096 bytes"
see "XFS" "$(at_once xfs/file)" "4096 bytes"
see "overlayfs over ext4" "$(at_once merged/file)" "Operation not supported"
see "EROFS" "$(at_once at/file)" "Operation not supported"
