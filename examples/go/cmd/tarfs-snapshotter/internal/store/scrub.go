package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// filesOf are those of a layer that is kept.
func (s *Store) filesOf(key string) keep.Files {
	options := s.layerOptions()
	options.Tag = key
	files := keep.Files{
		Tar:       s.items.Path(layersKind, key, tarFile),
		Bootstrap: s.items.Path(layersKind, key, indexFile),
		Options:   options,
		Remade: func(damaged error) {
			s.log.Error("metadata of a layer is damaged: made again", "layer", "sha256:"+key, "cause", damaged)
		},
	}
	if it, err := s.items.Info(layersKind, key); err == nil {
		files.Sum = it.Sums[indexFile]
	}
	return files
}

// Verify reads all layers, images and disks: each tar is held against its diffID, metadata against the SHA-256 that it
// had, and a disk with a hash tree against its root hash. Metadata and disks are made again; a layer whose tar is damaged
// is an error in the log, and is counted. It stays, as its snapshots refer to it.
func (s *Store) Verify(ctx context.Context) (damaged int, failed error) {
	for _, kind := range []string{layersKind, imagesKind, attachedKind, disksKind} {
		keys, err := s.items.Keys(kind)
		if err != nil {
			return damaged, err
		}
		for _, key := range keys {
			if ctx.Err() != nil {
				return damaged, context.Cause(ctx)
			}
			err := s.scrub(ctx, kind, key)
			has, unseen := s.items.Has(kind, key)
			switch {
			case ctx.Err() != nil:
				return damaged, context.Cause(ctx)
			case err == nil || !has && unseen == nil: // or collected meanwhile
				s.unmark(key)
			case errors.Is(err, keep.ErrDamaged):
				damaged++
				s.mark(key)
				s.log.Error("damaged", "item", kind+"/"+key, "cause", err)
			default: // of one item, and of this moment: the others are looked at
				failed = errors.Join(failed, fmt.Errorf("%s/%s: %w", kind, key, err))
			}
		}
	}
	return damaged, failed
}

// mark remembers that a layer's tar is damaged: who unpacks that layer next puts another in its place.
func (s *Store) mark(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad[key] = true
}

func (s *Store) unmark(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.bad, key)
}

func (s *Store) isMarked(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bad[key]
}

func (s *Store) scrub(ctx context.Context, kind, key string) error {
	if kind == layersKind {
		if _, err := s.check(kind, key); err != nil {
			return err
		}
		return s.filesOf(key).Verify(ctx, key)
	}
	if kind == disksKind {
		return s.scrubDisk(ctx, key)
	}
	_, err := s.verify(kind, key)
	if !errors.Is(err, keep.ErrDamaged) {
		return err
	}
	it, failed := s.items.Info(kind, key)
	if failed != nil || s.imageKey(it.Layers) != key {
		return err // who needs it finds the same, and makes it again
	}
	// Made again as by whoever needs it, so that two do not do it at once.
	release, failed := s.hold(it.Layers...)
	if failed != nil {
		return errors.Join(err, failed)
	}
	defer release()
	_, failed = s.image(ctx, it.Layers)
	return failed
}

// verifyEvery verifies again and again, with so much time between, until the context ends.
func (s *Store) verifyEvery(ctx context.Context, interval time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
		begin := time.Now()
		damaged, err := s.Verify(ctx)
		if ctx.Err() != nil {
			return
		}
		level := slog.LevelInfo
		if err != nil || damaged > 0 {
			level = slog.LevelError
		}
		s.log.Log(ctx, level, "verified what is kept", "damaged", damaged, "took", time.Since(begin), "error", err)
	}
}
