package uppertar

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// Attributes of one file may be more than memory has, as a container can give it thousands of 64 KiB. No reader of
// tars takes that many, so they are not all read before that is said.
func TestManyAttributes(t *testing.T) {
	dir := testkit.Tmpfs(t, 0)
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	value := make([]byte, 64<<10)
	for i := range 1000 {
		if err := unix.Setxattr(path, fmt.Sprintf("trusted.%d", i), value, 0); err != nil {
			t.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := Write(t.Context(), io.Discard, dir, nil)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "file: attributes of more than 1048576 bytes") {
		t.Errorf("%v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 20<<20 {
		t.Errorf("%d bytes of memory, and %v", took, err)
	}
}
