#!/usr/bin/env bash
# tar on macOS can write a file's attributes, com.apple.provenance among them, as SCHILY.xattr records.
# Linux has no such namespace, and one would guess that whoever extracts a layer drops them, as
# containerd does with a line in its log. moby's go-archive fails the layer, unless its caller asked for
# BestEffortXattrs, which is off by default.
source "$(dirname "$0")/common"
need tar
layer_appliers

cd "$work"
echo x >f
tar --format=pax --pax-option='SCHILY.xattr.com.apple.provenance:=x' -cf layer.tar f
see "containerd" \
  "$(./apply containerd layer.tar containerd 2>/dev/null && cat containerd/f)" "x"
see "moby" "$(said ./apply moby layer.tar moby)" \
  'exit 1: lsetxattr moby/f: xattr "com.apple.provenance": operation not supported'
