#!/usr/bin/env bash
# What a container prints comes to the client (ctr, or a program over containerd's Go library) through pipes, and
# Task.Delete, which all call once the container has ended, waits for their end. One would guess that so all of it
# arrives; a comment there says so. Delete closes the client's ends first: whatever its goroutine has not copied by
# then is gone, in the middle of a line, and the exit status is 0. A reader who pauses for a second shows it each time;
# on a busy machine any reader may. With --log-uri the shim writes a file, and all of it is there.
source "$(dirname "$0")/common"
source "$(dirname "$0")/common-containerd"
need_root
go_program lines <<'GO'
package main

import "fmt"

func main() {
	for line := range 20000 {
		fmt.Println(line)
	}
}
GO
containerd_programs v2.4.2
go_tools github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2@v2.4.2 github.com/opencontainers/runc@v1.3.4
serving_path=$work/bin:$PATH

cd "$work"
mkdir root && cp lines root
serve store ""
# Less than pipes hold, so that the container ends at once.
printed=$(./lines | wc -c)
container() {
  local name=$1
  shift
  ctr run --rm "$@" --rootfs "$work/root" "finding-$$-$name" /lines 2>"$work/errors"
}

container paused | (sleep 2 && cat >late) || {
  tail -n 1 errors
  exit 2
}
echo "ctr ends with 0, having passed on $(wc -c <late) of $printed bytes; the last line is $(tail -n 1 late)"
missing=$(./lines | cmp late - 2>&1 | grep -c "EOF on late" || true)
see "a reader who pauses for two seconds" "misses the end: $missing" "misses the end: 1"
container logged --log-uri "file://$work/log"
see "written by the shim" "$(wc -c <log) bytes" "$printed bytes"
