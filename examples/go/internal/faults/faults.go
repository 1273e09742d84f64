// Package faults lets system calls of processes fail, for tests: whatever fails, what was reported is there, and an
// error says why. strace makes calls fail; Debian has it.
package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Fault is a system call that fails, and how. Of each thread it is the When-th of its name.
type Fault struct {
	Call  string
	Errno unix.Errno
	When  int
}

// calls are those that fail, and how they do.
var calls = []struct {
	call   string
	errors []unix.Errno
}{
	{"openat", []unix.Errno{unix.EACCES, unix.EMFILE, unix.EIO, unix.ENOSPC}},
	{"openat2", []unix.Errno{unix.EACCES, unix.EMFILE, unix.EIO}},
	{"write", []unix.Errno{unix.EIO, unix.ENOSPC, unix.EDQUOT}},
	{"pwrite64", []unix.Errno{unix.EIO, unix.ENOSPC, unix.EINTR}},
	{"read", []unix.Errno{unix.EIO}},
	{"pread64", []unix.Errno{unix.EIO, unix.EINTR}},
	{"ftruncate", []unix.Errno{unix.EIO, unix.ENOSPC}},
	{"fsync", []unix.Errno{unix.EIO, unix.ENOSPC}},
	{"fdatasync", []unix.Errno{unix.EIO, unix.ENOSPC}},
	{"renameat", []unix.Errno{unix.EIO, unix.ENOSPC, unix.EACCES}},
	{"renameat2", []unix.Errno{unix.EIO, unix.ENOSPC}},
	{"linkat", []unix.Errno{unix.EIO, unix.ENOSPC}},
	{"mkdirat", []unix.Errno{unix.EIO, unix.ENOSPC, unix.EACCES}},
	{"unlinkat", []unix.Errno{unix.EIO, unix.EACCES}},
	{"copy_file_range", []unix.Errno{unix.EIO, unix.ENOSPC}},
	{"getdents64", []unix.Errno{unix.EIO}},
	{"newfstatat", []unix.Errno{unix.EIO, unix.EACCES}},
	{"fstat", []unix.Errno{unix.EIO}},
	{"flock", []unix.Errno{unix.ENOLCK}},
	{"fchmod", []unix.Errno{unix.EIO}},
	{"fsconfig", []unix.Errno{unix.EIO, unix.ENOMEM}},
	{"move_mount", []unix.Errno{unix.EIO}},
	{"umount2", []unix.Errno{unix.EIO}},
}

// Nth is a fault of a call that nearly all are, as n goes up.
func Nth(n int, random *rand.Rand) Fault {
	row := calls[(n+random.IntN(3))%len(calls)]
	return Fault{row.call, row.errors[random.IntN(len(row.errors))], 1 + random.IntN(40)}
}

func (f Fault) String() string {
	return f.Call + ":error=" + unix.ErrnoName(f.Errno) + ":when=" + strconv.Itoa(f.When)
}

// Command runs a program in which the call fails. It has a process group of its own, so that all of it can be killed.
func (f Fault) Command(program string) (*exec.Cmd, error) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return nil, fmt.Errorf("apt-get install strace: %w", err)
	}
	c := exec.Command(strace, "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null",
		"-e", "trace="+f.Call, "-e", "inject="+f.String(), program)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c, nil
}

// Judge says of a program that came to its end whether an error ended it, and what is wrong with how it said so. One
// that was killed bore the fault.
func (f Fault) Judge(state *os.ProcessState, said string) (ended bool, wrong error) {
	switch code := state.ExitCode(); {
	case strings.Contains(state.String(), "killed"):
		return false, nil
	case code == 127, strings.Contains(said, "fatal error: runtime:"):
		// The loader of shared libraries, and Go's own scheduler, are not ours, and bear nothing.
		return false, nil
	case strings.Contains(said, "panic"), code != 1:
		return true, fmt.Errorf("%v: %v\n%s", f, state, said)
	case !strings.Contains(strings.ToLower(said), f.Errno.Error()):
		return true, fmt.Errorf("%v: the error does not say why: %s", f, said)
	}
	return true, nil
}
