package snapshotter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// blockFile is the filesystem that bounds what a container writes, in its snapshot's directory. Kata knows it by this
// name.
const blockFile = "rwlayer.img"

// committing is where it is mounted while it is committed, in the same directory.
const committing = "committing"

// How long a commit waits for a filesystem to be unmounted everywhere, and how long between two looks.
const (
	blockWait  = 10 * time.Second
	blockPause = 50 * time.Millisecond
)

// mkfs makes such a filesystem. It is looked for once, where it is asked for.
const mkfs = "mkfs.ext4"

// blockSize is how many bytes a container's filesystem has; 0 for none of its own.
func (s *Snapshotter) blockSize(info snapshots.Info) int64 {
	if s.options.DefaultSize == 0 || info.Kind != snapshots.KindActive || isBind(info) {
		return 0
	}
	label, ok := info.Labels[snapshots.LabelSnapshotMaxSize]
	if !ok {
		return s.options.DefaultSize
	}
	size, err := strconv.ParseInt(label, 10, 64)
	if err != nil || size <= 0 {
		s.log.Warn("a label is no number of bytes: the default holds", "label", snapshots.LabelSnapshotMaxSize, "value", label)
		return s.options.DefaultSize
	}
	return size
}

// block makes the filesystem of a snapshot in its directory, if it has one. The directories that overlayfs needs are in
// it from the start.
func (s *Snapshotter) block(ctx context.Context, dir string, info snapshots.Info) error {
	size := s.blockSize(info)
	if size == 0 {
		return nil
	}
	root, err := rootOwner(info)
	if err != nil {
		return err
	}
	tree := filepath.Join(dir, "tree")
	upper := filepath.Join(tree, "upper")
	for _, made := range []string{tree, upper, filepath.Join(tree, "work")} {
		err = errors.Join(err, os.Mkdir(made, 0o755))
	}
	err = errors.Join(err, os.Chmod(upper, 0o755)) // whatever the umask is
	if root != nil {
		err = errors.Join(err, os.Lchown(upper, root.uid, root.gid))
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, blockFile), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, mkfs, "-q", "-F", "-d", tree, f.Name())
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s of %d bytes: %w: %s", mkfs, size, err, said)
	}
	return os.RemoveAll(tree)
}

// hasBlock says whether a snapshot has a filesystem of its own. One that can't be looked at is not taken for absent: a
// commit would take an empty directory for what was written.
func (s *Snapshotter) hasBlock(id string) (bool, error) {
	_, err := os.Lstat(s.path(id, blockFile))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// blockMount is how it is mounted.
func (s *Snapshotter) blockMount(id, mode string) mount.Mount {
	return mount.Mount{Type: "ext4", Source: s.path(id, blockFile), Options: []string{mode, "loop"}}
}

// inUpper calls with the directory that has what was written to a snapshot. A filesystem of its own is mounted for that.
func (s *Snapshotter) inUpper(ctx context.Context, id string, do func(upper string) error) (err error) {
	if has, err := s.hasBlock(id); err != nil {
		return err
	} else if !has {
		return do(s.upper(id))
	}
	at := s.path(id, committing)
	if err := os.Mkdir(at, 0o700); err != nil {
		return err // another commit has it
	}
	defer func() { err = errors.Join(err, os.Remove(at)) }()
	if err := s.mountBlock(ctx, id, at); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, mount.UnmountAll(at, 0)) }()
	return do(filepath.Join(at, "upper"))
}

// mountBlock mounts a snapshot's filesystem, read-only. One that is mounted still, or was not unmounted, is refused by the
// kernel (EROFS), as its journal says more than its blocks: without the journal we would read less than was written. It
// may be so for a moment after it was unmounted, while a process that just starts has a copy of all mounts.
func (s *Snapshotter) mountBlock(ctx context.Context, id, at string) error {
	m := s.blockMount(id, "ro")
	until := time.Now().Add(blockWait)
	for {
		err := m.Mount(at)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EROFS) || time.Now().After(until) {
			return fmt.Errorf("%s, which a container may have mounted: %w", m.Source, err)
		}
		select {
		case <-time.After(blockPause):
		case <-ctx.Done():
			return fmt.Errorf("%w: %s, which a container may have mounted: %w", context.Cause(ctx), m.Source, err)
		}
	}
}

// unmountLeft ends what a killed process had mounted to commit it, and removes the directories for that, on which
// nothing may be mounted yet or any more. What else is mounted there is not ours.
func (s *Snapshotter) unmountLeft() error {
	left, err := mountinfo.GetMounts(mountinfo.PrefixFilter(s.dir))
	for _, one := range left {
		if filepath.Base(one.Mountpoint) == committing {
			err = errors.Join(err, mount.UnmountAll(one.Mountpoint, 0))
		}
	}
	entries, failed := os.ReadDir(s.dir)
	if errors.Is(failed, os.ErrNotExist) {
		return err // the first start
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if gone := os.Remove(s.path(entry.Name(), committing)); gone != nil && !errors.Is(gone, os.ErrNotExist) {
			failed = errors.Join(failed, gone)
		}
	}
	return errors.Join(err, failed)
}
