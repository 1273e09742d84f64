#!/usr/bin/env bash
# `regctl image get-file` 0.11 reads one file of an image out of its layers. One would guess that it is the file that a
# container sees, or an error: whiteouts and opaque directories it knows. A file below a directory that a higher layer
# made a file or a link is read all the same, exit 0, though no container has it. And of a name that is a hard link it
# gives nothing, exit 0: an empty file.
source "$(dirname "$0")/common"
need python3 tar
go_tools github.com/regclient/regclient/cmd/regctl@v0.11.7

cd "$work"
mkdir -p lower/{removed,replaced,linked} upper
for dir in removed replaced linked; do echo "old of $dir" >"lower/$dir/file"; done
echo bytes >lower/name && ln lower/name lower/other
echo now >upper/replaced
ln -s name upper/linked
touch upper/.wh.removed
tar --sort=name -cf lower.tar -C lower removed replaced linked name other
tar -cf upper.tar -C upper replaced linked .wh.removed
layout image lower.tar upper.tar
get() {
  local status=0
  HOME=$work bin/regctl image get-file "ocidir://$work/image:t" "$1" >got 2>/dev/null || status=$?
  echo "exit $status: $(cat got)"
}
see "a plain file" "$(get name)" "exit 0: bytes"
see "below a directory that is whited out" "$(get removed/file)" "exit 1: "
see "below one that is a file now" "$(get replaced/file)" "exit 0: old of replaced"
see "below one that is a symbolic link now" "$(get linked/file)" "exit 0: old of linked"
see "a hard link" "$(get other)" "exit 0: "
