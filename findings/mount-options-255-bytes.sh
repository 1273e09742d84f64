#!/usr/bin/env bash
# Since version 2.39 util-linux mounts with fsconfig(2), one string for each option; before, all were
# one string of up to a page. One would guess that what mounted still mounts: it has the same bytes. A
# string for fsconfig(2) ends at 255 bytes, so `mount -o lowerdir=A:B:C` that is longer fails, "wrong
# fs type, bad option". With the old system call (LIBMOUNT_FORCE_MOUNT2) the same program mounts it.
source "$(dirname "$0")/common"
need_root
old=$(debian bookworm mount=2.38.1-5+deb12u3 mount)
new=$(debian trixie mount=2.41.5-0+deb13u1 mount)

cd "$work"
long=$(printf 'x%.0s' {1..100})
mkdir $long-{1,2,3} at && touch $long-{1,2,3}/f
try() {
  local status=0
  "$@" -t overlay overlay at >mount.log 2>&1 || status=$?
  ((status)) || umount at
  echo "exit $status"
}
short=lowerdir=$long-1:$long-2 more=lowerdir=$long-1:$long-2:$long-3
mounted+=("$work/at")
see "2.41.5, ${#short} bytes" "$(try "$new/mount" -o "$short")" "exit 0"
see "2.38.1, ${#more} bytes" "$(try "$old/mount" -o "$more")" "exit 0"
see "2.41.5, ${#more} bytes" "$(try "$new/mount" -o "$more")" "exit 32"
see "2.41.5, ${#more} bytes, mount(2)" \
  "$(LIBMOUNT_FORCE_MOUNT2=always try "$new/mount" -o "$more")" "exit 0"
