package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
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
	infoFile      = "info.json"
	tarFile       = "tar"
	bootstrapFile = "bootstrap"
	diskFile      = "disk"
	hashesFile    = "hashes"
)

// store is the directory tree: items, which are directories that appear and vanish as a whole, and
// records.
type store struct{ root string }

// item says what is in an item, and what it was made of. It is the item's info.json.
type item struct {
	// Layers are diffIDs in hex, the lowest first.
	Layers []string `json:"layers"`
	// Files are the files' lengths in bytes.
	Files map[string]int64 `json:"files"`
	// Mode is an export mode, of a disk.
	Mode string `json:"mode,omitempty"`
	// Label is what a disk's label says; empty without verity.
	Label string `json:"label,omitempty"`
}

func openStore(root string) (*store, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	root, err := filepath.Abs(root)
	if err == nil {
		root, err = filepath.EvalSymlinks(root) // as mountinfo shows it
	}
	if err != nil {
		return nil, err
	}
	return &store{root}, nil
}

// prepare makes the directories and removes what a crash left.
func (s *store) prepare() (removed int, err error) {
	for _, dir := range []string{layersDir, imagesDir, disksDir, snapshotsDir, mountsDir, targetsDir} {
		path := filepath.Join(s.root, dir)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return removed, err
		}
		if dir == targetsDir {
			continue // mount points, no temporary names
		}
		n, err := removeTemps(path)
		if removed += n; err != nil {
			return removed, err
		}
	}
	return removed, errors.Join(syncPath(s.root), syncPath(filepath.Dir(s.root)))
}

func (s *store) path(elem ...string) string {
	return filepath.Join(append([]string{s.root}, elem...)...)
}

// has says whether an item is there: then it is whole.
func (s *store) has(kind, key string) bool {
	_, err := os.Lstat(s.path(kind, key))
	return err == nil
}

func (s *store) info(kind, key string) (*item, error) {
	var it item
	if err := readJSON(s.path(kind, key, infoFile), &it); err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, key, err)
	}
	return &it, nil
}

// publish makes an item: fill writes files into a new directory, which gets its name when all of
// it is on the disk. If the item is there by then, that one stays.
func (s *store) publish(kind, key string, fill func(dir string) (*item, error)) (err error) {
	parent := s.path(kind)
	dir, err := os.MkdirTemp(parent, tempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	step()
	it, err := fill(dir)
	if err != nil {
		return err
	}
	if err = seal(dir, it); err != nil {
		return err
	}
	step()
	err = os.Rename(dir, filepath.Join(parent, key))
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		return os.RemoveAll(dir)
	}
	if err != nil {
		return err
	}
	return syncPath(parent)
}

// seal brings an item's files to the disk and describes them.
func seal(dir string, it *item) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	it.Files = map[string]int64{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return err
		}
		it.Files[entry.Name()] = info.Size()
		if err := syncPath(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(dir, infoFile), it) // syncs the directory too
}

// retire takes an item out of sight at once; the caller removes what is at the path returned.
func (s *store) retire(kind, key string) (string, error) {
	dir, err := os.MkdirTemp(s.path(kind), tempPrefix+"*")
	if err != nil {
		return "", err
	}
	step()
	if err := os.Rename(s.path(kind, key), filepath.Join(dir, key)); err != nil {
		return "", errors.Join(err, os.Remove(dir))
	}
	return dir, nil
}

// keys lists the items of a kind.
func (s *store) keys(kind string) ([]string, error) {
	entries, err := os.ReadDir(s.path(kind))
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, entry := range entries {
		if isHash(entry.Name()) {
			keys = append(keys, entry.Name())
		}
	}
	return keys, nil
}

// check compares an item's files with its description: it finds what was removed or cut by someone
// else, without reading all of it.
func (s *store) check(kind, key string) error {
	it, err := s.info(kind, key)
	if err != nil {
		return damage(err)
	}
	if kind == layersDir && !slices.Equal(it.Layers, []string{key}) {
		return fmt.Errorf("%w: %s %s describes another layer", ErrDamaged, kind, key)
	}
	for name, size := range it.Files {
		info, err := os.Lstat(s.path(kind, key, name))
		if err != nil {
			return damage(err)
		}
		if !info.Mode().IsRegular() || info.Size() != size {
			return fmt.Errorf("%w: %s %s: %s has %d bytes instead of %d", ErrDamaged, kind, key, name, info.Size(), size)
		}
	}
	return nil
}

// damage says that an error is about what is on the disk, unless it is about this moment, as out of
// memory is: nothing may be given up for that.
func damage(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) && !errors.Is(err, fs.ErrNotExist) && errno != syscall.ENOTDIR {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}
