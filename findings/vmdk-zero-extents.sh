#!/usr/bin/env bash
# A VMDK descriptor lists extents, and a gap in the disk may be one of type ZERO; an extent may be
# RDONLY. One would guess that QEMU shows zeros there, or refuses what it does not know. It skips both
# kinds: the disk is shorter, all that is behind lies at other offsets, `convert` and `check` exit 0.
# An empty line just before an extent has the extent of the line before counted once more.
source "$(dirname "$0")/common"
bin=$(debian trixie qemu-utils=1:10.0.13+ds-0+deb13u1 qemu-img)

cd "$work"
printf 'A%.0s' {1..1024} >a
printf 'B%.0s' {1..512} >b
# try EXTENTS: what a disk of them holds, in runs of sectors.
try() {
  printf '%b\n' '# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff' \
    'createType="monolithicFlat"' "$1" '# end' >disk.vmdk
  "$bin/qemu-img" check -q disk.vmdk >check.log 2>&1 || echo "check: exit $?"
  "$bin/qemu-img" convert -O raw disk.vmdk disk.raw || echo "convert: exit $?"
  tr '\0' 0 <disk.raw | fold -w 512 | cut -c 1 | xargs
}
a='RW 2 FLAT "a" 0' b='RW 1 FLAT "b" 0'
see "2 sectors of A, 1 of B" "$(try "$a\n$b")" "A A B"
see "2 of A, 2 of type ZERO, 1 of B" "$(try "$a\nRW 2 ZERO\n$b")" "A A B"
see "2 of A, RDONLY 1 of B, 1 of B" "$(try "$a\nRDONLY 1 FLAT \"b\" 0\n$b")" "A A B"
see "2 of A, an empty line, 1 of B" "$(try "$a\n\n$b")" "A A B B"
