package unpack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
)

// maxSaid is how much of what a program says is kept.
const maxSaid = 4096

// program is a process whose output is read.
type program struct {
	io.ReadCloser
	command *exec.Cmd
	stop    context.CancelFunc
	said    limited
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
	output, err := p.command.StdoutPipe()
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		stop()
		return nil, err
	}
	p.ReadCloser = output
	return p, nil
}

// Read hands out the end only once the program has said that all was well.
func (p *program) Read(to []byte) (int, error) {
	if p.ended {
		return 0, p.end()
	}
	n, err := p.ReadCloser.Read(to)
	if err != nil {
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
	if p.err != nil {
		said := strings.TrimSpace(p.said.String())
		p.err = fmt.Errorf("%s: %w: %s", filepath.Base(p.command.Path), p.err, said)
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

// limited keeps the first bytes of what is written to it.
type limited struct{ bytes.Buffer }

func (l *limited) Write(b []byte) (int, error) {
	l.Buffer.Write(b[:min(len(b), maxSaid-l.Len())])
	return len(b), nil
}
