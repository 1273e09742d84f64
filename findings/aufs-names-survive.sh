#!/usr/bin/env bash
# In a layer, names that begin with `.wh..wh.` are aufs's own, and no files. One would guess that who applies layers
# skips them all, as moby's go-archive does. containerd extracts the directory .wh..wh.plnk with what is in it, and takes
# .wh..wh.aufs for a whiteout. `mkfs.erofs --tar=f --aufs`, which containerd's EROFS differ runs, keeps that directory
# too, and makes whiteouts of names that no layer has, .wh.aufs and .wh.plnk. One layer, three trees.
source "$(dirname "$0")/common"
need tar
need_root # a layer is extracted, and the kernel's view
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
layer_appliers

cd "$work"
mkdir -p layer/.wh..wh.plnk at && mounted+=("$work/at")
touch layer/.wh..wh.aufs layer/.wh..wh.plnk/1.2 layer/file
tar --format=ustar -cf layer.tar -C layer .wh..wh.aufs .wh..wh.plnk file
names() { (cd "$1" && find . -mindepth 1 -printf '%P:%y\n' | sort | xargs); }
for library in moby containerd; do
  ./apply "$library" layer.tar "$library"
done
see "moby" "$(names moby)" "file:f"
see "containerd" "$(names containerd)" ".wh..wh.plnk/1.2:f .wh..wh.plnk:d file:f"
see "mkfs.erofs" "$(said "$erofs/mkfs.erofs" --quiet --tar=f --aufs image layer.tar | cut -d : -f 1)" "exit 0"
mount -t erofs -o ro,loop image at
see "what the kernel shows" "$(names at)" ".wh..wh.plnk/1.2:f .wh..wh.plnk:d .wh.aufs:c .wh.plnk:c file:f"
