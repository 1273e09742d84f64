#!/usr/bin/env bash
# `fsck.erofs --extract --xattrs` restores extended attributes, and `setfattr -n user.b f` makes a valid
# one without a value. One would guess that it is restored, or that fsck.erofs ends with an error: it
# checks file systems. It drops this attribute and all that follow it, and its exit status is 0.
source "$(dirname "$0")/common"
need setfattr getfattr
need_root # the kernel's view
bin=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs fsck.erofs)

cd "$work"
mkdir in at && echo x >in/f
setfattr -n user.a -v 1 in/f
setfattr -n user.b in/f
setfattr -n user.c -v 3 in/f
"$bin/mkfs.erofs" --quiet image in >mkfs.log
names() {
  getfattr --absolute-names "$1" | grep -o '^user.*' | xargs
}
mount -t erofs -o ro,loop image at && mounted+=("$work/at")
see "source" "$(names in/f)" "user.a user.b user.c"
see "kernel" "$(names at/f)" "user.a user.b user.c"
see "fsck.erofs" "$(said "$bin/fsck.erofs" --extract=out --xattrs image | cut -d : -f 1)" "exit 0"
see "fsck.erofs, extracted" "$(names out/f)" "user.a"
