package snapshot

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Fetcher brings blobs: layers, and manifests and configs if diffIDs are to be looked up.
type Fetcher interface {
	// Fetch opens the blob of a digest. ctx lives as long as the stream is read: once it is done,
	// the stream's Read should return. It is called again to retry.
	Fetch(ctx context.Context, ref, digest string) (io.ReadCloser, error)
}

// FetcherFunc is a function as a Fetcher.
type FetcherFunc func(ctx context.Context, ref, digest string) (io.ReadCloser, error)

// Fetch calls f.
func (f FetcherFunc) Fetch(ctx context.Context, ref, digest string) (io.ReadCloser, error) {
	return f(ctx, ref, digest)
}

// FetchPolicy bounds fetching, so that no fetch hangs. A zero field has its default.
type FetchPolicy struct {
	// Attempts is how often a fetch is tried in all; default 3.
	Attempts int
	// Backoff is the pause before the second attempt, doubled before each further one; default 1 s.
	Backoff time.Duration
	// Open is the longest time until Fetch returns; default 30 s.
	Open time.Duration
	// Stall is the longest time without a byte; default 60 s.
	Stall time.Duration
	// Total is the longest time of one attempt; no limit by default.
	Total time.Duration
}

func (p FetchPolicy) withDefaults() FetchPolicy {
	if p.Attempts <= 0 {
		p.Attempts = 3
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&p.Backoff, time.Second}, {&p.Open, 30 * time.Second}, {&p.Stall, time.Minute}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return p
}

// retry runs an attempt until it succeeds, fails for a reason that a further one would not change,
// or attempts are used up. An attempt says whether its error is of the passing kind.
func (p FetchPolicy) retry(ctx context.Context, attempt func(ctx context.Context) (passing bool, err error)) error {
	pause := p.Backoff
	for n := 1; ; n++ {
		passing, err := attempt(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !passing || n == p.Attempts {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// open calls the fetcher, but waits for it no longer than allowed. cancel ends the stream.
func (p FetchPolicy) open(ctx context.Context, f Fetcher, ref, digest string) (
	io.ReadCloser, context.Context, context.CancelFunc, error) {
	var stream context.Context // no named result: the goroutine below may see it late
	var cancel context.CancelFunc
	if p.Total > 0 {
		stream, cancel = context.WithTimeoutCause(ctx, p.Total, fmt.Errorf("%w: not complete in %v", ErrStalled, p.Total))
	} else {
		stream, cancel = context.WithCancel(ctx)
	}
	type opened struct {
		rc  io.ReadCloser
		err error
	}
	result := make(chan opened, 1)
	go func() {
		rc, err := f.Fetch(stream, ref, digest)
		result <- opened{rc, err}
	}()
	timer := time.NewTimer(p.Open)
	defer timer.Stop()
	var err error
	select {
	case got := <-result:
		if got.err == nil {
			return got.rc, stream, cancel, nil
		}
		err = fmt.Errorf("fetch %s: %w", digest, got.err)
		if cause := context.Cause(stream); cause != nil && ctx.Err() == nil {
			err = fmt.Errorf("fetch %s: %w", digest, cause)
		}
		cancel()
		return nil, nil, nil, err
	case <-stream.Done():
		err = context.Cause(stream)
	case <-timer.C:
		err = fmt.Errorf("%w: not opened in %v", ErrStalled, p.Open)
	}
	cancel()
	go func() { // it may return late, or never
		if late := <-result; late.err == nil {
			late.rc.Close()
		}
	}()
	return nil, nil, nil, fmt.Errorf("fetch %s: %w", digest, err)
}
