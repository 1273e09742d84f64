#!/usr/bin/env bash
# containerd's mount library takes a bind mount with `uidmap=` and `gidmap=`, as it makes for containers with a user
# namespace. One would guess that `ro` beside them makes the mapped mount read-only. It makes it read-only, and not
# mapped: no error, and every owner is the host's. With `rw` the same is mapped. A volume or an image that is mounted
# read-only so shows its files as nobody's.
source "$(dirname "$0")/common"
need_root
go_program bind github.com/containerd/containerd/v2@v2.4.2 <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/containerd/containerd/v2/core/mount"
)

func main() {
	bind := mount.Mount{Type: "bind", Source: os.Args[1], Options: os.Args[3:]}
	fmt.Println("error:", bind.Mount(os.Args[2]))
}
GO

cd "$work"
echo "versions: Linux $(uname -r)"
mkdir from to && touch from/file
mounted+=("$work/to" "$work/to") # a mapped one is made of two
bound() {
  "$work/bind" "$work/from" "$work/to" rbind "$1" uidmap=0:100000:65536 gidmap=0:100000:65536
  echo "owner $(stat -c %u:%g to/file), $(touch to/file 2>/dev/null && echo writable || echo read-only)"
  umount to
  umount to 2>/dev/null || true
}
see "rw" "$(bound rw | tr '\n' ' ')" "error: <nil> owner 100000:100000, writable "
see "ro" "$(bound ro | tr '\n' ' ')" "error: <nil> owner 0:0, read-only "
