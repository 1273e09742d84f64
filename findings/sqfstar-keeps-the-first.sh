#!/usr/bin/env bash
# A tar may have a path twice, as after `tar --append`, and every reader lets the last entry win. One would guess that
# sqfstar, which makes a squashfs of a tar, does so too, or fails, as tar2sqfs does. It keeps the *first*, and says
# that it ignores the other; the exit status is 0. A layer with such a path shows other bytes as squashfs than
# extracted.
source "$(dirname "$0")/common"
need tar
tools=$(debian sid squashfs-tools=1:4.7.5-1 sqfstar unsquashfs)
other=$(debian sid squashfs-tools-ng=1.3.2-1+b2 tar2sqfs)

cd "$work"
echo first >file && tar -cf layer.tar file
echo second >file && tar -rf layer.tar file
mkdir extracted && tar -xf layer.tar -C extracted
see "$(tar --version | head -n 1)" "$(cat extracted/file)" "second"
status=0
"$tools/sqfstar" -quiet -no-progress image <layer.tar >said 2>&1 || status=$?
see "sqfstar" "exit $status: $(cat said)" "exit 0: file already exists in the tar file, ignoring"
see "what is in it" "$("$tools/unsquashfs" -cat image file)" "first"
see "tar2sqfs" "$("$other/tar2sqfs" -q other <layer.tar 2>&1 || echo "exit $?")" "$(printf 'file: File exists\nexit 1')"
