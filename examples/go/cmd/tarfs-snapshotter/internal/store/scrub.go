package store

import (
	"context"
	"errors"
	"io/fs"
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

// Verify reads all layers and images: each tar is held against its diffID, and metadata against the SHA-256 that it
// had. Metadata is made again; a layer whose tar is damaged is an error in the log, and is counted. It stays, as its
// snapshots refer to it.
func (s *Store) Verify(ctx context.Context) (damaged int, err error) {
	for _, kind := range []string{layersKind, imagesKind} {
		keys, err := s.items.Keys(kind)
		if err != nil {
			return damaged, err
		}
		for _, key := range keys {
			if ctx.Err() != nil {
				return damaged, context.Cause(ctx)
			}
			err := s.scrub(ctx, kind, key)
			switch {
			case err == nil, !s.items.Has(kind, key): // collected meanwhile
			case errors.Is(err, keep.ErrDamaged):
				damaged++
				s.log.Error("damaged", "item", kind+"/"+key, "cause", err)
			default:
				return damaged, err
			}
		}
	}
	return damaged, nil
}

func (s *Store) scrub(ctx context.Context, kind, key string) error {
	if kind == layersKind {
		if _, err := s.check(kind, key); err != nil {
			return err
		}
		return s.filesOf(key).Verify(ctx, key)
	}
	_, err := s.verify(kind, key)
	if !errors.Is(err, keep.ErrDamaged) {
		return err
	}
	// Who needs it next merges it again.
	if gone := s.items.Remove(kind, key); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		return errors.Join(err, gone)
	}
	return err
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
		s.log.Info("verified what is kept", "damaged", damaged, "took", time.Since(begin), "error", err)
	}
}
