package keep

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// maxOption is the most bytes that fsconfig(2) takes as a value.
const maxOption = 255

// erofsMagic is what statfs(2) says of EROFS.
const erofsMagic = 0xe0f5e1e2

// MountErofs mounts an image, read only. Each device is an option of its own by fsconfig(2): there
// may be as many as a device table has, where the one page of options of mount(2) ends at about 200.
func MountErofs(source string, devices []string, target string) error {
	context, err := unix.Fsopen("erofs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("fsopen erofs", err)
	}
	defer unix.Close(context)
	if err := setOption(context, "source", source); err != nil {
		return err
	}
	for _, device := range devices {
		if err := setOption(context, "device", device); err != nil {
			return err
		}
	}
	if err := unix.FsconfigSetFlag(context, "ro"); err != nil {
		return said(context, "ro", err)
	}
	if err := unix.FsconfigCreate(context); err != nil {
		return said(context, source, err)
	}
	mount, err := unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY)
	if err != nil {
		return said(context, source, err)
	}
	defer unix.Close(mount) // unless it was moved, that ends it
	err = unix.MoveMount(mount, "", unix.AT_FDCWD, target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	return os.NewSyscallError("move_mount", err)
}

func setOption(context int, key, value string) error {
	if len(value) > maxOption {
		return fmt.Errorf("%w: %s of %d bytes, the kernel takes %d", unix.ENAMETOOLONG, key, len(value), maxOption)
	}
	return said(context, key+"="+value, unix.FsconfigSetString(context, key, value))
}

// said adds what the kernel says of an error.
func said(context int, what string, err error) error {
	if err == nil {
		return nil
	}
	var lines []string
	var line [1024]byte
	for range 16 {
		n, failed := unix.Read(context, line[:])
		if failed != nil || n <= 0 {
			break
		}
		lines = append(lines, strings.TrimSpace(string(line[:n])))
	}
	err = fmt.Errorf("mount: %s: %w", what, err)
	if len(lines) > 0 {
		err = fmt.Errorf("%w (%s)", err, strings.Join(lines, "; "))
	}
	return err
}

// IsMounted says whether a directory shows an EROFS.
func IsMounted(target string) bool {
	var stat unix.Statfs_t
	return unix.Statfs(target, &stat) == nil && uint32(stat.Type) == erofsMagic
}

// UnmountTarget ends what is mounted on a directory, and removes that. Nothing mounted, and no
// directory, is fine; a mount in use is EBUSY.
func UnmountTarget(target string) error {
	for IsMounted(target) {
		if err := unix.Unmount(target, unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("unmount %s: %w", target, err)
		}
	}
	Step()
	if err := unix.Rmdir(target); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove %s: %w", target, err)
	}
	return nil
}
