package snapshot

import (
	"fmt"
	"os"
	"slices"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// Directories below the root: see the package's documentation.
const (
	layersDir    = "layers"
	imagesDir    = "images"
	disksDir     = "disks"
	snapshotsDir = "snapshots"
	mountsDir    = "mounts"
	targetsDir   = "mnt"
)

// Files of items.
const (
	tarFile       = "tar"
	bootstrapFile = "bootstrap"
	diskFile      = "disk"
	hashesFile    = "hashes"
)

// store is the directory tree: items, and records.
type store struct{ *keep.Store }

func openStore(root string) (*store, error) {
	s, err := keep.OpenStore(root)
	if err != nil {
		return nil, err
	}
	return &store{s}, nil
}

// prepare makes the directories and removes what a crash left.
func (s *store) prepare() (removed int, err error) {
	// Mount points have no temporary names.
	if err := os.MkdirAll(s.Path(targetsDir), 0o700); err != nil {
		return 0, err
	}
	return s.MakeDirs(layersDir, imagesDir, disksDir, snapshotsDir, mountsDir)
}

// sum is the SHA-256 that a file of an item had; empty if that is not known.
func (s *store) sum(kind, key, name string) string {
	it, err := s.Info(kind, key)
	if err != nil {
		return ""
	}
	return it.Sums[name]
}

// check finds that an item was damaged, as far as lengths show it.
func (s *store) check(kind, key string) error {
	it, err := s.Check(kind, key)
	if err == nil && kind == layersDir && !slices.Equal(it.Layers, []string{key}) {
		return fmt.Errorf("%w: %s %s describes another layer", ErrDamaged, kind, key)
	}
	return err
}
