package snapshotter_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/faults"
)

// TestFaults lets system calls of processes at work fail: of the store, the library below it, and containerd's database.
// A child either bears it, or ends with an error that says why. Then all is as after a kill (TestKill): what was
// reported is there with its files, and nothing that no snapshot owns. TARFS_FAULTS is how often, TARFS_SEED a seed to
// repeat.
func TestFaults(t *testing.T) {
	count := number(t, "TARFS_FAULTS", 24)
	seed := number(t, "TARFS_SEED", uint64(time.Now().UnixNano()))
	t.Logf("TARFS_SEED=%d TARFS_FAULTS=%d", seed, count)
	random := rand.New(rand.NewPCG(seed, 2))
	o := orders{Root: filepath.Join(t.TempDir(), "root"), Known: model{}}
	done, torn, borne := 0, 0, 0
	failed := map[string]int{}
	for n := range count {
		o.Seed, o.Steps = random.Uint64(), 60+random.IntN(120)
		f := faults.Nth(int(n), random)
		pending, ended := o.faulted(t, f, &done)
		if ended {
			failed[f.Call]++
		} else {
			borne++
		}
		o.check(t, pending, &torn)
		if t.Failed() {
			t.Fatalf("after fault %d, %v", n+1, f)
		}
	}
	t.Logf("%d faults: %d were borne or did not come, and ended a child as often: %v; %d things done, %d cut off and not there",
		count, borne, failed, done, torn)
	if len(failed) == 0 || done == 0 {
		t.Error("no fault had an effect")
	}
}

// faulted runs a child in which a call fails, learns what it did, and returns what it was about to do, and whether it
// ended by an error. A child that has not ended kills itself after its steps.
func (o *orders) faulted(t *testing.T, f faults.Fault, done *int) (pending []string, ended bool) {
	t.Helper()
	child := testkit.Must[*exec.Cmd](t)(f.Command(os.Args[0]))
	out, errs := o.inChild(t, child, time.Minute, func() { syscall.Kill(-child.Process.Pid, syscall.SIGKILL) })
	ended, wrong := f.Judge(child.ProcessState, errs)
	if wrong != nil {
		t.Error(wrong)
	}
	return o.heard(out, done), ended
}
