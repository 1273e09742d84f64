package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/opencontainers/go-digest"
)

// Files of disks: all of one, or its hash tree alone; and beside a disk by which containers' mounts go through dm-verity
// what containerd opens that by.
const (
	diskFile    = "disk"
	hashesFile  = "disk.verity"
	sidecarFile = "disk.dmverity"
)

// Disk is a file that an export mode made of layers: a disk, which virtual machines take as it is, or with a
// verity_only mode the hash tree of the disk that the same layers give.
type Disk struct {
	// Path is where it is.
	Path string
	// Label is what is said of its hash tree: DATA-BLOCKS,HASH-OFFSET,sha256:ROOT; empty without one.
	Label string
	// Sidecar is the file by which containerd opens it through dm-verity, of ImageBlockWithVerity; its root hash is the
	// label's.
	Sidecar string
}

// Root is the root hash, as sha256:HEX; empty without one.
func (d Disk) Root() string { return d.Label[strings.LastIndexByte(d.Label, ',')+1:] }

// On is the same image, mounted from a disk of it that has all its bytes.
func (i Image) On(disk Disk) Image {
	i.Path, i.Devices, i.Sidecar, i.key = disk.Path, nil, disk.Sidecar, DiskKey(i.key)
	return i
}

// DiskKey is the name of the image with this name where it is on a disk.
func DiskKey(image string) string { return image + "-disk" }

// Disk makes the disk of layers, the lowest first, unless that was done. Like an image, it stays while snapshots refer
// to its layers, or somebody holds them: that is the caller's.
func (s *Store) Disk(ctx context.Context, mode tarfs.Mode, chain []digest.Digest) (Disk, error) {
	if len(chain) == 0 {
		return Disk{}, fmt.Errorf("a disk of no layers: %w", errdefs.ErrInvalidArgument)
	}
	layers, err := keysOf(chain)
	if err != nil {
		return Disk{}, err
	}
	release, err := s.hold(layers...)
	if err != nil {
		return Disk{}, err
	}
	if err := s.whole(layers); err != nil {
		release()
		return Disk{}, err
	}
	key := s.diskKey(mode, layers)
	// A disk may take longer than a caller waits, who then asks again: the work goes on, until the store is closed.
	done := make(chan error, 1)
	go func() {
		defer release()
		done <- s.ensure(context.WithoutCancel(ctx), disksKind, key, func(ctx context.Context, dir string) (*keep.Item, error) {
			return s.fillDisk(ctx, mode, layers, dir)
		})
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return Disk{}, fmt.Errorf("%s: %w", mode, err)
	}
	it, err := s.items.Info(disksKind, key)
	if err != nil {
		return Disk{}, err
	}
	disk := Disk{Path: s.items.Path(disksKind, key, fileOf(mode)), Label: it.Label}
	if mode == tarfs.ImageBlockWithVerity {
		disk.Sidecar = s.items.Path(disksKind, key, sidecarFile)
		err = checkSidecar(disk)
	}
	return disk, err
}

// fileOf is the file that an export mode makes.
func fileOf(mode tarfs.Mode) string {
	if mode.HasDisk() {
		return diskFile
	}
	return hashesFile
}

// fillDisk makes the disk of layers in a directory; without what came with their image, if that is not right.
func (s *Store) fillDisk(ctx context.Context, mode tarfs.Mode, layers []string, dir string) (*keep.Item, error) {
	path := filepath.Join(dir, fileOf(mode))
	it, err := s.export(ctx, mode, layers, path)
	if errors.Is(err, ErrAttached) {
		s.dropAttached(layers, err)
		if err := emptied(dir); err != nil {
			return nil, err
		}
		it, err = s.export(ctx, mode, layers, path)
	}
	return it, err
}

// emptied removes what is in a directory.
func emptied(dir string) error {
	names, err := os.ReadDir(dir)
	for _, name := range names {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, name.Name())))
	}
	return err
}

// diskKey names a disk by all that its bytes depend on.
func (s *Store) diskKey(mode tarfs.Mode, layers []string) string {
	// Another version of the library may lay it out otherwise, and then has another root hash.
	parts := []any{"disk", tarfs.Version(), mode, layers}
	if mode == tarfs.ImageBlockWithVerity {
		parts = append(parts, "superblock") // disks of earlier versions have none
	}
	return s.keyOfMerged(parts...)
}

// export writes the disk of layers.
func (s *Store) export(ctx context.Context, mode tarfs.Mode, layers []string, path string) (*keep.Item, error) {
	sources, attached, err := s.sourcesOfDisk(ctx, mode, layers)
	if err != nil {
		return nil, err
	}
	defer sources.Close()
	options := &tarfs.ExportOptions{Merge: s.mergeOptions(), Limits: s.options.Limits}
	if mode == tarfs.ImageBlockWithVerity {
		options.Verity = &tarfs.VerityParams{Superblock: tarfs.SuperblockDerived}
	}
	done, err := tarfs.Export(ctx, mode, sources.List, path, options)
	if err != nil {
		return nil, err
	}
	it := &keep.Item{Layers: layers, Mode: string(mode)}
	for i := range done {
		if sealed := done[i].Verity; sealed != nil {
			s.options.Metrics.Hashed("disk", int64(sealed.Info().DataBytes)-attached.known)
			err = errors.Join(err, describeTree(it, sealed, filepath.Dir(path)), attached.check(sealed.RootHex()), sealed.Close())
		}
	}
	return it, errors.Join(err, os.Chmod(path, 0o600))
}
