package snapshot_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// macTar is a tar as macOS writes them: an attribute of its own on every file.
func macTar(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range []string{"a", "b"} {
		ok(t, w.WriteHeader(&tar.Header{
			Name: name, Mode: 0o644, Size: 1, Format: tar.FormatPAX,
			PAXRecords: map[string]string{"SCHILY.xattr.com.apple.provenance": "\x01"},
		}))
		_, err := w.Write([]byte("x"))
		ok(t, err)
	}
	ok(t, w.Close())
	return out.Bytes()
}

// Attributes without a namespace of EROFS are dropped with a word, or refused.
func TestStrict(t *testing.T) {
	for _, strict := range []bool{false, true} {
		var said []string
		r := newRegistry()
		data := macTar(t)
		m := manager(t, diskDir(t), snapshot.Options{
			Fetcher: r, Strict: strict,
			Logf: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) },
		})
		err := prepare(t, m, "s", r.add(data, data))
		if strict {
			if !errors.Is(err, tarfs.ErrTree) || !strings.Contains(err.Error(), "com.apple.provenance") {
				t.Errorf("strict: %v", err)
			}
			continue
		}
		ok(t, err)
		if len(said) != 1 || !strings.Contains(said[0], sum(data)) || !strings.Contains(said[0], ": 2 extended attributes") {
			t.Errorf("said %q", said)
		}
	}
}

// Where layers meet a link of a lower one, what is merged depends on the option, and so does the key.
func TestFollowLowerLinks(t *testing.T) {
	root := diskDir(t)
	lower := archive(t, directory("usr/lib/"), link(tar.TypeSymlink, "lib", "usr/lib"))
	upper := archive(t, file("lib/new", "x"))
	r := newRegistry()
	for i, follow := range []bool{false, true} {
		var said []string
		m := manager(t, root, snapshot.Options{
			Fetcher: r, FollowLowerLinks: follow,
			Logf: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) },
		})
		s := image(t, m, r, fmt.Sprint("s", i), lower, upper)
		ok(t, m.MergeLayers(t.Context(), s))
		noted := strings.Contains(strings.Join(said, "\n"), `"lib" is a symbolic link to "usr/lib"`)
		if noted == follow {
			t.Errorf("follow %v: said %q", follow, said)
		}
		images, err := os.ReadDir(filepath.Join(root, "images"))
		ok(t, err)
		if len(images) != i+1 {
			t.Errorf("follow %v: %d images", follow, len(images))
		}
		ok(t, m.Close())
	}
}
