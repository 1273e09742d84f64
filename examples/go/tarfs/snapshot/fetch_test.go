package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// soon fails the test if something takes longer than fetches of the policy quick can.
func soon(t testing.TB, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: hangs", what)
	}
}

// stream is a reader that does as a function says.
type stream func(p []byte) (int, error)

func (s stream) Read(p []byte) (int, error) { return s(p) }
func (s stream) Close() error               { return nil }

var errTorn = errors.New("connection reset")

// badStreams are the ways in which fetches go wrong; forever is closed at the test's end.
func badStreams(blob []byte, forever chan struct{}) map[string]struct {
	fetch func(ctx context.Context) (io.ReadCloser, error)
	want  error
} {
	type row = struct {
		fetch func(ctx context.Context) (io.ReadCloser, error)
		want  error
	}
	after := func(n int, then func(p []byte) (int, error)) func(context.Context) (io.ReadCloser, error) {
		return func(context.Context) (io.ReadCloser, error) {
			head := bytes.NewReader(blob[:n])
			return stream(func(p []byte) (int, error) {
				if head.Len() > 0 {
					return head.Read(p)
				}
				return then(p)
			}), nil
		}
	}
	hang := func([]byte) (int, error) { <-forever; return 0, io.EOF }
	return map[string]row{
		"fails": {func(context.Context) (io.ReadCloser, error) { return nil, errTorn }, errTorn},
		"never opens, deaf": {func(context.Context) (io.ReadCloser, error) {
			<-forever
			return nil, errTorn
		}, snapshot.ErrStalled},
		"never opens": {func(ctx context.Context) (io.ReadCloser, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, snapshot.ErrStalled},
		"hangs at once":      {after(0, hang), snapshot.ErrStalled},
		"hangs in a header":  {after(5, hang), snapshot.ErrStalled},
		"hangs in the midst": {after(len(blob)/2, hang), snapshot.ErrStalled},
		"hangs at the end":   {after(len(blob), hang), snapshot.ErrStalled},
		"tears":              {after(len(blob)/2, func([]byte) (int, error) { return 0, errTorn }), errTorn},
		"says nothing": {after(len(blob)/2, func([]byte) (int, error) {
			time.Sleep(time.Millisecond)
			return 0, nil
		}), snapshot.ErrStalled},
		"trickles for ever": {after(len(blob)/2, func(p []byte) (int, error) {
			time.Sleep(5 * time.Millisecond)
			p[0] = 0
			return 1, nil
		}), nil},
		"is cut": {after(len(blob)/2, func([]byte) (int, error) { return 0, io.EOF }), snapshot.ErrDigest},
	}
}

func TestNoFetchHangs(t *testing.T) {
	data := archive(t, file("a", noise(1, 900_000)))
	blob := gzipped(t, data)
	forever := make(chan struct{})
	defer close(forever)
	policy := quick
	policy.Open, policy.Stall, policy.Total = 50*time.Millisecond, 50*time.Millisecond, 400*time.Millisecond
	for name, bad := range badStreams(blob, forever) {
		t.Run(name, func(t *testing.T) {
			r, root := newRegistry(), t.TempDir()
			layer := r.add(blob, data)
			var works atomic.Int64
			works.Store(1 << 30)
			r.serve = func(ctx context.Context, _ string, n int) (io.ReadCloser, error) {
				if int64(n) >= works.Load() {
					return nil, nil
				}
				return bad.fetch(ctx)
			}
			m := manager(t, root, snapshot.Options{Fetcher: r, Fetch: policy, MaxConcurrent: 1})
			soon(t, "prepare", func() {
				err := prepare(t, m, "s", layer)
				if err == nil || bad.want != nil && !errors.Is(err, bad.want) {
					t.Errorf("got %v, want %v", err, bad.want)
				}
				// Whoever comes later gets an answer too.
				if err := m.WaitLayerReady(t.Context(), "s"); err == nil {
					t.Error("ready all the same")
				}
			})
			if n := r.called(layer.Digest); n != 3 {
				t.Errorf("tried %d times", n)
			}
			nothingLeft(t, root)
			// The third attempt works: nobody notices. The only slot is free again.
			works.Store(int64(r.called(layer.Digest)) + 3)
			soon(t, "retry", func() { ok(t, prepare(t, m, "s", layer)) })
		})
	}
}

// Close does not wait for a fetcher that does not listen, and a waiter is told.
func TestCloseWhileAFetchHangs(t *testing.T) {
	data := archive(t, file("a", noise(1, 900_000)))
	forever := make(chan struct{})
	defer close(forever)
	for name, bad := range badStreams(data, forever) {
		t.Run(name, func(t *testing.T) {
			r, root := newRegistry(), t.TempDir()
			layer := r.add(data, data)
			r.serve = func(ctx context.Context, _ string, _ int) (io.ReadCloser, error) { return bad.fetch(ctx) }
			policy := snapshot.FetchPolicy{Attempts: 1 << 20, Backoff: time.Nanosecond}
			m, err := snapshot.NewManager(root, snapshot.Options{Fetcher: r, Fetch: policy})
			ok(t, err)
			errs := make(chan error, 1)
			go func() { errs <- prepare(t, m, "s", layer) }()
			for r.called(layer.Digest) == 0 {
				time.Sleep(time.Millisecond)
			}
			soon(t, "Close", func() { ok(t, m.Close()) })
			soon(t, "the waiter", func() {
				if err := <-errs; !errors.Is(err, snapshot.ErrClosed) {
					t.Errorf("the waiter got %v", err)
				}
			})
			ok(t, m.Close())
			nothingLeft(t, root)
		})
	}
}

func TestDetachWhileAFetchHangs(t *testing.T) {
	data := archive(t, file("a", noise(1, 900_000)))
	forever := make(chan struct{})
	defer close(forever)
	r, root := newRegistry(), t.TempDir()
	layer := r.add(data, data)
	hangs := badStreams(data, forever)["hangs in the midst"]
	r.serve = func(ctx context.Context, _ string, n int) (io.ReadCloser, error) {
		if n > 1 {
			return nil, nil
		}
		return hangs.fetch(ctx)
	}
	m := manager(t, root, snapshot.Options{Fetcher: r, Fetch: snapshot.FetchPolicy{Stall: time.Hour}})
	ok(t, m.PrepareLayer(t.Context(), "s", layer))
	ok(t, m.PrepareLayer(t.Context(), "other", layer)) // shares the work
	soon(t, "DetachLayer", func() { ok(t, m.DetachLayer("s")) })
	if err := m.WaitLayerReady(t.Context(), "s"); !errors.Is(err, snapshot.ErrNotFound) {
		t.Errorf("detached, and %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := m.WaitLayerReady(short, "other"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the other snapshot was cancelled too: %v", err)
	}
	soon(t, "DetachLayer", func() { ok(t, m.DetachLayer("other")) })
	nothingLeft(t, root)
	if err := m.DetachLayer("s"); !errors.Is(err, snapshot.ErrNotFound) {
		t.Errorf("detached twice: %v", err)
	}
	soon(t, "afterwards", func() { ok(t, prepare(t, m, "s", layer)) })
}

// The caller's context ends the work only before bytes flow.
func TestPrepareIsCancelled(t *testing.T) {
	data := archive(t, file("a", noise(1, 900_000)))
	forever, proceed := make(chan struct{}), make(chan struct{})
	defer close(forever)
	streams := badStreams(data, forever)
	r := newRegistry()
	layer := r.add(data, data)
	r.serve = func(ctx context.Context, _ string, n int) (io.ReadCloser, error) {
		if n == 1 {
			return streams["never opens"].fetch(ctx)
		}
		rest := bytes.NewReader(data)
		return stream(func(p []byte) (int, error) {
			if rest.Len() < len(data)/2 {
				<-proceed
			}
			return rest.Read(p[:min(len(p), 1000)])
		}), nil
	}
	m := manager(t, t.TempDir(), snapshot.Options{Fetcher: r, Fetch: snapshot.FetchPolicy{Open: time.Hour}})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	errs := make(chan error)
	go func() { errs <- m.PrepareLayer(ctx, "s", layer) }()
	for r.called(layer.Digest) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel(cause)
	soon(t, "the cancelled call", func() {
		if err := <-errs; !errors.Is(err, cause) {
			t.Errorf("cancelled: %v", err)
		}
		if err := m.WaitLayerReady(t.Context(), "s"); !errors.Is(err, cause) {
			t.Errorf("waited for what was cancelled: %v", err)
		}
	})
	ctx, cancel = context.WithCancelCause(t.Context())
	soon(t, "PrepareLayer", func() { ok(t, m.PrepareLayer(ctx, "s", layer)) })
	cancel(cause)
	close(proceed)
	soon(t, "WaitLayerReady", func() { ok(t, m.WaitLayerReady(t.Context(), "s")) })
}
