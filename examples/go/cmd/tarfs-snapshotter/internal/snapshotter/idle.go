package snapshotter

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/containerd/go-dmverity/pkg/verity"
	"golang.org/x/sys/unix"
)

// containerd's handler closes a device when it has unmounted it, and tries that once. Who has the device open at that moment
// keeps it, as udev may, which looks into each new one; and a kill in between leaves it. The device stays then, and its loop
// device, and the bytes of the disk, also when the disk is removed. So what the handler has left over our disks is closed here.

// handlerPrefix begins the names of devices that the handler opens.
const handlerPrefix = "containerd-erofs-"

// How long a device that somebody looks at is waited for, and how long between two tries.
const (
	closeWait  = 2 * time.Second
	closePause = 50 * time.Millisecond
)

// handlerDevice is the name of the device that a mount's source is, if it is one of the handler's.
func handlerDevice(source string) (name string, ok bool) {
	name, ok = strings.CutPrefix(source, mapperPrefix)
	return name, ok && strings.HasPrefix(name, handlerPrefix)
}

// sysBlock is where Linux shows block devices.
const sysBlock = "/sys/block"

// device is one of device-mapper's.
type device struct {
	name string
	// Another one for each device that there ever was, whatever its name; empty before Linux 5.15.
	sequence string
}

// openDevice is a device, and the file that it is over.
type openDevice struct {
	device
	file string
}

// opened are the handler's devices over files that match. A file that was removed has " (deleted)" behind its path.
func opened(sys string, match func(file string) bool) (found []openDevice) {
	devices, _ := filepath.Glob(sys + "/dm-*")
	for _, path := range devices {
		data, err := os.ReadFile(path + "/dm/name")
		name := strings.TrimSuffix(string(data), "\n")
		if err != nil || !strings.HasPrefix(name, handlerPrefix) {
			continue // or it has gone meanwhile
		}
		sequence, _ := os.ReadFile(path + "/diskseq")
		loops, _ := filepath.Glob(path + "/slaves/*/loop/backing_file")
		for _, loop := range loops {
			data, err := os.ReadFile(loop)
			file := strings.TrimSuffix(string(data), "\n")
			if err == nil && match(file) {
				found = append(found, openDevice{device{name, string(sequence)}, file})
				break
			}
		}
	}
	return found
}

// closeIdle closes the handler's devices over files that match, but for those that are mounted or looked at.
func closeIdle(match func(file string) bool) (err error) {
	for _, one := range opened(sysBlock, match) {
		if failed := closeDevice(one.name); !errors.Is(failed, unix.EBUSY) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// closeDevice closes a device; one that is not there is good.
func closeDevice(name string) error {
	err := verity.Close(name)
	if errors.Is(err, unix.ENXIO) {
		return nil
	}
	return err
}

// closeLooked closes a device that nobody uses, and waits a while for who looks at it. Whoever looks longer keeps it open:
// it is closed before the same image is mounted again, or when it is removed.
func closeLooked(name string) error {
	until := time.Now().Add(closeWait)
	for {
		err := closeDevice(name)
		if !errors.Is(err, unix.EBUSY) {
			return err
		}
		if time.Now().After(until) {
			return nil
		}
		time.Sleep(closePause)
	}
}

// leftAfter is how long a device has been there when it is none that containerd has just opened, and mounts next.
const leftAfter = time.Minute

// leftovers are the devices that containerd's handler has opened over files below a directory, and that may be left.
type leftovers struct {
	sys, below string
	close      func(name string) error

	mu   sync.Mutex
	seen map[device]time.Time // since when a device is there, as far as is known
}

// sweep closes what is left at a moment: devices over files that were removed, and those that have been there for a while.
// One that is mounted or looked at is EBUSY, and stays.
func (l *leftovers) sweep(now time.Time) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := map[device]time.Time{}
	for _, one := range opened(l.sys, func(file string) bool { return strings.HasPrefix(file, l.below) }) {
		first, known := l.seen[one.device]
		if !known {
			first = now
		}
		if now.Sub(first) >= leftAfter || strings.HasSuffix(one.file, " (deleted)") {
			failed := l.close(one.name)
			if failed == nil {
				continue
			}
			if !errors.Is(failed, unix.EBUSY) {
				err = errors.Join(err, failed)
			}
		}
		seen[one.device] = first
	}
	l.seen = seen
	return err
}
