package keep

import (
	"context"
	"sync"
)

// Flights lets callers that want the same thing at the same time share one piece of work. The work
// does not depend on the caller who happened to start it: it is cancelled when nobody waits for it
// any more, or with the context that all flights have.
type Flights struct {
	base context.Context
	wg   sync.WaitGroup

	mu  sync.Mutex
	all map[string]*flight
}

type flight struct {
	cancel context.CancelFunc
	moving chan struct{} // closed when the work says that it goes well
	done   chan struct{}
	err    error // after done
	refs   int   // who waits; 0: cancelled
}

// NewFlights starts with none. Work ends with base.
func NewFlights(base context.Context) *Flights {
	return &Flights{base: base, all: map[string]*flight{}}
}

// Do waits for the work on key, and starts it if nobody did. moving is called once the work called
// its own moving, unless the work ends first; it may be nil. led says that this call started it.
func (g *Flights) Do(ctx context.Context, key string, moving func(),
	work func(ctx context.Context, moving func()) error) (led bool, err error) {
	f, led, err := g.join(ctx, key, work)
	if err != nil {
		return false, err
	}
	signal := f.moving
	for {
		select {
		case <-f.done:
			return led, f.err
		case <-signal:
			signal = nil
			if moving != nil {
				moving()
			}
		case <-ctx.Done():
			if last := g.leave(f); last {
				<-f.done // what it has made is gone then
			}
			return led, context.Cause(ctx)
		}
	}
}

func (g *Flights) join(ctx context.Context, key string,
	work func(ctx context.Context, moving func()) error) (f *flight, led bool, err error) {
	if ctx.Err() != nil {
		return nil, false, context.Cause(ctx)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		f = g.all[key]
		if f == nil || f.refs > 0 {
			break
		}
		// Everyone left it: it ends soon, but not well.
		g.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
		}
		g.mu.Lock()
		if ctx.Err() != nil {
			return nil, false, context.Cause(ctx)
		}
	}
	if f == nil {
		led = true
		f = g.start(key, work)
	}
	f.refs++
	return f, led, nil
}

// start runs with the mutex held.
func (g *Flights) start(key string, work func(ctx context.Context, moving func()) error) *flight {
	ctx, cancel := context.WithCancel(g.base)
	f := &flight{cancel: cancel, moving: make(chan struct{}), done: make(chan struct{})}
	g.all[key] = f
	g.wg.Add(1)
	go func() {
		defer g.wg.Done()
		defer cancel()
		f.err = work(ctx, sync.OnceFunc(func() { close(f.moving) }))
		g.mu.Lock()
		delete(g.all, key)
		g.mu.Unlock()
		close(f.done)
	}()
	return f
}

// leave says whether nobody waits any more: the work is cancelled then.
func (g *Flights) leave(f *flight) (last bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f.refs--; f.refs > 0 {
		return false
	}
	f.cancel()
	return true
}

// Wait waits for the end of all work.
func (g *Flights) Wait() { g.wg.Wait() }
