#!/usr/bin/env bash
# The block size of an EROFS is its st_blksize, and overlayfs passes it on. One would guess that it matters to the
# kernel alone, and that blocks of 512 bytes, which tars are laid out in, cost a container nothing once a file is in
# memory. But C's stdio makes its buffer as large as st_blksize says, if that is less than 8 KiB, and so does Python's
# io up to 3.13: sed, cut, uniq and all that reads by fgets or getline make eight times as many system calls as over
# blocks of 4096. What has a buffer of its own (grep, cat, sort, awk, perl, C++) does not.
source "$(dirname "$0")/common"
need_root
need python3 strace gcc sed cut mkfs.ext4
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r), glibc $(getconf GNU_LIBC_VERSION | cut -d ' ' -f 2), $(python3 --version)"

cd "$work"
mkdir in at merged
python3 -c 'print(end="".join("%079d\n" % line for line in range(20000)))' >in/file # 1,600,000 bytes
cat >lines.c <<'C'
#include <stdio.h>
int main(int argc, char **argv) {
  FILE *file = fopen(argv[argc - 1], "r");
  char line[100];
  while (fgets(line, sizeof line, file)) continue;
  return 0;
}
C
gcc -o lines lines.c
mounted+=("$work/merged" "$work/at")
ext4_disk 64M

# bytes COMMAND...: how many it asks for in the most of its reads of the file.
bytes() {
  strace -f -o trace -P "$work/merged/file" -e trace=read "$@" >/dev/null 2>&1
  sed -n 's/.*read(.*, \([0-9]*\)) *= [1-9].*/\1/p' trace | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }'
}

# over SIZE: what programs read by over blocks of that size, in a container's file system.
over() {
  local block=$1 file=$work/merged/file lines='import sys
for line in open(sys.argv[1], "rb"): pass'
  "$erofs/mkfs.erofs" --quiet -b "$block" image in >mkfs.log
  mkdir "ext4/upper$block" "ext4/work$block"
  mount -t erofs -o ro,loop image at
  mount -t overlay -o "lowerdir=at,upperdir=ext4/upper$block,workdir=ext4/work$block" overlay merged
  see "blocks of $block: st_blksize, EROFS, overlayfs" "$(stat -c %o at/file merged/file | xargs)" "$block $block"
  see "  a read by fgets, sed, cut" \
    "$(bytes ./lines "$file") $(bytes sed -n p "$file") $(bytes cut -c 1 "$file")" "$block $block $block"
  see "  by cat" "$(bytes cat "$file")" "131072"
  python3 -c 'import sys; sys.exit(sys.version_info >= (3, 14))' || return 0
  see "  by Python" "$(bytes python3 -c "$lines" "$file")" "$block"
}
over 4096
umount merged && umount at && rm image
over 512
