// Package unpack undoes the compression of layers: gzip and zstd, told by their first bytes.
package unpack

import (
	"bufio"
	"bytes"
	"context"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is what zstd may ask for to remember: 128 MiB, the most that its levels use.
const maxZstdWindow = 128 << 20

// NewReader tells by the first bytes how a stream is compressed, and undoes it. What is neither gzip
// nor zstd is taken as it is, a tar.
func NewReader(r io.Reader) (io.ReadCloser, error) {
	return With(context.Background(), "", r)
}

// With is NewReader that has a program undo gzip, such as igzip or unpigz, which reads standard input when it
// is called with "-d -c". Without a name Go's library does it. The program is killed when the context is done, or
// the reader is closed. Until then r is read by another goroutine.
func With(ctx context.Context, program string, r io.Reader) (io.ReadCloser, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	head, err := b.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case isGzip(head) && program != "":
		return run(ctx, program, b)
	case isGzip(head):
		return gzip.NewReader(b)
	case isZstd(head):
		d, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	default:
		return io.NopCloser(b), nil
	}
}

func isGzip(head []byte) bool { return bytes.HasPrefix(head, []byte{0x1f, 0x8b}) }

// isZstd knows a frame, and a skippable frame, which may come first.
func isZstd(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(head) == 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:], []byte{0x2a, 0x4d, 0x18})
}
