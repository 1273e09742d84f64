// Boundary makes a layer's disk of a tar on standard input, pushed in 64 KiB writes, as
//
//	tarfs layer --disk --placement data-first -o OUT [--blob-id TAG] -
//
// does in Rust alone: the same bytes come out, so that what the way through cgo costs can be
// measured on the same pipe.
//
//	cat layer.tar | boundary -o OUT [-tag TAG]
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

const (
	// piece is what a tar is pushed in.
	piece = 64 << 10
	// room is what is read of the pipe before.
	room = 256 << 10
)

func main() {
	out := flag.String("o", "", "the disk")
	tag := flag.String("tag", "", "the tag of its device; without it the tar's SHA-256, which is computed then")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*out, *tag); err != nil {
		fmt.Fprintln(os.Stderr, "boundary:", err)
		os.Remove(*out)
		os.Exit(1)
	}
}

func run(out, tag string) error {
	ctx := context.Background()
	tar, err := newPipe(os.Stdin)
	if err != nil {
		return err
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer file.Close()
	// In a disk with its data first, a single tar begins at byte 4096.
	w, err := tarfs.NewLayerWriter(ctx, &tarfs.LayerOptions{
		Tag: tag, TagDiffID: tag == "", KeepEmptyDevice: true, Tee: file, TeeOffset: 4096,
	})
	if err != nil {
		return err
	}
	defer w.Close()
	if err := push(w, tar); err != nil {
		return err
	}
	layer, err := w.Finish()
	if err != nil {
		return err
	}
	defer layer.Close()
	layout, err := tarfs.Plan(layer.Tree, &tarfs.LayoutOptions{Artifact: tarfs.DiskDataFirst})
	if err != nil {
		return err
	}
	defer layout.Close()
	return layout.WriteMetadata(ctx, file)
}

// push reads the tar in as large pieces as the tool does, and writes it in smaller ones of the same
// size.
func push(w io.Writer, tar io.Reader) error {
	buf := make([]byte, room)
	for {
		n, err := io.ReadFull(tar, buf)
		for at := 0; at < n; at += piece {
			if _, failed := w.Write(buf[at:min(at+piece, n)]); failed != nil {
				return failed
			}
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return nil
		default:
			return err
		}
	}
}
