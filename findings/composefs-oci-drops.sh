#!/usr/bin/env bash
# composefs-oci makes an EROFS of an OCI image's layers, whose digest is signed and booted. One would guess that the tree in
# it is the one that a container of the image has. It is not, without an error: what is in /run is left out, with it all
# attributes but security.capability (those of programs in user., access control lists), and an opaque marker takes away
# what its own layer had in the directory before it, where the image specification says that markers are about lower
# layers only.
source "$(dirname "$0")/common"
source "$(dirname "$0")/common-composefs"
composefs_oci
layer_appliers

cd "$work"
tar_of base.tar usr/ etc/ etc/old=1
tar_of run.tar run/ run/file=1
see "a file in /run" "$(tree_of base.tar run.tar)" "/etc /etc/old=1 /run /usr"
see "  containerd's files" "$(unpacked base.tar run.tar)" "/etc/old /run/file"
acl=SCHILY.acl.access=user::rw-,user:7:r--,group::r--,mask::r--,other::r--
tar_of xattrs.tar usr/a=1@SCHILY.xattr.user.role=x@SCHILY.xattr.security.capability=y usr/b=1@$acl
see "attributes and a list" "$(tree_of base.tar xattrs.tar)" \
  "/etc /etc/old=1 /usr /usr/a=1 security.capability=y /usr/b=1"
tar_of first.tar etc/ etc/.wh..wh..opq= etc/new=2
see "an opaque marker, then a file" "$(tree_of base.tar first.tar)" "/etc /etc/new=2 /usr"
tar_of last.tar etc/ etc/new=2 etc/.wh..wh..opq=
see "a file, then an opaque marker" "$(tree_of base.tar last.tar)" "/etc /usr"
see "  containerd's files" "$(unpacked base.tar last.tar)" "/etc/new"
