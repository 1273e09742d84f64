package keep

import (
	"errors"
	"io/fs"
	"os"
	"slices"
)

// Collected is what a collection removed.
type Collected struct {
	// Items is how many layers, images and disks.
	Items int
	// Bytes is the length of their files.
	Bytes int64
}

// Collectable is an item, and what it was made of.
type Collectable struct {
	Kind, Key string
	*Item
}

// Collectables lists items of some kinds.
func (s *Store) Collectables(kinds ...string) ([]Collectable, error) {
	var all []Collectable
	for _, kind := range kinds {
		keys, err := s.Keys(kind)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			it, err := s.Info(kind, key)
			if err != nil && errors.Is(damage(err), ErrDamaged) {
				continue // another collection was faster, or it is damaged: recovery's business
			}
			if err != nil {
				return nil, err
			}
			all = append(all, Collectable{kind, key, it})
		}
	}
	return all, nil
}

// Garbage are items on their way out: out of sight, and not yet removed.
type Garbage []garbage

type garbage struct {
	path  string
	bytes int64
}

// RetireUnless takes out of sight what is not wanted. The caller sees to it that nobody can start to
// use an item meanwhile.
func (s *Store) RetireUnless(all []Collectable, wanted func(Collectable) bool) (doomed Garbage, err error) {
	for _, one := range all {
		if wanted(one) {
			continue
		}
		dir, failed := s.Retire(one.Kind, one.Key)
		if errors.Is(failed, fs.ErrNotExist) {
			continue
		}
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		doomed = append(doomed, garbage{dir, one.Bytes()})
	}
	return doomed, err
}

// IsOf says that an item is made of used layers only.
func (c Collectable) IsOf(used func(layer string) bool) bool {
	return !slices.ContainsFunc(c.Layers, func(layer string) bool { return !used(layer) })
}

// Delete removes what was retired. Before, the directories of these kinds are synced: items are gone
// for good before any file of theirs is.
func (s *Store) Delete(doomed Garbage, kinds ...string) (done Collected, err error) {
	for _, kind := range kinds {
		err = errors.Join(err, SyncPath(s.Path(kind)))
	}
	if err != nil {
		return Collected{}, err // MakeDirs removes what was retired
	}
	for _, one := range doomed {
		Step()
		if failed := os.RemoveAll(one.path); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		done.Items++
		done.Bytes += one.bytes
	}
	return done, err
}
