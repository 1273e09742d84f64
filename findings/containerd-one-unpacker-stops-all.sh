#!/usr/bin/env bash
# containerd 2.4.2 unpacks what it pulls by a list of pairs, snapshotter and differ. One would guess that a pair whose
# differ cannot be had (the one for EROFS, where no mkfs.erofs is found) is left out, or fails the pulls that ask for
# it. It takes the whole transfer service away: no image can be pulled or imported any more, for overlayfs neither,
# and the client is told of an unknown service. The daemon itself starts and looks well. `optional = true` in the
# pair, which is new in 2.3, makes it what one had guessed.
source "$(dirname "$0")/common"
need python3 tar
need_root
source "$(dirname "$0")/common-containerd"
containerd_programs v2.4.2
cd "$work"
mkdir path && serving_path=$work/path # nothing is found by name
tar -cf layer.tar --files-from=/dev/null
layout image layer.tar && tar -cf image.tar -C image .

# node NAME OPTION: a containerd with a pair for overlayfs, and one for EROFS that has this option.
node() {
  serve "$1" "
[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
  platform = 'linux'
  snapshotter = 'overlayfs'
  differ = 'walking'
[[plugins.'io.containerd.transfer.v1.local'.unpack_config]]
  platform = 'linux'
  snapshotter = 'erofs'
  differ = 'erofs'
  $2"
}

node required ''
see "an import for overlayfs" "$(said ctr image import --snapshotter overlayfs image.tar)" \
  "exit 1: ctr: unknown service containerd.services.transfer.v1.Transfer"
see "the daemon" "$(ctr version >/dev/null 2>&1 && echo answers)" "answers"
unserve
node optional 'optional = true'
ctr image import --snapshotter overlayfs image.tar >imported 2>&1 || true
see "with optional = true" "$(ctr image check 2>/dev/null | awk 'NR == 2 {print $4, $5, $NF}')" "complete (2/2) true"
unserve
