#!/usr/bin/env bash
# A layer whose zstd frame asks for a window of 256 or 512 MiB, as `zstd --long=28` makes it to find repetitions
# far apart. The zstd program of the same version that wrote it says that it takes too much memory, so one
# would guess that runtimes refuse such a layer too, or have no bound. containerd's library has one, and it is
# four times as high: 512 MiB is unpacked, 1 GiB is an error. What is packed here is a megabyte: it is the
# frame's header that counts, not what is in it.
source "$(dirname "$0")/common"
bin=$(debian bookworm zstd=1.5.4+dfsg2-5 zstd)
go_program unpack github.com/containerd/containerd/v2@v2.4.2 <<'GO'
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/containerd/containerd/v2/pkg/archive/compression"
)

func main() {
	var bytes int64
	stream, err := compression.DecompressStream(os.Stdin)
	if err == nil {
		bytes, err = io.Copy(io.Discard, stream)
	}
	fmt.Printf("%d bytes, error: %v\n", bytes, err)
}
GO

cd "$work"
head -c 1000000 /dev/zero >layer
# WINDOW, what zstd says, what containerd does.
while IFS='|' read -r window zstd containerd; do
  # From a pipe: of a file zstd knows the length, and asks for no more than that.
  "$bin/zstd" -q -c --long="$window" - <layer >"$window.zst"
  see "zstd -t, a window of 2^$window" "$(said "$bin/zstd" -q -t "$window.zst" | xargs)" "$zstd"
  see "containerd, a window of 2^$window" "$(./unpack <"$window.zst")" "$containerd"
done <<'ROWS'
27|exit 0:|1000000 bytes, error: <nil>
28|exit 1: 28.zst : Use --long=28 or --memory=256MB|1000000 bytes, error: <nil>
29|exit 1: 29.zst : Use --long=29 or --memory=512MB|1000000 bytes, error: <nil>
30|exit 1: 30.zst : Use --long=30 or --memory=1024MB|0 bytes, error: window size exceeded
ROWS
