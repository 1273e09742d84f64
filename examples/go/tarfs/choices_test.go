package tarfs

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// chosenTar is a tar with names to leave out and to label.
func chosenTar(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range []string{"c/", "c/a.c", "c/a.h", "c/include/", "c/include/b.h", "lib/x.so", "lib/y.so"} {
		h := tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(name))}
		if strings.HasSuffix(name, "/") {
			h.Typeflag, h.Size = tar.TypeDir, 0
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(w, strings.NewReader(name), h.Size); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	path := filepath.Join(t.TempDir(), "a.tar")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// chosen are the changes of the tool's --exclude-regex '\.h$' and of the policy below.
func chosen() *Changes {
	return &Changes{
		ExcludeIf: func(n Named) (bool, error) { return n.Mode.IsRegular() && strings.HasSuffix(n.Path, ".h"), nil },
		Label: func(n Named) (string, error) {
			switch {
			case n.Path == "c":
				return "", nil
			case strings.HasSuffix(n.Path, ".c"):
				return "u:object_r:source_t:s0", nil
			}
			// Not a constant: memory of Go that C looks at.
			return fmt.Sprintf("u:object_r:%s_t:s0", "other"), nil
		},
	}
}

const chosenPolicy = "/.* u:object_r:other_t:s0\n/c -d <<none>>\n/.*\\.c u:object_r:source_t:s0\n"

// What funcs choose are the bytes that the tool's options give, and what the kernel shows.
func TestChoices(t *testing.T) {
	source, dir := chosenTar(t), t.TempDir()
	policy, ours, theirs := filepath.Join(dir, "policy"), filepath.Join(dir, "ours"), filepath.Join(dir, "theirs")
	if err := os.WriteFile(policy, []byte(chosenPolicy), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []Mode{LayerBlockWithVerity, ImageBlock} {
		made, err := Export(t.Context(), mode, Tars(source), ours, &ExportOptions{Changes: chosen()})
		if err != nil {
			t.Fatal(err)
		}
		closeAll(made)
		tool(t, "export", "-q", "--mode", string(mode), "--exclude-regex", `\.h$`, "--file-contexts", policy, "-o", theirs, source)
		a, _ := os.ReadFile(ours)
		b, err := os.ReadFile(theirs)
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: other bytes than the tool's, %v", mode, err)
		}
	}
	mnt, labels := mountImage(t, ours), []string{}
	err := filepath.WalkDir(mnt, func(path string, _ fs.DirEntry, err error) error {
		label := make([]byte, 100)
		n, none := unix.Lgetxattr(path, "security.selinux", label)
		if none != nil {
			n = 0
		}
		name, _ := filepath.Rel(mnt, path)
		labels = append(labels, name+" "+string(label[:n]))
		return err
	})
	other, code := " u:object_r:other_t:s0", " u:object_r:source_t:s0"
	want := []string{"." + other, "c ", "c/a.c" + code, "c/include" + other, "lib" + other, "lib/x.so" + other, "lib/y.so" + other}
	if err != nil || !slices.Equal(labels, want) {
		t.Errorf("the kernel shows %q, not %q, %v", labels, want, err)
	}
}

// Names are asked of in order; what is below a name that is left out is not.
func TestChoicesAsked(t *testing.T) {
	var excluding, labelling []string
	how := &Changes{
		ExcludeIf: func(n Named) (bool, error) {
			excluding = append(excluding, fmt.Sprintf("%s %v", n.Path, n.Mode))
			return n.Path == "c", nil
		},
		Label: func(n Named) (string, error) {
			labelling = append(labelling, n.Path)
			return "", nil
		},
	}
	tree := chosenTree(t)
	changed, err := tree.Change(how)
	if err != nil {
		t.Fatal(err)
	}
	changed.Close()
	if want := []string{"c d---------", "lib d---------", "lib/x.so ----------", "lib/y.so ----------"}; !slices.Equal(excluding, want) {
		t.Errorf("asked %q, not %q", excluding, want)
	}
	if want := []string{"", "lib", "lib/x.so", "lib/y.so"}; !slices.Equal(labelling, want) {
		t.Errorf("asked %q, not %q", labelling, want)
	}
}

// An error of a func comes back as it is, at once, and so does a panic; there is no output.
func TestChoicesFail(t *testing.T) {
	source, out, tree := chosenTar(t), filepath.Join(t.TempDir(), "out"), chosenTree(t)
	why, times := errors.New("why"), 0
	fails := map[string]func(func()) *Changes{
		"ExcludeIf": func(fail func()) *Changes {
			return &Changes{ExcludeIf: func(Named) (bool, error) { times++; fail(); return true, why }}
		},
		"Label": func(fail func()) *Changes {
			return &Changes{Label: func(Named) (string, error) { times++; fail(); return "x", why }}
		},
	}
	for name, of := range fails {
		calls := map[string]func(*Changes) error{
			"Change": func(how *Changes) error { _, err := tree.Change(how); return err },
			"Export": func(how *Changes) error {
				_, err := Export(t.Context(), ImageBlock, Tars(source), out, &ExportOptions{Changes: how})
				return err
			},
		}
		for call, run := range calls {
			times = 0
			if err := run(of(func() {})); err != why || times != 1 {
				t.Errorf("%s of %s: %v, asked %d times", name, call, err, times)
			}
			func() {
				defer func() {
					if said := recover(); said != "oh" {
						t.Errorf("%s of %s: panic %v", name, call, said)
					}
				}()
				run(of(func() { panic("oh") }))
			}()
			if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s of %s: there is an output", name, call)
			}
		}
	}
	long := &Changes{Label: func(Named) (string, error) { return strings.Repeat("x", 65536), nil }}
	if _, err := tree.Change(long); !errors.Is(err, ErrTree) {
		t.Errorf("a label that is too long: %v", err)
	}
}

func chosenTree(t *testing.T) *Tree {
	t.Helper()
	tar, err := os.Open(chosenTar(t))
	if err != nil {
		t.Fatal(err)
	}
	defer tar.Close()
	layer, err := IndexFile(t.Context(), tar, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { layer.Tree.Close() })
	return layer.Tree
}
