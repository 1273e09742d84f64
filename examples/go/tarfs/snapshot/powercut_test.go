package snapshot_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPowerCut is TestKill for the machine: the directory is on a file system of its own, in a file. What
// is in that file when the process is killed is what a disk has at a power cut, with nothing that
// was not synced. So a copy of the file, mounted, is the disk after the restart. TARFS_CUTS is how
// often.
func TestPowerCut(t *testing.T) {
	canMount(t)
	// Btrfs is left out: of a copy that is not of one moment, as ours may be, Linux 6.18 can't replay the log, and ends
	// mount(8) by a BUG (fs/super.c: get_tree answered 1).
	for _, fs := range []fileSystem{
		{name: "ext4", size: "96M", options: "loop,commit=300"},
		{name: "xfs", size: "320M", options: "loop"},
	} {
		t.Run(fs.name, func(t *testing.T) { powerCuts(t, &fs) })
	}
}

func powerCuts(t *testing.T, disk *fileSystem) {
	program(t, "mkfs."+disk.name)
	cuts := number(t, "TARFS_CUTS", 8)
	seed := number(t, "TARFS_SEED", uint64(time.Now().UnixNano()))
	t.Logf("TARFS_SEED=%d TARFS_CUTS=%d", seed, cuts)
	random := rand.New(rand.NewPCG(seed, 1))

	work := diskDir(t)
	disk.file, disk.target = filepath.Join(work, "disk"), filepath.Join(work, "mnt")
	ok(t, os.Mkdir(disk.target, 0o700))
	run(t, "truncate", "--size="+disk.size, disk.file)
	run(t, "mkfs."+disk.name, "-q", disk.file)
	disk.mount(t)
	t.Cleanup(func() { disk.unmount(t) })

	o := orders{Root: filepath.Join(disk.target, "root"), Blobs: diskDir(t)}
	ref := newReference(t, &o, random)
	said := newSaid()
	lines := 0
	for n := range cuts {
		o.Seed, o.Backing, o.Steps = random.Uint64(), anyBacking(random), 1+random.Int64N(400)
		got := o.killed(t, time.Minute)
		disk.cut(t)
		lines += len(got)
		for _, line := range got {
			said.hear(t, strings.Fields(line))
		}
		said.check(t, o.Root, ref)
		if t.Failed() {
			t.Fatalf("after cut %d", n+1)
		}
	}
	t.Logf("%d reports; %d snapshots, %d items, %d mounts at the end", lines, len(said.ready), len(said.items), len(said.mounted))
}

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// fileSystem is one in a file. By its options it writes only what someone syncs, for as long as a test takes.
type fileSystem struct {
	name, size, options string
	file, target        string
}

// mount mounts it. The same file system may live on for a moment in a mount namespace that somebody made meanwhile,
// and of XFS there can be one only: its UUID is what tells it from others.
func (e *fileSystem) mount(t testing.TB) {
	t.Helper()
	words := []string{"-t", e.name, "-o", e.options, e.file, e.target}
	for range 100 {
		if exec.Command("mount", words...).Run() == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	run(t, "mount", words...)
}

func (e *fileSystem) unmount(t testing.TB) {
	t.Helper()
	unmountAll(t, filepath.Join(e.target, "root"))
	run(t, "umount", e.target)
}

// cut goes on with a copy of what is in the file now.
func (e *fileSystem) cut(t testing.TB) {
	t.Helper()
	after := e.file + "+"
	for range 10 {
		run(t, "cp", "--sparse=always", e.file, after)
		// Unless someone synced the whole machine meanwhile, that is one moment's.
		if exec.Command("cmp", "-s", e.file, after).Run() == nil {
			break
		}
	}
	e.unmount(t) // writes the rest, to the file that nobody sees again
	ok(t, os.Rename(after, e.file))
	e.mount(t)
}
