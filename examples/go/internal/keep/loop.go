package keep

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// MountFiles mounts an image with the files of its devices, in the order of its device table: the files themselves
// where the kernel can, else by loop devices.
func MountFiles(image string, devices []string, target string) error {
	err := MountErofs(image, devices, target)
	if err == nil || !wantsBlockDevice(err) {
		return err
	}
	if loop := MountLoops(image, devices, target); loop != nil {
		return errors.Join(err, loop)
	}
	return nil
}

// wantsBlockDevice knows what is said to a file that cannot be mounted as it is: ENOTBLK by kernels
// that mount no files; ENOTBLK too, or EINVAL, by those that do, to a file of tmpfs; ENAMETOOLONG to
// a path that is no option, where a loop device has a short one.
func wantsBlockDevice(err error) bool {
	return errors.Is(err, unix.ENOTBLK) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENAMETOOLONG)
}

// MountLoops mounts by loop devices: read-only, and freed by the kernel when the mount ends, whoever ends it.
func MountLoops(bootstrap string, devices []string, target string) error {
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
	return MountErofs(names[0], names[1:], target)
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
