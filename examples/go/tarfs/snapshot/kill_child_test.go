package snapshot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/internal/hooks"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
	"golang.org/x/sys/unix"
)

// childEnv has the orders of a child, in JSON.
const childEnv = "TARFS_SNAPSHOT_CHILD"

// orders are what a child does until it is killed.
type orders struct {
	Root    string
	Blobs   string // a directory, files named by digest
	Layers  []snapshot.Layer
	Backing snapshot.Backing
	Seed    uint64
	// Steps is after how many steps the child ends itself; 0 for not.
	Steps int64
}

func TestMain(m *testing.M) {
	if given := os.Getenv(childEnv); given != "" {
		var o orders
		err := json.Unmarshal([]byte(given), &o)
		if err == nil {
			err = o.run()
		}
		say("BROKEN", strings.ReplaceAll(fmt.Sprint(err), "\n", "; ")) // it never ends by itself, but of faults
		os.Exit(1)
	}
	code := m.Run()
	if left := leaked(); code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "left open: %q\n", left)
		code = 1
	}
	os.Exit(code)
}

// leaked waits for streams that are closed late, and lists what is open all the same.
func leaked() (left []string) {
	for range 100 {
		left = nil
		if n := hooks.Handles(); n != 0 {
			left = append(left, fmt.Sprint(n, " handles of package tarfs"))
		}
		links, _ := filepath.Glob("/proc/self/fd/*")
		for _, link := range links {
			if path, err := os.Readlink(link); err == nil && (strings.Contains(path, "/layers/") ||
				strings.Contains(path, "/images/") || strings.HasPrefix(path, "/dev/loop")) {
				left = append(left, path)
			}
		}
		if len(left) == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return left
}

// say prints a line by one write, so that a kill leaves whole lines. Who can't is told nothing of what comes, so that
// nothing comes.
func say(words ...string) {
	if _, err := os.Stdout.WriteString(strings.Join(words, " ") + "\n"); err != nil {
		fmt.Fprintln(os.Stderr, "say:", err)
		os.Exit(1)
	}
}

const (
	childWorkers = 3
	childIDs     = 2 // of each worker
)

// worker has IDs of its own, so what it says of one is in order.
type worker struct {
	*orders
	m       *snapshot.Manager
	random  *rand.Rand
	ids     []string
	ready   map[string]string // the layer's diffID in hex
	mount   string
	mounted bool
}

func (o *orders) run() error {
	if o.Steps > 0 {
		var steps atomic.Int64
		snapshot.SetStep(func() {
			if steps.Add(1) == o.Steps {
				unix.Kill(os.Getpid(), unix.SIGKILL)
				select {}
			}
		})
	}
	m, err := snapshot.NewManager(o.Root, snapshot.Options{
		Fetcher: o, Backing: o.Backing, Fetch: snapshot.FetchPolicy{Backoff: time.Millisecond},
	})
	if err != nil {
		return err
	}
	found := m.Recovered()
	if len(found.Lost) != 0 {
		return fmt.Errorf("lost %v", found.Lost)
	}
	say("RECOVERED")
	errs := make(chan error)
	for n := range childWorkers {
		w := &worker{
			orders: o, m: m, random: rand.New(rand.NewPCG(o.Seed, uint64(n))),
			ready: map[string]string{}, mount: fmt.Sprint("mount", n),
		}
		w.mounted = slices.Contains(found.Mounts, w.mount)
		for i := range childIDs {
			id := fmt.Sprintf("w%d-%d", n, i)
			w.ids = append(w.ids, id)
			if slices.Contains(found.Snapshots, id) {
				if w.ready[id], err = recordedLayer(o.Root, id); err != nil {
					return err
				}
			}
		}
		go func() {
			for {
				if err := w.step(); err != nil {
					errs <- err
				}
			}
		}()
	}
	return <-errs
}

// recordedLayer reads the record of a snapshot.
func recordedLayer(root, id string) (string, error) {
	var record struct{ Layer string }
	data, err := os.ReadFile(filepath.Join(root, "snapshots", id+".json"))
	if err == nil {
		err = json.Unmarshal(data, &record)
	}
	return record.Layer, err
}

var errInjected = errors.New("injected")

// Fetch reads slowly, so that a kill finds it at work, and sometimes fails.
func (o *orders) Fetch(_ context.Context, _, digest string) (io.ReadCloser, error) {
	data, err := os.ReadFile(filepath.Join(o.Blobs, digest))
	if err != nil {
		return nil, err
	}
	fails := rand.IntN(5) == 0
	rest := bytes.NewReader(data)
	return stream(func(p []byte) (int, error) {
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
		if fails && rest.Len() < len(data)/2 {
			return 0, errInjected
		}
		return rest.Read(p[:min(len(p), 20_000)])
	}), nil
}

// step does one thing. It says what it is about to do if that ends what was said before, and what
// was done.
func (w *worker) step() error {
	ctx := context.Background()
	id := w.ids[w.random.IntN(len(w.ids))]
	key := w.ready[id]
	s := w.image()
	switch n := w.random.IntN(100); {
	case key == "":
		return w.prepare(ctx, id)
	case n < 15:
		return w.detach(id)
	case n < 40:
		if err := w.m.MergeLayers(ctx, s); err != nil {
			return err
		}
		say("MERGED", w.layers(s))
	case n < 65:
		mode := tarfs.Modes()[w.random.IntN(6)]
		of := s
		if strings.HasPrefix(string(mode), "layer_") {
			of = snapshot.Snapshot{ID: id, ParentIDs: []string{id}}
		}
		disk, err := w.m.Export(ctx, of, mode)
		if err != nil {
			return err
		}
		say("EXPORTED", w.layers(of), string(mode), filepath.Base(filepath.Dir(disk.Path)), disk.Label+"!")
	case n < 95 && !w.mounted:
		say("MOUNT", w.mount)
		if _, err := w.m.MountTarErofs(ctx, w.mount, s); err != nil {
			return err
		}
		w.mounted = true
		say("MOUNTED", w.mount, w.layers(s))
	case n < 95:
		say("UNMOUNT", w.mount)
		if err := w.m.UmountTarErofs(w.mount); err != nil {
			return err
		}
		w.mounted = false
		say("UNMOUNTED", w.mount)
	default:
		_, err := w.m.Collect()
		return err
	}
	return nil
}

// image stands on all that is ready.
func (w *worker) image() (s snapshot.Snapshot) {
	for _, id := range w.ids {
		if w.ready[id] != "" {
			s.ParentIDs = append(s.ParentIDs, id)
		}
	}
	return s
}

// layers are those of an image, the lowest first.
func (w *worker) layers(s snapshot.Snapshot) string {
	var keys []string
	for _, id := range slices.Backward(s.ParentIDs) {
		keys = append(keys, w.ready[id])
	}
	return strings.Join(keys, ",")
}

func (w *worker) prepare(ctx context.Context, id string) error {
	layer := w.Layers[w.random.IntN(len(w.Layers))]
	say("PREPARE", id)
	err := w.m.PrepareLayer(ctx, id, layer)
	if err == nil {
		err = w.m.WaitLayerReady(ctx, id)
	}
	if errors.Is(err, errInjected) {
		say("ENDED", id)
		return nil
	}
	if err != nil {
		return err
	}
	w.ready[id] = strings.TrimPrefix(layer.DiffID, "sha256:")
	say("READY", id, w.ready[id])
	return nil
}

func (w *worker) detach(id string) error {
	say("END", id, w.ready[id])
	if err := w.m.DetachLayer(id); err != nil {
		return err
	}
	delete(w.ready, id)
	say("ENDED", id)
	return nil
}
