package unpack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// output is what a program makes of its input.
func output(t *testing.T, input []byte, name string, args ...string) []byte {
	t.Helper()
	c := exec.Command(name, args...)
	c.Stdin = bytes.NewReader(input)
	out, err := c.Output()
	if err != nil {
		t.Fatal(name, err)
	}
	return out
}

func TestKinds(t *testing.T) {
	data := bytes.Repeat([]byte("some data that compresses\n"), 100_000)
	zipped := output(t, data, "gzip")
	kinds := map[string][]byte{
		"plain":         data,
		"nothing":       nil,
		"three bytes":   []byte("abc"),
		"gzip":          zipped,
		"two members":   append(append([]byte{}, zipped...), output(t, []byte("x"), "gzip")...),
		"empty in gzip": output(t, nil, "gzip"),
		"zstd":          output(t, data, "zstd", "-q"),
		// A skippable frame of 4 bytes comes first.
		"skippable": append([]byte{0x51, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}, output(t, data, "zstd", "-q")...),
	}
	want := map[string][]byte{"nothing": nil, "three bytes": []byte("abc"), "empty in gzip": nil, "two members": append(append([]byte{}, data...), 'x')}
	for _, program := range []string{"", "igzip", "unpigz"} {
		path := ""
		if program != "" {
			var err error
			if path, err = exec.LookPath(program); err != nil {
				t.Log("no", program)
				continue
			}
		}
		for kind, bytesIn := range kinds {
			r, err := With(t.Context(), path, bytes.NewReader(bytesIn))
			if err != nil {
				t.Fatal(program, kind, err)
			}
			got, err := io.ReadAll(r)
			expected, other := want[kind]
			if !other {
				expected = data
			}
			if err != nil || !bytes.Equal(got, expected) {
				t.Errorf("%q, %s: %d bytes, not %d: %v", program, kind, len(got), len(expected), err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Of streams that ask to remember much, the second waits for the first to be closed, and no longer than it may.
func TestLargeWindows(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 1000)
	zipped := output(t, data, "zstd", "-q", "--long=27")
	first, err := With(t.Context(), "", bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := With(ctx, "", bytes.NewReader(zipped)); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	small, err := With(t.Context(), "", bytes.NewReader(output(t, data, "zstd", "-q")))
	if err != nil {
		t.Fatal(err)
	}
	small.Close()
	first.Close()
	first.Close()
	second, err := With(t.Context(), "", bytes.NewReader(zipped))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if got, err := io.ReadAll(second); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
}

// script is a program.
func script(t *testing.T, text string) string {
	t.Helper()
	path := t.TempDir() + "/program"
	if err := os.WriteFile(path, []byte("#!/bin/bash\nPATH=/usr/bin:/bin\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// A program's output counts only if it says that all was well, and then its words are the error's.
func TestProgramFails(t *testing.T) {
	r, err := With(t.Context(), script(t, "echo part; echo why >&2; head -c 100000 /dev/zero >&2; exit 3"), bytes.NewReader(output(t, nil, "gzip")))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err == nil || !strings.Contains(err.Error(), "program: exit status 3: why") || len(err.Error()) > maxSaid+100 {
		t.Errorf("%q: %.200q", got, fmt.Sprint(err))
	}
}

// Neither a program that hangs, nor one that left its output to another, is waited for.
func TestCancelled(t *testing.T) {
	for _, text := range []string{"sleep 60", "exec sleep 60", "sleep 60 &"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		started := time.Now()
		r, err := With(ctx, script(t, text), bytes.NewReader(output(t, random(), "gzip")))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(r)
		r.Close()
		if took := time.Since(started); err == nil || took > 10*time.Second {
			t.Errorf("%s: after %v: %v", text, took, err)
		}
	}
}

// random is more than a pipe holds.
func random() []byte {
	data := make([]byte, 1<<20)
	for i := range data {
		data[i] = byte(i * i >> 5)
	}
	return data
}

// Closed early, it ends, and its input is not read any more.
func TestClosedEarly(t *testing.T) {
	path, err := exec.LookPath("gzip")
	if err != nil {
		t.Fatal(err)
	}
	input := &counter{r: bytes.NewReader(output(t, bytes.Repeat([]byte{1}, 50<<20), "gzip", "-1"))}
	r, err := With(t.Context(), path, input)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	input.closed = true
	if _, err := r.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

type counter struct {
	r      io.Reader
	closed bool
}

func (c *counter) Read(b []byte) (int, error) {
	if c.closed {
		panic("read after Close")
	}
	return c.r.Read(b)
}
