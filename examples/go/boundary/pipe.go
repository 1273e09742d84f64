package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// pipe reads a pipe as the tool does: what is in it is moved to a pipe of our own, so that who writes
// to it need not wait while it is copied.
type pipe struct {
	from int
	r, w int
	held int
}

const pipeSize = 1 << 20

// newPipe returns f itself if it is no pipe.
func newPipe(f *os.File) (io.Reader, error) {
	from := int(f.Fd())
	if _, err := unix.FcntlInt(uintptr(from), unix.F_SETPIPE_SZ, pipeSize); err != nil {
		return f, nil
	}
	var own [2]int
	if err := unix.Pipe2(own[:], unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	if _, err := unix.FcntlInt(uintptr(own[1]), unix.F_SETPIPE_SZ, pipeSize); err != nil {
		return nil, err
	}
	return &pipe{from: from, r: own[0], w: own[1]}, nil
}

func (p *pipe) Read(buf []byte) (int, error) {
	if p.held == 0 {
		n, err := retry(func() (int, error) {
			moved, err := unix.Splice(p.from, nil, p.w, nil, pipeSize, 0)
			return int(moved), err
		})
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return 0, io.EOF
		}
		p.held = n
	}
	n, err := retry(func() (int, error) { return unix.Read(p.r, buf[:min(len(buf), p.held)]) })
	if err != nil {
		return 0, err
	}
	p.held -= n
	return n, nil
}

func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != unix.EINTR {
			return n, err
		}
	}
}
