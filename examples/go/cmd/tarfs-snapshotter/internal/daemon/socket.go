package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// firstPassed is the first descriptor that systemd passes.
const firstPassed = 3

// Listen is the socket that the service manager passed, if it passed one, else a new one at address, for root
// alone. A socket that a killed process left there is replaced, one behind which somebody answers is refused, and
// so is any other file.
func Listen(address string) (net.Listener, error) {
	l, err := passed()
	if l != nil || err != nil {
		return l, err
	}
	if err := os.MkdirAll(filepath.Dir(address), 0o711); err != nil {
		return nil, err
	}
	// Of two that start at once, one looks and binds before the other looks.
	dir, err := os.Open(filepath.Dir(address))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		return nil, fmt.Errorf("%s: lock: %w", dir.Name(), err)
	}
	if err := removeStale(address); err != nil {
		return nil, err
	}
	// Nobody else may connect, not even before the mode could be changed.
	old := unix.Umask(0o177)
	defer unix.Umask(old)
	return net.Listen("unix", address)
}

// removeStale removes a socket that nobody listens to.
func removeStale(address string) error {
	stat, err := os.Lstat(address)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if stat.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s: is there, and is no socket", address)
	}
	c, err := net.DialTimeout("unix", address, 5*time.Second)
	if err == nil {
		c.Close()
		return fmt.Errorf("%s: another process answers there", address)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%s: cannot tell whether another process listens there: %w", address, err)
	}
	return os.Remove(address)
}

// passed is the socket by systemd's protocol: LISTEN_PID says for whom, LISTEN_FDS how many. Children do not see
// the variables.
func passed() (net.Listener, error) {
	pid, fds := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	if fds == "" || pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	if fds != "1" {
		return nil, fmt.Errorf("LISTEN_FDS is %q: one socket is wanted", fds)
	}
	unix.CloseOnExec(firstPassed)
	f := os.NewFile(firstPassed, "LISTEN_FDS")
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("the socket that was passed: %w", err)
	}
	if l.Addr().Network() != "unix" {
		l.Close()
		return nil, fmt.Errorf("the socket that was passed is %s: a unix socket is wanted", l.Addr().Network())
	}
	return l, nil
}
