package uppertar

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// overlay is a mounted overlayfs, on a tmpfs of its own.
type overlay struct {
	lower, upper, merged string
}

// newOverlay mounts one over what the script, in the shell, makes in its lower directory. It gives more options
// to overlayfs.
func newOverlay(t *testing.T, lower string, options ...string) *overlay {
	t.Helper()
	dir := testkit.Tmpfs(t, 0)
	o := &overlay{dir + "/lower", dir + "/upper", dir + "/merged"}
	for _, d := range []string{o.lower, o.upper, o.merged, dir + "/work"} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Shell(t, o.lower, lower)
	options = append(options, "lowerdir="+o.lower, "upperdir="+o.upper, "workdir="+dir+"/work")
	testkit.Mount(t, o.merged, "overlay", "overlay", strings.Join(options, ","))
	return o
}

// written is the tar of an upper directory.
func written(t *testing.T, upper string, opts *Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, upper, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
