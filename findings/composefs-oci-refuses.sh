#!/usr/bin/env bash
# composefs-oci makes an EROFS of an OCI image's layers. One would guess that it takes each image that containerd and
# Docker unpack. It fails with those that have no /usr, as have images of one static program, since it gives the root the
# attributes of /usr; with layers that do not list the parents of what they have, as several builders write them; and with
# a layer that has bin/x where a lower one made bin a link to usr/bin.
source "$(dirname "$0")/common"
source "$(dirname "$0")/common-composefs"
composefs_oci
layer_appliers

cd "$work"
tar_of scratch.tar app=1
tar_of base.tar usr/ usr/bin/ 'bin->usr/bin'
tar_of implied.tar opt/tool/file=1
tar_of link.tar bin/x=1
see "an image of one file, composefs-oci" "$(tree_of scratch.tar)" 'Error: Directory entry "usr" does not exist'
see "  containerd" "$(unpacked scratch.tar)" "/app"
see "parents that are not listed, composefs-oci" "$(tree_of base.tar implied.tar)" 'Directory entry "opt" does not exist'
see "  containerd" "$(unpacked base.tar implied.tar)" "/opt/tool/file"
see "a file below a lower link, composefs-oci" "$(tree_of base.tar link.tar)" 'Directory entry "bin" is not a subdirectory'
see "  containerd" "$(unpacked base.tar link.tar)" "/usr/bin/x"
