package unpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// maxSaid is how much of what a program says is kept.
const maxSaid = 4096

// program is a process whose output is read.
type program struct {
	io.ReadCloser
	command *exec.Cmd
	stop    context.CancelFunc
	said    limited
	// All of its output was read.
	whole bool
	// Its end, once it has been waited for.
	ended bool
	err   error
}

func run(ctx context.Context, path string, input io.Reader) (io.ReadCloser, error) {
	ctx, stop := context.WithCancel(ctx)
	p := &program{stop: stop}
	p.command = exec.CommandContext(ctx, path, "-d", "-c")
	p.command.Stdin, p.command.Stderr = input, &p.said
	p.command.Env = []string{}
	// What it started itself may hold its ends open.
	p.command.WaitDelay = time.Second
	output, err := p.command.StdoutPipe()
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		stop()
		return nil, err
	}
	p.ReadCloser = output
	context.AfterFunc(ctx, func() { output.Close() })
	return p, nil
}

// Read hands out the end only once the program has said that all was well.
func (p *program) Read(to []byte) (int, error) {
	if p.ended {
		return 0, p.end()
	}
	n, err := p.ReadCloser.Read(to)
	if err != nil {
		p.whole = err == io.EOF
		if failed := p.end(); failed != nil {
			err = failed
		}
	}
	return n, err
}

// end waits for the program, once: nil if it said that all was well.
func (p *program) end() error {
	if p.ended {
		return p.err
	}
	p.ended, p.err = true, p.command.Wait()
	if p.whole && errors.Is(p.err, exec.ErrWaitDelay) {
		p.err = nil // it ended well, and only its input took longer to come to its end
	}
	if p.err != nil {
		p.err = fmt.Errorf("%s: %w: %s", filepath.Base(p.command.Path), p.err, p.said.text())
	} else {
		p.err = io.EOF
	}
	return p.err
}

// Close ends the program, if it still runs. Afterwards nobody reads its input any more.
func (p *program) Close() error {
	p.stop()
	p.end()
	return nil
}

// limited keeps the first bytes of what is written to it. It has no other methods of a buffer, which would be used in
// the place of Write.
type limited struct{ kept []byte }

func (l *limited) Write(b []byte) (int, error) {
	l.kept = append(l.kept, b[:min(len(b), maxSaid-len(l.kept))]...)
	return len(b), nil
}

// text is what was said, without what would disturb a line.
func (l *limited) text() string {
	return strings.Trim(strings.ToValidUTF8(strings.ReplaceAll(string(l.kept), "\x00", " "), "?"), " \n")
}
