// Package unpack undoes the compression of layers: gzip and zstd, told by their first bytes.
package unpack

import (
	"bufio"
	"bytes"
	"context"
	"io"

	"github.com/klauspost/compress/gzip"
)

// NewReader tells by the first bytes how a stream is compressed, and undoes it. What is neither gzip
// nor zstd is taken as it is, a tar.
func NewReader(r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, bufferBytes)
	head, err := b.Peek(headBytes)
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case isGzip(head):
		return gzip.NewReader(b)
	case isZstd(head):
		return newZstd(b)
	}
	return io.NopCloser(b), nil
}

// With is NewReader for many streams at the same time, until the context is done. gzip is undone by a program, such
// as igzip or unpigz, which reads standard input when it is called with "-d -c", and is killed when the context is
// done or the reader is closed; until then r is read by another goroutine. Without a name Go's library does it. Of
// zstd's streams that ask to remember more than 8 MiB, one is read at a time.
func With(ctx context.Context, program string, r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, bufferBytes)
	head, err := b.Peek(headBytes)
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case isGzip(head) && program != "":
		return run(ctx, program, b)
	case isZstd(head):
		return zstdInTurn(ctx, b)
	}
	return NewReader(b)
}

const (
	bufferBytes = 64 << 10
	headBytes   = 4
)

func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1f, 0x8b}) }
