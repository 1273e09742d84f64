#!/usr/bin/env bash
# A tar that was cut short is noticed, one would guess: `gzip` and `unzip` notice. GNU tar notices a cut
# in a file's content. A cut inside the *header* of an entry is the end of the archive to it: the entry
# is lost, with exit status 0 and not a word. Nor does it miss the end marker of two zero blocks. Go's
# archive/tar misses no marker either, but where GNU tar is silent about a part of a block, it has
# io.ErrUnexpectedEOF: two readers of one layer do not agree on whether it is whole.
source "$(dirname "$0")/common"
bin=$(debian bookworm tar=1.34+dfsg-1.2+deb12u1 tar)
go_program count <<'GO'
package main

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
)

func main() {
	reader, files := tar.NewReader(os.Stdin), 0
	_, err := reader.Next()
	for ; err == nil; _, err = reader.Next() {
		files++
		if _, err = io.Copy(io.Discard, reader); err != nil {
			break
		}
	}
	if err == io.EOF {
		err = nil
	}
	fmt.Printf("%d files, error: %v\n", files, err)
}
GO

cd "$work"
echo one >a && echo two >b
"$bin/tar" -cf whole a b # each a header of 512 bytes and one block
# LENGTH, what GNU tar lists and says, what Go does.
while IFS='|' read -r length what gnu go; do
  head -c "$length" whole >cut
  status=0
  seen=$("$bin/tar" -tf cut 2>&1) || status=$?
  see "GNU tar, $what" "$(xargs <<<"$seen"), exit $status" "$gnu"
  see "archive/tar, $what" "$(./count <cut)" "$go"
done <<'ROWS'
3072|whole|a b, exit 0|2 files, error: <nil>
2048|no end marker|a b, exit 0|2 files, error: <nil>
2304|half a zero block|a b, exit 0|2 files, error: unexpected EOF
1324|cut in the second header|a, exit 0|1 files, error: unexpected EOF
ROWS
