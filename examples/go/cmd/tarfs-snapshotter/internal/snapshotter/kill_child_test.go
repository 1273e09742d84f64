package snapshotter_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/snapshotter"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// childEnv has the orders of a process that is this test program again, and is killed at work.
const childEnv = "TARFS_SNAPSHOTTER_CHILD"

// orders are a child's.
type orders struct {
	Root string
	Seed uint64
	// Steps after which the child kills itself; 0 for never.
	Steps int
	// Known are the snapshots that are there.
	Known model
}

// one is a snapshot, as it was reported.
type one struct {
	Parent string
	// File is what its layer has.
	File string
	// Committed says whether it is; Applied, whether its layer was pulled.
	Committed, Applied bool
}

// model is what has to be there, by key or name.
type model map[string]one

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	if given := os.Getenv(childEnv); given != "" {
		var o orders
		if err := json.Unmarshal([]byte(given), &o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Fprintln(os.Stderr, o.work())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// worker is a child at work.
type worker struct {
	n      *node
	known  model
	random *rand.Rand
	count  int
}

// work works until it is killed.
func (o orders) work() error {
	if o.Steps > 0 {
		keep.Step = func() {
			if o.Steps--; o.Steps == 0 {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		}
	}
	layers, err := store.Open(o.Root, store.Options{})
	if err != nil {
		return err
	}
	sn, err := snapshotter.New(context.Background(), layers, snapshotter.Options{})
	if err != nil {
		return err
	}
	if o.Known == nil {
		o.Known = model{}
	}
	w := &worker{n: &node{sn, layers, o.Root}, known: o.Known, random: rand.New(rand.NewPCG(o.Seed, 1))}
	say("up")
	for {
		if err := w.act(context.Background()); err != nil {
			return err
		}
	}
}

// say tells the parent. Who can't is told nothing of what comes, so that nothing comes.
func say(words ...string) {
	if _, err := fmt.Println(strings.Join(words, " ")); err != nil {
		fmt.Fprintln(os.Stderr, "say:", err)
		os.Exit(1)
	}
}

// pick is one of the known that fits, or nothing.
func (w *worker) pick(fits func(name string, o one) bool) (string, bool) {
	var all []string
	for name, o := range w.known {
		if fits(name, o) {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return "", false
	}
	return all[w.random.IntN(len(all))], true
}

// act does one thing. It says what it is about to do, and what is done.
func (w *worker) act(ctx context.Context) error {
	w.count++
	fresh := fmt.Sprintf("s%d-%d", os.Getpid(), w.count)
	parent, over := w.pick(func(_ string, o one) bool { return o.Committed })
	active, has := w.pick(func(_ string, o one) bool { return !o.Committed })
	what := w.random.IntN(8)
	if len(w.known) > 24 {
		what = 6 // enough: their number stays about that
	}
	switch what {
	case 0, 1: // a container, whose process writes
		if !over || w.random.IntN(4) == 0 || w.known.depth(parent) >= 10 {
			parent = ""
		}
		say("try prepare", fresh, parent+"-", fresh)
		mounts, err := w.n.Prepare(ctx, fresh, parent)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(upperOf(mounts), fresh), []byte(fresh), 0o600); err != nil {
			return err
		}
		say("done prepare", fresh, parent+"-", fresh)
		w.known[fresh] = one{Parent: parent, File: fresh}
	case 2, 3: // a layer that is pulled, one of few, so that some are kept
		file := fmt.Sprintf("pulled-%d", w.random.IntN(6))
		tar := layerTar(file)
		say("try pull", fresh, "-", file)
		mounts, err := w.n.Prepare(ctx, fresh, "", labels(tar))
		if err != nil {
			return err
		}
		if !mounts[0].ReadOnly() {
			if err := w.n.apply(ctx, mounts, tar); err != nil {
				return err
			}
		}
		say("done pull", fresh, "-", file)
		w.known[fresh] = one{Applied: true, File: file}
	case 4, 5:
		if !has {
			return nil
		}
		o := w.known[active]
		if o.Applied && over && w.known.depth(parent) < 10 {
			o.Parent = parent // as it comes where containerd unpacks in parallel
		}
		say("try commit", active, o.Parent+"-", fresh)
		if err := w.n.Commit(ctx, fresh, active, snapshots.WithParent(o.Parent)); err != nil {
			return err
		}
		say("done commit", active, o.Parent+"-", fresh)
		delete(w.known, active)
		o.Committed = true
		w.known[fresh] = o
	case 6:
		gone, some := w.pick(func(name string, _ one) bool { return !w.known.isParent(name) })
		if !some {
			return nil
		}
		say("try remove", gone, "-")
		if err := w.n.Remove(ctx, gone); err != nil {
			return err
		}
		say("done remove", gone, "-")
		delete(w.known, gone)
	default:
		return w.n.Cleanup(ctx)
	}
	return nil
}

// depth is how many layers a snapshot has.
func (m model) depth(name string) (n int) {
	for ; name != ""; name = m[name].Parent {
		n++
	}
	return n
}

func (m model) isParent(name string) bool {
	for _, o := range m {
		if o.Parent == name {
			return true
		}
	}
	return false
}

// upperOf is where what is written to a snapshot is.
func upperOf(mounts []mount.Mount) string {
	last := mounts[len(mounts)-1]
	for _, option := range last.Options {
		if upper, found := strings.CutPrefix(option, "upperdir="); found {
			return upper
		}
	}
	return last.Source
}
