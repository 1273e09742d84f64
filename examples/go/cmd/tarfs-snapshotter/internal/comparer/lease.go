package comparer

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
)

// keptFor is how long a layer is kept for a caller whose lease is not known.
const keptFor = time.Hour

// leased is a context whose lease keeps what is written from being collected before the caller refers to it.
// containerd hands the lease of its client on to differs of its own, but not to those behind a socket. So in its
// absence there is a new one, which ends by itself. The function drops that.
func (c *Comparer) leased(ctx context.Context) (context.Context, func(), error) {
	if _, ok := leases.FromContext(ctx); ok || c.opts.Leases == nil {
		return ctx, func() {}, nil
	}
	lease, err := c.opts.Leases.Create(ctx, leases.WithRandomID(), leases.WithExpiration(keptFor))
	if err != nil {
		return nil, nil, fmt.Errorf("tarfs-snapshotter: lease: %w", err)
	}
	drop := func() {
		if err := c.opts.Leases.Delete(context.WithoutCancel(ctx), lease); err != nil {
			c.opts.Log.Warn("a lease stays until it ends by itself", "lease", lease.ID, "error", err)
		}
	}
	return leases.WithLease(ctx, lease.ID), drop, nil
}
