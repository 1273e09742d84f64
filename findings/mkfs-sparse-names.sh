#!/usr/bin/env bash
# GNU tar writes a sparse file as an entry of another name, GNUSparseFile.N/NAME, and says the file's own name
# in a record (GNU.sparse.name, the format that `--sparse` with pax takes). One would guess that
# `mkfs.erofs --tar=` knows it, or refuses it. It makes a file of that other name, with the map of holes at
# its beginning, and the exit status is 0.
source "$(dirname "$0")/common"
need tar truncate
need_root # the kernel's view
bin=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)

cd "$work"
mkdir at
truncate -s 100000 holes
printf end >>holes
tar --format=pax --sparse -cf layer.tar holes
see "GNU tar's list" "$(tar -tf layer.tar)" "holes"
see "mkfs.erofs --tar=f" "$(said "$bin/mkfs.erofs" --quiet --tar=f image layer.tar | cut -d : -f 1)" "exit 0"
mount -t erofs -o ro,loop image at && mounted=("$work/at")
see "what the kernel shows" "$(cd at && find . -type f | sed 's/Sparse[^/]*/Sparse…/')" "./GNUSparse…/holes"
see "its first line, digits as N" "$(head -n 1 at/GNU*/holes | tr 0-9 N)" "N"
