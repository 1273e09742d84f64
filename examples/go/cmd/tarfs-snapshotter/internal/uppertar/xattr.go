package uppertar

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// paxXattr is in front of an attribute's name in a tar.
const paxXattr = "SCHILY.xattr."

// maxXattrs is the most bytes of an entry's attributes: archive/tar, by which containerd reads layers, takes no more
// before a header. Linux lets a file have thousands of 64 KiB.
const maxXattrs = 1 << 20

// hostLabels are attributes that say what this host thinks of a file. Another host makes its own.
var hostLabels = []string{"security.selinux", "security.SMACK64", "security.ima", "security.evm", "security.apparmor"}

// readXattrs reads the attributes of an entry: overlayfs's for us, the others for the tar.
func (s *stream) readXattrs(e *entry) error {
	reached := e.reached()
	names, err := grown(func(to []byte) (int, error) { return unix.Listxattr(reached, to) })
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "listxattr", Path: e.path, Err: err}
	}
	total := 0
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		if name == "" || isHostLabel(name) {
			continue
		}
		value, err := grown(func(to []byte) (int, error) { return unix.Getxattr(reached, name, to) })
		if errors.Is(err, unix.ENODATA) {
			continue // removed since they were listed
		}
		if err != nil {
			return fmt.Errorf("%s: attribute %q: %w", e.path, name, err)
		}
		if total += len(name) + len(value); total > maxXattrs {
			return fmt.Errorf("%s: attributes of more than %d bytes: no tar's header has more", e.path, maxXattrs)
		}
		if mark, ok := strings.CutPrefix(name, s.marks); ok {
			err = e.mark(mark, string(value))
		} else {
			err = e.keep(name, string(value))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mark takes what overlayfs says of an entry.
func (e *entry) mark(mark, value string) error {
	switch {
	case mark == "opaque":
		e.opaque = value
	case mark == "whiteout":
		e.whiteout = true
	case mark == "redirect" && e.is(unix.S_IFDIR), mark == "metacopy", strings.HasPrefix(mark, "overlay."):
		return fmt.Errorf("%s: overlayfs's attribute %q: %w", e.path, mark, ErrUnsupported)
	}
	// All others (origin, impure, nlink, …) serve overlayfs alone.
	return nil
}

// keep takes an attribute for the tar.
func (e *entry) keep(name, value string) error {
	if strings.Contains(name, "=") {
		return fmt.Errorf("%s: attribute %q: no tar has a name with '='", e.path, name)
	}
	if e.xattrs == nil {
		e.xattrs = map[string]string{}
	}
	e.xattrs[paxXattr+name] = value
	return nil
}

func isHostLabel(name string) bool {
	for _, label := range hostLabels {
		if strings.HasPrefix(name, label) {
			return true
		}
	}
	return false
}

// grown calls with a larger buffer until what is asked for fits; Linux knows nothing above 64 KiB.
func grown(ask func(to []byte) (int, error)) ([]byte, error) {
	for size := 256; ; size *= 4 {
		to := make([]byte, size)
		n, err := ask(to)
		if errors.Is(err, unix.ERANGE) && size < 1<<17 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return to[:n], nil
	}
}
