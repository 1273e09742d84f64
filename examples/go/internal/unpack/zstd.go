package unpack

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"runtime/debug"

	"github.com/klauspost/compress/zstd"
)

const (
	// maxWindow is what zstd may ask for to remember: 128 MiB, the most that its levels use.
	maxWindow = 128 << 20
	// smallWindow is the most that all levels but the highest ask for.
	smallWindow = 8 << 20
)

// large is held by the one stream that may remember much, as that is memory.
var large = make(chan struct{}, 1)

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

// zstdInTurn is newZstd that waits, if the first frame asks to remember much, until no other such stream is read.
func zstdInTurn(ctx context.Context, b *bufio.Reader) (io.ReadCloser, error) {
	var first zstd.Header
	head, _ := b.Peek(zstd.HeaderMaxSize)
	if first.Decode(head) != nil || first.WindowSize <= smallWindow {
		return newZstd(b)
	}
	select {
	case large <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	r, err := newZstd(b)
	if err != nil {
		<-large
		return nil, err
	}
	return &inTurn{ReadCloser: r}, nil
}

type inTurn struct {
	io.ReadCloser
	closed bool
}

// Close lets the next one begin, once the memory of this one is free.
func (t *inTurn) Close() error {
	if t.closed {
		return nil
	}
	err := t.ReadCloser.Close()
	t.closed, t.ReadCloser = true, io.NopCloser(closedReader{})
	// What nobody refers to any more is otherwise there until the next collection, when two are.
	debug.FreeOSMemory()
	<-large
	return err
}

type closedReader struct{}

func (closedReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
