package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// Collect removes layers to which nobody refers, images and disks that are not made of such to which somebody does, and
// those that nobody is given any more, as their layers make others today.
// References says to which layers snapshots refer, all at one moment. It is called while nobody can take or let go of
// a hold, so it must not call the store, and no transaction that it waits for may.
func (s *Store) Collect(ctx context.Context, references func(context.Context) ([]digest.Digest, error)) (keep.Collected, error) {
	kinds := []string{attachedKind, disksKind, imagesKind, layersKind}
	all, err := s.items.Collectables(kinds...)
	if err != nil {
		return keep.Collected{}, err
	}
	doomed, err := s.retireUnused(ctx, all, references)
	done, failed := s.items.Delete(doomed, kinds...)
	if done.Items > 0 {
		s.log.Info("collected", "items", done.Items, "bytes", done.Bytes)
	}
	return done, errors.Join(err, failed)
}

// retireUnused takes out of sight what nobody uses, while nobody can start to use it.
func (s *Store) retireUnused(ctx context.Context, all []keep.Collectable,
	references func(context.Context) ([]digest.Digest, error)) (keep.Garbage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	ids, err := references(ctx)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, id := range ids {
		used[id.Encoded()] = true
	}
	isUsed := func(layer string) bool { return used[layer] || s.holds[layer] > 0 }
	return s.items.RetireUnless(all, func(one keep.Collectable) bool {
		return s.isArriving(one, isUsed) || one.IsOf(isUsed) && s.isCurrent(one)
	})
}

// isArriving says that an item came with an image whose layers are on their way: some are in use, or held by who makes
// them, as far as one can wait for the others. Once all are in use it is an item as others are, and when none is, as after a
// pull that failed, it goes. The caller has the lock.
func (s *Store) isArriving(one keep.Collectable, isUsed func(layer string) bool) bool {
	if one.Kind != attachedKind {
		return false
	}
	until, ok := s.arriving[one.Key]
	if ok && time.Now().Before(until) && !one.IsOf(isUsed) && slices.ContainsFunc(one.Layers, isUsed) {
		return true
	}
	delete(s.arriving, one.Key)
	return false
}

// isCurrent says that an item is what its layers make today. By another version of the library, or with other options,
// they make one of another name. What runs on the old one has its files open. Disks of layers stay: the labels of
// snapshots are about them.
func (s *Store) isCurrent(one keep.Collectable) bool {
	switch mode := tarfs.Mode(one.Mode); {
	case one.Kind == imagesKind:
		return one.Key == s.imageKey(one.Layers)
	case one.Kind == attachedKind:
		return one.Key == s.attachedKey(one.Layers)
	case one.Kind == disksKind && mode.OfImage():
		return one.Key == s.diskKey(mode, one.Layers)
	}
	return true
}
