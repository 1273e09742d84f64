package tarfs_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/internal/hooks"
)

// Every test closes what it opens: at the end nothing may be left, whatever was tested.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if left := settle(0); left != 0 {
			fmt.Fprintf(os.Stderr, "%d handles are left open\n", left)
			code = 1
		}
	}
	os.Exit(code)
}

// settle gives the garbage collector time to close what nobody refers to, until want is left.
func settle(want int64) int64 {
	for range 100 {
		if hooks.Handles() == want {
			break
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	return hooks.Handles()
}

// noLeak fails the test if it leaves more open than there was. Such tests do not run in parallel
// with others.
func noLeak(t *testing.T) {
	t.Helper()
	before := settle(0)
	t.Cleanup(func() {
		if left := hooks.Handles(); left != before {
			t.Errorf("%d handles before, %d after", before, left)
		}
	})
}
