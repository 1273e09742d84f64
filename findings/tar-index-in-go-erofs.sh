#!/usr/bin/env bash
# containerd puts the tar behind its index (mkfs.erofs --tar=i): one file, which the kernel mounts
# without any device=. go-erofs is the reader that containerd links. One would guess that it opens what
# the kernel mounts. It counts the device table, "extra devices count 1 does not match provided 0", and
# with the tar given as a device reads the same file that the kernel shows.
source "$(dirname "$0")/common"
need_root
need tar
bin=$(debian sid erofs-utils=1.9.4-1 mkfs.erofs)
go_program cat github.com/erofs/go-erofs@v0.3.1 <<'GO'
package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/erofs/go-erofs"
)

func main() {
	var files []io.ReaderAt
	for _, name := range os.Args[1:] {
		file, err := os.Open(name)
		if err != nil {
			panic(err)
		}
		files = append(files, file)
	}
	var options []erofs.OpenOpt
	if len(files) > 1 {
		options = append(options, erofs.WithExtraDevices(files[1:]...))
	}
	image, err := erofs.Open(files[0], options...)
	var body []byte
	if err == nil {
		body, err = fs.ReadFile(image, "f")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("%q\n", body)
}
GO

cd "$work"
mkdir at && echo hello >f && tar -cf layer.tar f
"$bin/mkfs.erofs" --quiet --tar=i index layer.tar >mkfs.log
cat index layer.tar >image
mount -t erofs -o ro,loop image at && mounted+=("$work/at")
see "kernel" "$(cat at/f)" "hello"
see "go-erofs, index and tar in one" "$(said ./cat image)" \
  "exit 1: invalid super block: extra devices count 1 does not match provided 0"
see "go-erofs, index, tar as a device" "$(said ./cat index layer.tar)" \
  'exit 0: "hello\n"'
