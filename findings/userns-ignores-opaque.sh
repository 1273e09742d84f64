#!/usr/bin/env bash
# A layer whose directory hides what lower layers have in it says so by the attribute trusted.overlay.opaque. One
# would guess that an overlayfs over such layers, mounted inside a user namespace, obeys it or fails, as it may not
# read attributes of that kind. It mounts, exit 0, and does not see the attribute: what the layer removed is back.
# The same mount outside is right. Whiteouts are devices, and work in both; with `userxattr` it is user.overlay.opaque
# that counts, which an image for rootless containers must have.
source "$(dirname "$0")/common"
need_root
need unshare setfattr mknod
erofs=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
echo "versions: Linux $(uname -r)"

cd "$work"
mkdir -p base/opaque base/plain trusted/opaque user/opaque a b merged
touch base/opaque/removed base/plain/{removed,kept}
for kind in trusted user; do
  touch "$kind/opaque/new"
  setfattr -n "$kind.overlay.opaque" -v y "$kind/opaque"
  mkdir "$kind/plain" && mknod "$kind/plain/removed" c 0 0
  "$erofs/mkfs.erofs" --quiet "$kind.erofs" "$kind" >mkfs.log
done
"$erofs/mkfs.erofs" --quiet base.erofs base >mkfs.log
mounted+=("$work/merged" "$work/a" "$work/b")
mount -t erofs -o ro,loop base.erofs a

# shown LAYER OPTIONS COMMAND...: names in both directories of the layer over the base, mounted by the command's shell.
shown() {
  mount -t erofs -o ro,loop "$1.erofs" b
  "${@:3}" sh -ec "mount -t overlay -o ro,lowerdir=b:a$2 overlay merged; echo \$(ls merged/opaque) / \$(ls merged/plain); umount merged"
  umount b
}
see "trusted.overlay.opaque" "$(shown trusted '' env)" "new / kept"
inside=(unshare --user --map-root-user --mount)
see "the same in a user namespace" "$(shown trusted '' "${inside[@]}")" "new removed / kept"
see "with userxattr" "$(shown trusted ,userxattr "${inside[@]}")" "new removed / kept"
see "user.overlay.opaque, with userxattr" "$(shown user ,userxattr "${inside[@]}")" "new / kept"
