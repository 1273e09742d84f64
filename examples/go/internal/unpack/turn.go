package unpack

import (
	"bufio"
	"context"
	"io"
	"math"
	"runtime/debug"

	"github.com/klauspost/compress/zstd"
)

// large is held by the one stream that may remember much, as that is memory.
var large = make(chan struct{}, 1)

// zstdInTurn is newZstd that waits, before a frame that asks to remember much, until no other such stream is read. It
// waits here for the first frame, and else in Read.
func zstdInTurn(ctx context.Context, b *bufio.Reader) (io.ReadCloser, error) {
	f := &frames{ctx: ctx, from: b}
	if err := f.next(); err != nil {
		return nil, err
	}
	r, err := newZstd(bufio.NewReader(f))
	if err != nil {
		f.release()
		return nil, err
	}
	return &inTurn{ReadCloser: r, frames: f}, nil
}

// frames hands a stream of zstd on as it is, and looks at each frame's header before. A stream may have any number of
// frames, each of which says how much is to be remembered, and some that are skipped.
type frames struct {
	ctx  context.Context
	from *bufio.Reader
	// How many bytes may go on before the next header is looked at, and whether that is of a block.
	left     int64
	inFrame  bool
	checksum bool
	held     bool
}

func (f *frames) Read(p []byte) (int, error) {
	for f.left == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n, err := f.from.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	return n, err
}

// next looks at the next header.
func (f *frames) next() error {
	if f.inFrame {
		return f.block()
	}
	head, err := f.from.Peek(zstd.HeaderMaxSize)
	if len(head) == 0 {
		return err
	}
	var h zstd.Header
	if h.Decode(head) != nil {
		// Nothing is known of the rest, which the decoder will refuse.
		f.left = math.MaxInt64
		return f.take()
	}
	f.left = int64(h.HeaderSize)
	if h.Skippable {
		f.left += int64(h.SkippableSize)
		return nil
	}
	f.inFrame, f.checksum = true, h.HasCheckSum
	window := h.WindowSize
	if h.SingleSegment {
		window = h.FrameContentSize
	}
	if window > smallWindow {
		return f.take()
	}
	return nil
}

// block looks at the header of a block: whether it is the last one, its kind, and its length.
func (f *frames) block() error {
	head, err := f.from.Peek(3)
	if len(head) < 3 {
		f.left = int64(len(head)) // the decoder will say that it is cut short
		if len(head) == 0 {
			return err
		}
		return nil
	}
	bits := int64(head[0]) | int64(head[1])<<8 | int64(head[2])<<16
	size := bits >> 3
	if bits>>1&3 == 1 {
		size = 1 // one byte, repeated
	}
	f.left = 3 + size
	if bits&1 == 1 {
		f.inFrame = false
		if f.checksum {
			f.left += 4
		}
	}
	return nil
}

// take waits until this stream is the one that may remember much.
func (f *frames) take() error {
	if f.held {
		return nil
	}
	select {
	case large <- struct{}{}:
		f.held = true
		return nil
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
}

func (f *frames) release() {
	if f.held {
		f.held = false
		<-large
	}
}

type inTurn struct {
	io.ReadCloser
	frames *frames
}

// Close lets the next one begin, once the memory of this one is free.
func (t *inTurn) Close() error {
	err := t.ReadCloser.Close()
	t.ReadCloser = io.NopCloser(closedReader{})
	if t.frames.held {
		// What nobody refers to any more is otherwise there until the next collection, when two are.
		debug.FreeOSMemory()
	}
	t.frames.release()
	return err
}

type closedReader struct{}

func (closedReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
