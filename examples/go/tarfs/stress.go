package tarfs

import (
	"os"
	"runtime"
	"sync/atomic"
)

var gcStress atomic.Bool

func init() {
	gcStress.Store(os.Getenv("TARFS_GC_STRESS") == "1")
}

// SetGCStress makes the garbage collector run before and after each call into C, so that whatever
// is not kept alive, or moves, shows in tests. It is very slow. TARFS_GC_STRESS=1 in the
// environment sets it from the start.
func SetGCStress(on bool) {
	gcStress.Store(on)
}

func stress() {
	if gcStress.Load() {
		runtime.GC()
	}
}
