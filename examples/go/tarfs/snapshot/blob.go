package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"
)

const (
	chunkBytes = 256 << 10
	chunkCount = 4
	// closeGrace is how long a cancelled stream has to end its Read before Close is called on it.
	closeGrace = time.Second
)

// blob is a stream of fetched bytes. It is read ahead by a goroutine of its own, so that a stream
// that hangs can be left behind, and its digest is computed on the way.
type blob struct {
	digest string // with algorithm
	ctx    context.Context
	cancel context.CancelFunc
	stall  time.Duration
	chunks chan []byte
	free   chan []byte
	close  func()
	ended  chan struct{} // closed when the goroutine ended
	last   error         // how the stream ended; after ended

	rest  []byte // of the chunk at hand
	chunk []byte
	sum   hash.Hash
	err   error // how reading ended
}

// openBlob fetches a blob.
func openBlob(ctx context.Context, f Fetcher, p FetchPolicy, ref, digest string) (*blob, error) {
	rc, stream, cancel, err := p.open(ctx, f, ref, digest)
	if err != nil {
		return nil, err
	}
	b := &blob{
		digest: digest, ctx: stream, cancel: cancel, stall: p.Stall,
		chunks: make(chan []byte, chunkCount), free: make(chan []byte, chunkCount),
		close: sync.OnceFunc(func() { rc.Close() }), ended: make(chan struct{}), sum: sha256.New(),
	}
	for range chunkCount {
		b.free <- make([]byte, chunkBytes)
	}
	go b.pump(rc)
	return b, nil
}

func (b *blob) pump(rc io.Reader) {
	defer b.close()
	defer close(b.chunks)
	defer close(b.ended)
	for {
		var buf []byte
		select {
		case buf = <-b.free:
		case <-b.ctx.Done():
			b.last = context.Cause(b.ctx)
			return
		}
		n, err := rc.Read(buf)
		if n > 0 {
			b.chunks <- buf[:n] // has room for all buffers there are
		} else {
			b.free <- buf
		}
		if err != nil {
			b.last = err
			return
		}
	}
}

// Read fails with ErrStalled if nothing comes for too long, with the cause if the context is done.
func (b *blob) Read(p []byte) (int, error) {
	if len(b.rest) == 0 && b.err == nil {
		b.next()
	}
	if b.err != nil {
		return 0, b.err
	}
	n := copy(p, b.rest)
	b.sum.Write(b.rest[:n])
	b.rest = b.rest[n:]
	return n, nil
}

// next takes the next chunk, or sets err.
func (b *blob) next() {
	if b.chunk != nil {
		b.free <- b.chunk[:cap(b.chunk)]
		b.chunk = nil
	}
	timer := time.NewTimer(b.stall)
	defer timer.Stop()
	select {
	case chunk, ok := <-b.chunks:
		if ok {
			b.chunk, b.rest = chunk, chunk
			return
		}
		b.err = b.last
		if b.err != io.EOF {
			b.err = fmt.Errorf("fetch %s: %w", b.digest, b.err)
		}
	case <-b.ctx.Done():
		b.err = fmt.Errorf("fetch %s: %w", b.digest, context.Cause(b.ctx))
	case <-timer.C:
		b.err = fmt.Errorf("fetch %s: %w: no byte for %v", b.digest, ErrStalled, b.stall)
	}
}

// failed is the error that the fetch itself had, if it had one.
func (b *blob) failed() error {
	if b.err == io.EOF {
		return nil
	}
	return b.err
}

// verify reads what is left and compares the digest.
func (b *blob) verify() error {
	if _, err := io.Copy(io.Discard, struct{ io.Reader }{b}); err != nil {
		return err
	}
	if got := algorithm + hex.EncodeToString(b.sum.Sum(nil)); got != b.digest {
		return fmt.Errorf("%w: %s, not %s", ErrDigest, got, b.digest)
	}
	return nil
}

// Close ends the stream. It does not wait for a Read that hangs.
func (b *blob) Close() error {
	b.cancel()
	go func() {
		timer := time.NewTimer(closeGrace)
		defer timer.Stop()
		select {
		case <-b.ended:
		case <-timer.C:
			b.close()
		}
	}()
	if b.err == nil {
		b.err = errors.New("snapshot: blob is closed")
	}
	return nil
}
