#!/usr/bin/env bash
# A layer whose root has an opaque marker (`.wh..wh..opq`) hides all that lower layers have, by OCI's image-spec: an image
# begun anew. One would guess that the root is a directory like any other. umoci, which applies layers to one folder, obeys it.
# `mkfs.erofs --tar=f --aufs`, which containerd's EROFS differ calls, fails with the layer, "Not a directory", though it takes
# the same marker in a directory below. And overlayfs obeys `trusted.overlay.opaque`, which unpackers make of the marker, in
# every directory but the root of a layer: there it counts for nothing, without an error, and all that was removed is back.
source "$(dirname "$0")/common"
need_root
need python3 tar setfattr
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
umoci=$(debian sid umoci=0.6.0+ds-1+b1 umoci)/umoci
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir -p base/d root/d below/d
touch base/{old,d/old}
touch root/{new,d/new,.wh..wh..opq} below/{new,d/new,d/.wh..wh..opq}
for layer in base root below; do tar -C "$layer" -cf "$layer.tar" .; done
# names FOLDER: in it, and in d
names() { (cd "$1" && echo * / "$(cd d && echo *)"); }
unpacked() {
  layout "$1.oci" base.tar "$1.tar"
  "$umoci" unpack --image "$1.oci:t" "$1.bundle" >umoci.log 2>&1
  names "$1.bundle/rootfs"
}
mkdir a b merged
mounted+=("$work/merged" "$work/b" "$work/a")
# made NAME: an EROFS of the tar
made() {
  "$erofs/mkfs.erofs" --quiet --tar=f --aufs "tar-$1.erofs" "$1.tar" >mkfs.log 2>&1 && echo "exit 0" ||
    echo "exit $?: $(sed -n "s/.*Error 20. //p" mkfs.log)"
}
# The same as unpackers have it: the attribute in place of the marker.
for layer in root below; do
  at=$layer && [[ $layer == root ]] || at=below/d
  rm "$at/.wh..wh..opq"
  setfattr -n trusted.overlay.opaque -v y "$at"
done
for layer in base root below; do "$erofs/mkfs.erofs" --quiet "$layer.erofs" "$layer" >mkfs.log; done
mount -t erofs -o ro,loop base.erofs a
# overlaid NAME: by overlayfs, over the base
overlaid() {
  mount -t erofs -o ro,loop "$1.erofs" b
  mount -t overlay -o ro,lowerdir=b:a overlay merged
  names merged
  umount merged b
}

see "a marker in d, by umoci" "$(unpacked below)" "d new old / new"
see "by mkfs.erofs --tar=f --aufs" "$(made below)" "exit 0"
see "by overlayfs" "$(overlaid below)" "d new old / new"
see "a marker in the root, by umoci" "$(unpacked root)" "d new / new"
see "by mkfs.erofs --tar=f --aufs" "$(made root)" "exit 1: Not a directory"
see "by overlayfs" "$(overlaid root)" "d new old / new old"
