#!/usr/bin/env bash
# `tar --sparse` of GNU tar, in its own format, gives files with holes the type S; POSIX has the type 7
# for contiguous files, which readers may treat as plain ones. Go's archive/tar reads both, and
# containerd and moby read layers with archive/tar: one would guess that both kinds of file come out.
# Both end the layer with an error instead: they look at the type byte themselves.
source "$(dirname "$0")/common"
need tar python3
layer_appliers
go_program list <<'GO'
package main

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
)

func main() {
	reader := tar.NewReader(os.Stdin)
	header, err := reader.Next()
	if err == nil {
		var body []byte
		body, err = io.ReadAll(reader)
		fmt.Printf("type %c, %d bytes\n", header.Typeflag, len(body))
	}
	if err != nil {
		fmt.Println(err)
	}
}
GO

cd "$work"
truncate -s 64K sparse && echo end >>sparse
tar --format=gnu --sparse -cf sparse.tar sparse
python3 - <<'PY'
import io, tarfile
with tarfile.open("contiguous.tar", "w") as tar:
    file = tarfile.TarInfo("f")
    file.type, file.size = tarfile.CONTTYPE, 5
    tar.addfile(file, io.BytesIO(b"hello"))
PY
see "archive/tar, sparse" "$(./list <sparse.tar)" "type S, 65540 bytes"
see "archive/tar, contiguous" "$(./list <contiguous.tar)" "type 7, 5 bytes"
for library in containerd moby; do
  see "$library, sparse" "$(said ./apply $library sparse.tar out)" \
    "exit 1: unhandled tar header type 83"
  see "$library, contiguous" "$(said ./apply $library contiguous.tar out)" \
    "exit 1: unhandled tar header type 55"
done
