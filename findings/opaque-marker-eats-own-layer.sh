#!/usr/bin/env bash
# An opaque marker hides what *lower* layers have in its directory; the OCI specification says so, and
# one would guess that a file of the marker's own layer always stays, wherever the marker stands.
# With containerd and moby it stays if its parent directory is an entry of the tar. If only the file is
# listed, as many tools write it, and the marker comes behind, the file is gone: paths that the layer
# has made are remembered as they are listed, and a parent that was only implied looks like an old one.
source "$(dirname "$0")/common"
need tar
layer_appliers

cd "$work"
mkdir -p d/e && echo x >d/e/x && touch d/.wh..wh..opq
tar --no-recursion -cf listed.tar d d/e d/e/x d/.wh..wh..opq
tar --no-recursion -cf unlisted.tar d/e/x d/.wh..wh..opq
tar --no-recursion -cf marker-first.tar d/.wh..wh..opq d/e/x
left() {
  ./apply "$1" "$2.tar" "$1-$2" && find "$1-$2" -type f -printf '%P'
}
for library in containerd moby; do
  see "$library, parents listed" "$(left $library listed)" "d/e/x"
  see "$library, marker before" "$(left $library marker-first)" "d/e/x"
  see "$library, parents not listed, marker behind" "$(left $library unlisted)" ""
done
