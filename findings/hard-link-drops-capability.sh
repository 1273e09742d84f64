#!/usr/bin/env bash
# A program with a file capability that has a second name is a hard link entry behind the file's own.
# One would guess that a further name changes nothing. containerd and moby apply the link's header to
# the inode once more, and Linux takes security.capability from a file whose owner is set, even to the
# same one: both names have lost the capability, and nothing is said.
source "$(dirname "$0")/common"
need_root
need tar setcap getcap
layer_appliers
echo "versions: $(tar --version | sed -n 1p), Linux $(uname -r)"

cd "$work"
echo x >f && setcap cap_net_bind_service=ep f && ln f l
xattrs=(--xattrs --xattrs-include='*')
tar "${xattrs[@]}" -cf one.tar f
tar "${xattrs[@]}" -cf two.tar f l
mkdir tar && tar "${xattrs[@]}" -C tar -xf two.tar
see "GNU tar, two names" "$(cd tar && getcap f l | xargs)" \
  "f cap_net_bind_service=ep l cap_net_bind_service=ep"
for library in containerd moby; do
  ./apply $library one.tar $library-one
  see "$library, one name" "$(cd $library-one && getcap f)" "f cap_net_bind_service=ep"
  ./apply $library two.tar $library-two
  see "$library, two names" "$(cd $library-two && getcap f l)" ""
done
