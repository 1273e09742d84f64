package unpack

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"
	"testing/iotest"
	"time"
)

// A stream may ask to remember much only in a later frame, or behind one that is skipped. It waits for its turn too.
func TestLargeWindowLater(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 1000)
	big, small := output(t, data, "zstd", "-q", "--long=27"), output(t, data, "zstd", "-q")
	// Of a file zstd knows the length, and need not say more.
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, make([]byte, 9_000_000), 0o600); err != nil {
		t.Fatal(err)
	}
	whole := output(t, nil, "zstd", "-q", "-c", "--ultra", "-22", file)
	skipped := []byte{0x51, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4}
	for name, zipped := range map[string][]byte{
		"second frame":      append(bytes.Clone(small), big...),
		"behind a skipped":  append(bytes.Clone(skipped), big...),
		"behind many":       append(bytes.Join([][]byte{skipped, small, skipped, small, small}, nil), big...),
		"one segment":       whole,
		"large, then large": append(bytes.Clone(big), big...),
	} {
		first, err := With(t.Context(), "", bytes.NewReader(big))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		r, err := With(ctx, "", bytes.NewReader(zipped))
		if err == nil {
			_, err = io.ReadAll(r)
			r.Close()
		}
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		first.Close()
		r, err = With(t.Context(), "", bytes.NewReader(zipped))
		if err != nil {
			t.Fatal(name, err)
		}
		if got, err := io.ReadAll(r); err != nil || len(got)%len(data) != 0 || len(got) == 0 {
			t.Errorf("%s: %d bytes: %v", name, len(got), err)
		}
		r.Close()
	}
	if len(large) != 0 {
		t.Error("a turn was not given back")
	}
}

// slow is an input that takes its time.
type slow struct{ io.Reader }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(2 * time.Second)
	return s.Reader.Read(p)
}

// A program that has ended well is not said to have failed because nobody knows yet that its input has ended too.
func TestEndsBeforeItsInput(t *testing.T) {
	head := output(t, []byte("x"), "gzip")
	input := slow{bytes.NewReader(nil)}
	r, err := With(t.Context(), script(t, "head -c 3 >/dev/null; echo out"), io.MultiReader(bytes.NewReader(head), input))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "out\n" {
		t.Errorf("%q: %v", got, err)
	}
}

// Whatever frames and blocks a stream is of, what comes out is what went in.
func TestFramesOfAllKinds(t *testing.T) {
	var zipped, want []byte
	for i, data := range [][]byte{nil, []byte("x"), random()[:300_000], make([]byte, 500_000), bytes.Repeat([]byte("ab\n"), 70_000)} {
		args := [][]string{{"--no-check"}, {"-19"}, {"--ultra", "-22", "--long=27"}, {"--fast=5", "--no-check"}}
		for j, options := range args {
			zipped = append(zipped, output(t, data, "zstd", append(options, "-q")...)...)
			want = append(want, data...)
			if (i+j)%3 == 0 {
				zipped = append(zipped, 0x5f, 0x2a, 0x4d, 0x18, 0, 0, 0, 0)
			}
		}
	}
	for _, cut := range []int{0, 1, 2, 5, 1000} {
		r, err := With(t.Context(), "", iotest.OneByteReader(bytes.NewReader(zipped[:len(zipped)-cut])))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if (err == nil) != (cut == 0) || !bytes.HasPrefix(want, got) || cut == 0 && len(got) != len(want) {
			t.Errorf("without %d bytes: %d of %d bytes: %v", cut, len(got), len(want), err)
		}
		r.Close()
	}
	if len(large) != 0 {
		t.Error("a turn was not given back")
	}
}
