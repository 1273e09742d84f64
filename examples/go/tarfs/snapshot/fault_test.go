package snapshot_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/faults"
)

// TestFaults lets system calls of processes at work fail, of the package and of the library below it. A child either
// bears it, or ends with an error that says why. Then all is as after a kill (TestKill): each snapshot, image, disk and
// mount is whole or absent, and none is lost that was reported. TARFS_FAULTS is how often, TARFS_SEED a seed to repeat.
func TestFaults(t *testing.T) {
	canMount(t)
	count := number(t, "TARFS_FAULTS", 24)
	seed := number(t, "TARFS_SEED", uint64(time.Now().UnixNano()))
	t.Logf("TARFS_SEED=%d TARFS_FAULTS=%d", seed, count)
	random := rand.New(rand.NewPCG(seed, 2))

	o := orders{Root: filepath.Join(diskDir(t), "root"), Blobs: diskDir(t)}
	t.Cleanup(func() { unmountAll(t, o.Root) })
	ref := newReference(t, &o, random)
	said := newSaid()
	lines, borne := 0, 0
	failed := map[string]int{}
	for n := range count {
		o.Seed, o.Backing, o.Steps = random.Uint64(), anyBacking(random), 60+random.Int64N(200)
		f := faults.Nth(int(n), random)
		got, ended := o.faulted(t, f)
		if ended {
			failed[f.Call]++
		} else {
			borne++
		}
		lines += len(got)
		for _, line := range got {
			said.hear(t, strings.Fields(line))
		}
		said.check(t, o.Root, ref)
		if t.Failed() {
			t.Fatalf("after fault %d, %v, of a child that said (it ended by an error: %v)\n%s", n+1, f, ended, strings.Join(got, "\n"))
		}
	}
	t.Logf("%d faults: %d were borne or did not come, and ended a child as often: %v; %d reports; %d snapshots, %d items, %d mounts at the end",
		count, borne, failed, lines, len(said.ready), len(said.items), len(said.mounted))
	if len(failed) == 0 || lines < int(count) {
		t.Error("no fault had an effect, or children did nothing")
	}
}

// faulted runs a child in which a call fails, and returns what it said, and whether it ended by an error.
func (o *orders) faulted(t *testing.T, f faults.Fault) (lines []string, ended bool) {
	t.Helper()
	child, err := f.Command(os.Args[0])
	ok(t, err)
	out, why := o.inChild(t, child, time.Minute, func() { syscall.Kill(-child.Process.Pid, syscall.SIGKILL) })
	whole := out[:strings.LastIndex(out, "\n")+1]
	for line := range strings.Lines(whole) {
		if broken, is := strings.CutPrefix(line, "BROKEN "); is {
			why += broken
			continue
		}
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	ended, wrong := f.Judge(child.ProcessState, why)
	if wrong != nil {
		t.Error(wrong)
	}
	return lines, ended
}
