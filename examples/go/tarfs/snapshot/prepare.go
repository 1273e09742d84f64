package snapshot

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// layerSnapshot is a snapshot of one layer: on its way, ready, or failed.
type layerSnapshot struct {
	layer  Layer
	cancel context.CancelCauseFunc
	moving chan struct{} // closed when bytes flow
	done   chan struct{} // closed when it is ready or failed
	key    string        // the layer's diffID in hex; after done, if it did not fail
	err    error         // after done
	refs   int           // who waits in PrepareLayer

	detaching bool // its record is about to go
}

func (s *layerSnapshot) isDone() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// PrepareLayer starts to fetch and convert a layer, unless its contents are there already, and
// returns once bytes flow, or it is known that they don't: so a caller can still do something else
// with the layer. The rest goes on after PrepareLayer returned, independent of ctx; how it ended is
// what WaitLayerReady says. If ctx is done earlier, the work is cancelled, unless somebody else
// waits for it.
//
// Preparing again a snapshot that is ready or on its way does nothing; one that failed is tried
// again. A snapshot of another layer is ErrExists.
func (m *Manager) PrepareLayer(ctx context.Context, snapshotID string, layer Layer) error {
	if err := errors.Join(checkID(snapshotID), layer.check()); err != nil {
		return err
	}
	s, err := m.startLayer(snapshotID, layer)
	if err != nil {
		return err
	}
	defer func() {
		m.mu.Lock()
		s.refs--
		m.mu.Unlock()
	}()
	select {
	case <-s.done:
		return s.err
	case <-s.moving:
		return nil
	case <-ctx.Done():
		m.mu.Lock()
		defer m.mu.Unlock()
		if s.refs == 1 {
			s.cancel(context.Cause(ctx))
		}
		return context.Cause(ctx)
	}
}

// startLayer finds or starts a snapshot, and counts the caller in.
func (m *Manager) startLayer(id string, layer Layer) (*layerSnapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	if s := m.snapshots[id]; s != nil && s.detaching {
		return nil, fmt.Errorf("%w: snapshot %s is being detached", ErrExists, id)
	} else if s != nil && (!s.isDone() || s.err == nil) {
		if !s.is(layer) {
			return nil, fmt.Errorf("%w: snapshot %s is of layer %s", ErrExists, id, s.layer.Digest)
		}
		s.refs++
		return s, nil
	}
	ctx, cancel := context.WithCancelCause(m.ctx)
	s := &layerSnapshot{
		layer: layer, cancel: cancel, refs: 1,
		moving: make(chan struct{}), done: make(chan struct{}),
	}
	m.snapshots[id] = s
	m.work.Add(1)
	go func() {
		defer m.work.Done()
		defer cancel(nil)
		key, release, err := m.prepare(ctx, id, s)
		defer release() // once the snapshot itself keeps its layer
		if err != nil {
			m.logf("snapshot %s, layer %s: %v", id, layer.Digest, err)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		s.key, s.err = key, err
		close(s.done)
	}()
	return s, nil
}

// is says whether a snapshot is of a layer.
func (s *layerSnapshot) is(layer Layer) bool {
	if s.layer.DiffID != "" && layer.DiffID != "" {
		return s.layer.DiffID == layer.DiffID
	}
	return s.layer.Digest == layer.Digest
}

// prepare makes a snapshot ready: contents first, then the record. The layer is not collected
// before release.
func (m *Manager) prepare(ctx context.Context, id string, s *layerSnapshot) (key string, release func(), err error) {
	release = func() {}
	diffID := s.layer.DiffID
	if diffID == "" {
		if diffID, err = m.resolver.diffID(ctx, s.layer); err != nil {
			return "", release, err
		}
	}
	if key, err = hexOf(diffID); err != nil {
		return "", release, err
	}
	release = m.hold(key)
	moving := func() { close(s.moving) }
	if err := m.ensureLayer(ctx, s.layer, key, sync.OnceFunc(moving)); err != nil {
		return "", release, fmt.Errorf("layer %s: %w", s.layer.Digest, err)
	}
	if ctx.Err() != nil {
		return "", release, context.Cause(ctx)
	}
	record := snapshotRecord{Layer: key, Digest: s.layer.Digest, Ref: s.layer.Ref}
	path := m.store.recordPath(snapshotsDir, id)
	if err := keep.WriteJSON(path, &record); err != nil {
		// It may have its name by now, while a snapshot that failed keeps no layer: the next manager would find it lost.
		return "", release, errors.Join(err, keep.RemoveFile(path))
	}
	return key, release, nil
}

// WaitLayerReady waits until a snapshot is ready, which then survives a crash of the machine, or
// returns why it is not.
func (m *Manager) WaitLayerReady(ctx context.Context, snapshotID string) error {
	_, err := m.readyLayer(ctx, snapshotID)
	return err
}

// readyLayer waits for a snapshot and returns its layer.
func (m *Manager) readyLayer(ctx context.Context, id string) (key string, err error) {
	m.mu.Lock()
	s, closed := m.snapshots[id], m.closed
	m.mu.Unlock()
	if closed {
		return "", ErrClosed
	}
	if s == nil {
		return "", fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	select {
	case <-s.done:
	default:
		select {
		case <-s.done:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	if s.err != nil {
		return "", fmt.Errorf("snapshot %s: %w", id, s.err)
	}
	return s.key, nil
}

// DetachLayer ends a snapshot: what is still on its way is cancelled, what it has mounted is
// unmounted, and its record goes. Contents stay until Collect finds them without a user. A snapshot
// that is not there is ErrNotFound.
func (m *Manager) DetachLayer(snapshotID string) error {
	if err := checkID(snapshotID); err != nil {
		return err
	}
	end, err := m.begin()
	if err != nil {
		return err
	}
	defer end()
	unmounted, err := m.unmount(snapshotID)
	if err != nil {
		return err
	}
	m.mu.Lock()
	s := m.snapshots[snapshotID]
	if s == nil || s.detaching {
		m.mu.Unlock()
		if unmounted {
			return nil
		}
		return fmt.Errorf("%w: %s", ErrNotFound, snapshotID)
	}
	s.detaching = true
	m.mu.Unlock()
	s.cancel(fmt.Errorf("%w: %s was detached", ErrNotFound, snapshotID))
	<-s.done
	err = keep.RemoveFile(m.store.recordPath(snapshotsDir, snapshotID))
	m.mu.Lock()
	defer m.mu.Unlock()
	s.detaching = false
	if err == nil {
		delete(m.snapshots, snapshotID)
	}
	return err
}
