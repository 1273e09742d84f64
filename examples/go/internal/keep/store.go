package keep

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// InfoFile describes an item. It is beside the item's own files.
const InfoFile = "info.json"

// Store is a directory tree of items. Those of one kind are in one directory below the root.
type Store struct {
	// Root is absolute and without symbolic links.
	Root string
}

// Item says what is in an item, and what it was made of. It is the item's info.json.
type Item struct {
	// Layers are diffIDs in hex, the lowest first.
	Layers []string `json:"layers"`
	// Files are the files' lengths in bytes.
	Files map[string]int64 `json:"files"`
	// Devices are, of an image, the diffIDs in hex of its device table, in that order.
	Devices []string `json:"devices,omitempty"`
	// Mode is an export mode, of a disk.
	Mode string `json:"mode,omitempty"`
	// Sums are the SHA-256 of files of metadata, in hex: see the function Sums.
	Sums map[string]string `json:"sums,omitempty"`
	// Label is what a disk's label says; empty without verity.
	Label string `json:"label,omitempty"`
}

// Bytes is the length of all files.
func (it *Item) Bytes() (sum int64) {
	for _, size := range it.Files {
		sum += size
	}
	return sum
}

// OpenStore opens the root of a store, or makes it. One that others can write to is ErrUnsafe.
func OpenStore(root string) (*Store, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, err
	}
	root, err := filepath.Abs(root)
	if err == nil {
		root, err = filepath.EvalSymlinks(root) // as mountinfo shows it
	}
	if err == nil {
		err = checkOwned(root)
	}
	if err != nil {
		return nil, err
	}
	return &Store{root}, nil
}

// MakeDirs makes directories below the root, and removes what a crash left in them.
func (s *Store) MakeDirs(dirs ...string) (removed int, err error) {
	for _, dir := range dirs {
		path := s.Path(dir)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return removed, err
		}
		if err := checkDir(path); err != nil {
			return removed, err
		}
		n, err := RemoveTemps(path)
		if removed += n; err != nil {
			return removed, err
		}
		// Also those between the root and a directory that is deeper.
		for at := filepath.Dir(path); len(at) > len(s.Root); at = filepath.Dir(at) {
			if err := SyncPath(at); err != nil {
				return removed, err
			}
		}
	}
	return removed, errors.Join(SyncPath(s.Root), SyncPath(filepath.Dir(s.Root)))
}

// Path is below the root.
func (s *Store) Path(elem ...string) string {
	return filepath.Join(append([]string{s.Root}, elem...)...)
}

// Has says whether an item is there: then it is whole. One that can't be looked at is not taken for absent: it would be
// made again, or given up.
func (s *Store) Has(kind, key string) (bool, error) {
	_, err := os.Lstat(s.Path(kind, key))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Info reads an item's description.
func (s *Store) Info(kind, key string) (*Item, error) {
	var it Item
	if err := ReadJSON(s.Path(kind, key, InfoFile), &it); err != nil {
		return nil, fmt.Errorf("%s %s: %w", kind, key, err)
	}
	return &it, nil
}

// Publish makes an item: fill writes files into a new directory, which gets its name when all of
// it is on the disk. If the item is there by then, that one stays.
func (s *Store) Publish(kind, key string, fill func(dir string) (*Item, error)) error {
	d, err := s.Begin(kind)
	if err != nil {
		return err
	}
	defer d.Drop()
	it, err := fill(d.Dir)
	if err != nil {
		return err
	}
	return d.Publish(key, it)
}

// Draft is an item being made, whose key may not be known yet.
type Draft struct {
	// Dir is where its files are written.
	Dir    string
	parent string
}

// Begin starts an item.
func (s *Store) Begin(kind string) (*Draft, error) {
	parent := s.Path(kind)
	dir, err := os.MkdirTemp(parent, TempPrefix+"*")
	if err != nil {
		return nil, err
	}
	Step()
	return &Draft{dir, parent}, nil
}

// Drop removes the files, unless the item was published. It may be called in any case.
func (d *Draft) Drop() error { return os.RemoveAll(d.Dir) }

// Publish brings the files to the disk and gives the item its name. If one of this name is there by
// then, that one stays.
func (d *Draft) Publish(key string, it *Item) error {
	if err := seal(d.Dir, it); err != nil {
		return err
	}
	Step()
	err := os.Rename(d.Dir, filepath.Join(d.parent, key))
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTEMPTY) {
		err = d.Drop()
	}
	if err != nil {
		return err
	}
	// Also where another one stays: who made that may not have come as far.
	return SyncPath(d.parent)
}

// Replace makes an item anew, and puts it in the place of the one of its name. That one stays until the other is whole,
// and if it can't be made; if there is none of the name any more, that is fs.ErrNotExist.
func (s *Store) Replace(kind, key string, fill func(dir string) (*Item, error)) error {
	d, err := s.Begin(kind)
	if err != nil {
		return err
	}
	defer d.Drop() // which is the other one then
	it, err := fill(d.Dir)
	if err != nil {
		return err
	}
	if err := seal(d.Dir, it); err != nil {
		return err
	}
	Step()
	err = unix.Renameat2(unix.AT_FDCWD, d.Dir, unix.AT_FDCWD, s.Path(kind, key), unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP) {
		// A filesystem that can't: for a moment there is none.
		gone, err := s.Retire(kind, key)
		if err != nil {
			return err
		}
		Step()
		if err := os.Rename(d.Dir, s.Path(kind, key)); err != nil {
			return errors.Join(err, os.Rename(gone, s.Path(kind, key)))
		}
		return s.Discard(gone)
	}
	if err != nil {
		return err
	}
	Step()
	// The name is that of the new one for good before any file of the other is removed.
	return SyncPath(d.parent)
}

// seal brings an item's files to the disk and describes them.
func seal(dir string, it *Item) error {
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
		if err := SyncPath(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	if err := addSums(dir, it); err != nil {
		return err
	}
	return WriteJSON(filepath.Join(dir, InfoFile), it) // syncs the directory too
}

// Retire takes an item out of sight at once; the caller removes what is at the path returned. It makes nothing new, so
// it works on a disk that is full.
func (s *Store) Retire(kind, key string) (string, error) {
	gone := s.Path(kind, TempPrefix+rand.Text())
	Step()
	return gone, os.Rename(s.Path(kind, key), gone)
}

// Remove takes an item away, for good before any file of it is.
func (s *Store) Remove(kind, key string) error {
	dir, err := s.Retire(kind, key)
	if err != nil {
		return err
	}
	return s.Discard(dir)
}

// Discard removes what Retire took out of sight, whose name is gone for good before.
func (s *Store) Discard(dir string) error {
	if err := SyncPath(filepath.Dir(dir)); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// Keys lists the items of a kind.
func (s *Store) Keys(kind string) ([]string, error) {
	entries, err := os.ReadDir(s.Path(kind))
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, entry := range entries {
		if IsHash(entry.Name()) {
			keys = append(keys, entry.Name())
		}
	}
	return keys, nil
}

// Check compares an item's files with its description, which it returns: it finds what was removed
// or cut by someone else, without reading all of it.
func (s *Store) Check(kind, key string) (*Item, error) {
	it, err := s.Info(kind, key)
	if err != nil {
		return nil, damage(err)
	}
	for name, size := range it.Files {
		info, err := os.Lstat(s.Path(kind, key, name))
		if err != nil {
			return nil, damage(err)
		}
		if !info.Mode().IsRegular() || info.Size() != size {
			return nil, fmt.Errorf("%w: %s %s: %s has %d bytes instead of %d", ErrDamaged, kind, key, name, info.Size(), size)
		}
	}
	return it, nil
}

// Unreadable says of an error in reading a file's bytes whether it stays: what a disk can't read is damaged as other bytes
// are.
func Unreadable(err error) error {
	if isOfDisk(err) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return damage(err)
}

// IsUnreadable says of damage that a disk does not give the bytes. Those on it may be right, and be given when its cable
// is mended: so what is unreadable is made again, and is not removed before another is in its place.
func IsUnreadable(err error) bool { return errors.Is(err, ErrDamaged) && isOfDisk(err) }

func isOfDisk(err error) bool {
	for _, errno := range []error{unix.EIO, unix.EUCLEAN, unix.EBADMSG, unix.EILSEQ, unix.ENODATA} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// Renew is Replace of an item that is damaged, and Publish where it is gone by then.
func (s *Store) Renew(kind, key string, fill func(dir string) (*Item, error)) error {
	err := s.Replace(kind, key, fill)
	if has, unseen := s.Has(kind, key); errors.Is(err, fs.ErrNotExist) && !has && unseen == nil {
		return s.Publish(kind, key, fill)
	}
	return err
}

// damage says that an error is about what is on the disk, unless it is about this moment, as out of
// memory is: nothing may be given up for that.
func damage(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) && !errors.Is(err, fs.ErrNotExist) && errno != syscall.ENOTDIR && errno != syscall.ELOOP {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}
