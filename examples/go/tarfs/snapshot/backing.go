package snapshot

import (
	"fmt"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// Backing is how the files of an image become a mount.
type Backing int

const (
	// BackingAuto mounts the files themselves where the kernel can, else by loop devices.
	BackingAuto Backing = iota
	// BackingFile mounts the files themselves: Linux 6.12 or later, not on tmpfs, and below a root
	// whose path has 178 bytes at most.
	BackingFile
	// BackingLoop puts a loop device before each file: read-only, and freed by the kernel when
	// the mount ends, whoever ends it.
	BackingLoop
)

// mountFiles mounts a bootstrap with the files of its devices, in the order of its device table.
func (b Backing) mountFiles(bootstrap string, devices []string, target string) error {
	switch b {
	case BackingAuto:
		return keep.MountFiles(bootstrap, devices, target)
	case BackingFile:
		return keep.MountErofs(bootstrap, devices, target)
	case BackingLoop:
		return keep.MountLoops(bootstrap, devices, target)
	default:
		return fmt.Errorf("%w: backing %d", ErrInvalid, b)
	}
}
