package tarfs_test

import (
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/internal/hooks"
)

// The whole way from tars to images, with a garbage collection before and after each call into C.
func TestUnderGarbageCollection(t *testing.T) {
	if testing.Short() {
		t.Skip("short: it takes long")
	}
	noLeak(t)
	hooks.SetGCStress(true)
	defer hooks.SetGCStress(false)
	for name, test := range map[string]func(*testing.T){
		"pieces":  func(t *testing.T) { push(t, baseTar(t), 700) },
		"readers": TestTeeIntoFilesAndPipes,
		"errors":  TestCallersErrorsComeBackAsTheyAre,
		"panics":  TestPanicsOfCallersPassThroughTheLibrary,
		"closed":  TestUseAfterCloseIsRefused,
		"images":  TestFSReadsTheMergedImage,
		"export":  TestExportKeepsWhatIsThere,
		"garbage": TestTheGarbageCollectorCloses,
		"callers": TestACallbackMayTryToCallBack,
		"writers": TestWritersAtTheSameTime,
	} {
		t.Run(name, test)
	}
}
