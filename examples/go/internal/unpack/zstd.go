package unpack

import (
	"bufio"
	"bytes"
	"io"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxWindow is what zstd may ask for to remember: 128 MiB, the most that its levels use.
	maxWindow = 128 << 20
	// smallWindow is the most that all levels but the highest ask for.
	smallWindow = 8 << 20
)

// isZstd knows a frame, and a skippable frame, which may come first.
func isZstd(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18})
}

func newZstd(b *bufio.Reader) (io.ReadCloser, error) {
	d, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}
