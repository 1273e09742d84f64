package snapshot

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
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
		err := mountErofs(bootstrap, devices, target)
		if err == nil || !wantsBlockDevice(err) {
			return err
		}
		if loop := mountLoops(bootstrap, devices, target); loop != nil {
			return errors.Join(err, loop)
		}
		return nil
	case BackingFile:
		return mountErofs(bootstrap, devices, target)
	case BackingLoop:
		return mountLoops(bootstrap, devices, target)
	default:
		return fmt.Errorf("%w: backing %d", ErrInvalid, b)
	}
}

// wantsBlockDevice knows what is said to a file that cannot be mounted as it is: ENOTBLK by kernels
// that mount no files; ENOTBLK too, or EINVAL, by those that do, to a file of tmpfs; ENAMETOOLONG to
// a path that is no option, where a loop device has a short one.
func wantsBlockDevice(err error) bool {
	return errors.Is(err, unix.ENOTBLK) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENAMETOOLONG)
}

// mountLoops mounts by loop devices.
func mountLoops(bootstrap string, devices []string, target string) error {
	var names []string
	for _, path := range append([]string{bootstrap}, devices...) {
		loop, err := attachLoop(path)
		if err != nil {
			return fmt.Errorf("loop device for %s: %w", path, err)
		}
		// The last to close it frees it: this call, or the end of the mount.
		defer loop.Close()
		names = append(names, loop.Name())
	}
	return mountErofs(names[0], names[1:], target)
}

// loopAttempts is how often someone else may be faster at the free loop device we were told of.
const loopAttempts = 100

// attachLoop puts a loop device before a file. It is free again once nobody has it open.
func attachLoop(path string) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	for range loopAttempts {
		var number int
		if number, err = unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE); err != nil {
			return nil, os.NewSyscallError("LOOP_CTL_GET_FREE", err)
		}
		var loop *os.File
		if loop, err = os.Open(fmt.Sprintf("/dev/loop%d", number)); err != nil {
			return nil, err
		}
		config := unix.LoopConfig{
			Fd:   uint32(file.Fd()),
			Size: 512, // of a sector: no more than a block of the filesystem
			Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_READ_ONLY | unix.LO_FLAGS_AUTOCLEAR},
		}
		copy(config.Info.File_name[:len(config.Info.File_name)-1], path)
		if err = unix.IoctlLoopConfigure(int(loop.Fd()), &config); err == nil {
			return loop, nil
		}
		loop.Close()
		if !errors.Is(err, unix.EBUSY) {
			break
		}
	}
	return nil, os.NewSyscallError("LOOP_CONFIGURE", err)
}
