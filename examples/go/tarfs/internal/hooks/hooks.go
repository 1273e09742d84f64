// Package hooks is what the tests of package tarfs, and of the packages below it, see and steer of
// its inside: how much it holds of the C library, and garbage collections around each call. It is
// internal, so that none of it is in the API.
package hooks

import (
	"os"
	"runtime"
	"sync/atomic"
)

var (
	handles  atomic.Int64
	gcStress atomic.Bool
)

func init() {
	gcStress.Store(os.Getenv("TARFS_GC_STRESS") == "1")
}

// Opened counts an object of the C library, or the cell of a callback, that package tarfs holds from
// now on.
func Opened() {
	handles.Add(1)
}

// Closed says that one of them is freed.
func Closed() {
	handles.Add(-1)
}

// Handles is how many are held: 0 when everything is closed and no call is under way.
func Handles() int64 {
	return handles.Load()
}

// SetGCStress makes the garbage collector run before and after each call into C, so that whatever
// is not kept alive, or moves, shows. It is very slow. TARFS_GC_STRESS=1 in the environment sets it
// from the start.
func SetGCStress(on bool) {
	gcStress.Store(on)
}

// Stress is called before and after each call into C.
func Stress() {
	if gcStress.Load() {
		runtime.GC()
	}
}
