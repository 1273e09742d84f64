#!/usr/bin/env bash
# cachestat(2) says how much of an open file is in memory (Linux 6.5), and newer versions of util-linux's fincore ask it.
# One would guess that it says what mincore(2) says of a map of that file. Of a file in an overlayfs it says that nothing
# is, also of one that was just written: it looks at overlayfs's own inode, which has no pages, while reads, writes and
# maps go to the file below. On EROFS itself, and in the upper directory, it counts them.
source "$(dirname "$0")/common"
need_root
need_linux 6.5
need python3 mkfs.ext4
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
old=$(debian bookworm util-linux=2.38.1-5+deb12u3 fincore)
new=$(debian trixie util-linux-extra=2.41.5-0+deb13u1 fincore)
echo "versions: Linux $(uname -r)"

cd "$work"
file_on_both upper work
mount -t overlay -o lowerdir=at,upperdir=ext4/upper,workdir=ext4/work overlay merged
head -c 65536 /dev/urandom >merged/new
pages=$((65536 / $(getconf PAGESIZE)))

# counted FILE: reads it; its pages in memory by cachestat(2), and by mincore(2).
counted() {
  python3 - "$1" <<'PY'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
file = os.open(sys.argv[1], os.O_RDONLY)
length = len(os.read(file, 1 << 20))
span, stat = (ctypes.c_uint64 * 2)(0, length), (ctypes.c_uint64 * 5)()
assert libc.syscall(451, file, span, stat, 0) == 0, os.strerror(ctypes.get_errno())
pages = ctypes.create_string_buffer(-(-length // os.sysconf("SC_PAGE_SIZE")))
assert libc.mincore(libc.mmap(None, length, 1, 1, file, 0), length, pages) == 0 # PROT_READ, MAP_SHARED
print(stat[0], "of", sum(page & 1 for page in pages.raw))
PY
}
fincore() { "$1/fincore" --noheadings --output PAGES "$2" | xargs; }

see "a file of EROFS: cachestat, mincore" "$(counted at/file)" "1 of 1"
see "the same in the overlayfs" "$(counted merged/file)" "0 of 1"
see "a new file, in the upper directory" "$(counted ext4/upper/new)" "$pages of $pages"
see "the same in the overlayfs" "$(counted merged/new)" "0 of $pages"
see "its pages by fincore 2.38.1" "$(fincore "$old" merged/new)" "$pages"
see "its pages by fincore 2.41.5" "$(fincore "$new" merged/new)" "0"
