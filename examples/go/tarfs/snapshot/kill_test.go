package snapshot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// number is an environment variable's.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	if given := os.Getenv(name); given != "" {
		n, err := strconv.ParseUint(given, 10, 64)
		ok(t, err)
		return n
	}
	return otherwise
}

// TestKill kills processes at work, half of them at random times, half at random steps. Whenever one is restarted, each snapshot, image,
// disk and mount is whole or absent, and none is lost that was reported. TARFS_KILLS is how often,
// TARFS_SEED a seed to repeat.
func TestKill(t *testing.T) {
	canMount(t)
	kills := number(t, "TARFS_KILLS", 40)
	seed := number(t, "TARFS_SEED", uint64(time.Now().UnixNano()))
	t.Logf("TARFS_SEED=%d TARFS_KILLS=%d", seed, kills)
	random := rand.New(rand.NewPCG(seed, 0))

	o := orders{Root: filepath.Join(diskDir(t), "root"), Blobs: diskDir(t)}
	t.Cleanup(func() { unmountAll(t, o.Root) })
	ref := newReference(t, &o, random)
	said := newSaid()
	early, lines, checks := 0, 0, 0
	for n := range kills {
		o.Seed, o.Backing, o.Steps = random.Uint64(), anyBacking(random), 0
		after := time.Duration(random.IntN(300)) * time.Millisecond
		if n%2 == 1 {
			o.Steps, after = 1+random.Int64N(300), time.Minute
		}
		got := o.killed(t, after)
		if !slices.Contains(got, "RECOVERED") {
			early++
		}
		lines += len(got)
		for _, line := range got {
			said.hear(t, strings.Fields(line))
		}
		// Without a check the next child finds what this one left, and may die of recovering that.
		if n == kills-1 || random.IntN(3) > 0 {
			said.check(t, o.Root, ref)
			checks++
		}
		if t.Failed() {
			t.Fatalf("after kill %d", n+1)
		}
	}
	t.Logf("%d kills, %d of them before the child was up; %d reports, %d checks; %d snapshots, %d items, %d mounts at the end",
		kills, early, lines, checks, len(said.ready), len(said.items), len(said.mounted))
	if lines < int(kills) {
		t.Errorf("children said %d lines: they do nothing", lines)
	}
}

// anyBacking is one that the kernel has.
func anyBacking(random *rand.Rand) snapshot.Backing {
	if b := snapshot.Backing(random.IntN(3)); b != snapshot.BackingFile || mountsFiles() {
		return b
	}
	return snapshot.BackingLoop
}

// killed runs a child, kills it after some time, and returns what it said.
func (o *orders) killed(t *testing.T, after time.Duration) []string {
	t.Helper()
	child := exec.Command(os.Args[0])
	out, errs := o.inChild(t, child, after, func() { child.Process.Kill() })
	if !strings.Contains(child.ProcessState.String(), "killed") {
		t.Errorf("the child ended by itself: %v\n%s%s", child.ProcessState, lastLine(out), errs)
	}
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
}

// inChild runs a child with these orders, which is killed after some time; what it wrote.
func (o *orders) inChild(t *testing.T, child *exec.Cmd, after time.Duration, kill func()) (out, errs string) {
	t.Helper()
	given, err := json.Marshal(o)
	ok(t, err)
	var stdout, stderr bytes.Buffer
	child.Env = append(os.Environ(), childEnv+"="+string(given))
	child.Stdout, child.Stderr = &stdout, &stderr
	ok(t, child.Start())
	timer := time.AfterFunc(after, kill)
	child.Wait()
	timer.Stop()
	return stdout.String(), stderr.String()
}

func lastLine(text string) string {
	return text[strings.LastIndex(strings.TrimSuffix(text, "\n"), "\n")+1:]
}

// said is what follows from what children said.
type said struct {
	ready   map[string]string // IDs that have to be there, and their layers
	open    map[string]bool   // IDs that may be there or not, of which nothing was reported
	mounted map[string]string // likewise
	loose   map[string]bool
	items   map[string]string // what has to be below the root, and the label
	layers  map[string]string // of items
}

func newSaid() *said {
	return &said{
		ready: map[string]string{}, open: map[string]bool{},
		mounted: map[string]string{}, loose: map[string]bool{},
		items: map[string]string{}, layers: map[string]string{},
	}
}

func (s *said) hear(t *testing.T, words []string) {
	if len(words) == 0 {
		return
	}
	switch id := strings.Join(words[1:min(2, len(words))], ""); words[0] {
	case "RECOVERED":
	case "PREPARE":
		s.open[id] = true
	case "READY":
		s.ready[id] = words[2]
		delete(s.open, id)
	case "END":
		delete(s.ready, id)
		s.open[id] = true
		// From now on Collect may remove what is made of the layer.
		for path, layers := range s.layers {
			if strings.Contains(layers, words[2]) {
				delete(s.items, path)
				delete(s.layers, path)
			}
		}
	case "ENDED":
		delete(s.open, id)
	case "MERGED":
		s.item(imagePath(id), id, "")
	case "EXPORTED":
		s.item(filepath.Join("disks", words[3]), id, strings.TrimSuffix(words[4], "!"))
	case "MOUNT":
		s.loose[id] = true
	case "MOUNTED":
		s.mounted[id] = words[2]
		delete(s.loose, id)
	case "UNMOUNT":
		delete(s.mounted, id)
		s.loose[id] = true
	case "UNMOUNTED":
		delete(s.loose, id)
	default:
		t.Errorf("the child said %q", words)
	}
}

func (s *said) item(path, layers, label string) {
	s.items[path], s.layers[path] = label, layers
}

// check restarts a manager, and looks at everything that is there.
func (s *said) check(t *testing.T, root string, ref *reference) {
	t.Helper()
	m, err := snapshot.NewManager(root, snapshot.Options{Fetcher: noFetch, Logf: t.Logf})
	ok(t, err)
	defer m.Close()
	found := m.Recovered()
	for _, loss := range found.Lost {
		t.Errorf("lost %s: %v", loss.Path, loss.Err)
	}
	s.checkSnapshots(t, m, found.Snapshots)
	s.checkMounts(t, m, found.Mounts, ref)
	for path, label := range s.items {
		info, err := readItem(filepath.Join(root, path))
		if err != nil || info.Label != label {
			t.Errorf("%s, reported with label %q: %+v, %v", path, label, info, err)
		}
	}
	for _, kind := range []string{"layers", "images", "disks"} {
		entries, err := os.ReadDir(filepath.Join(root, kind))
		ok(t, err)
		for _, e := range entries {
			ref.compare(t, root, kind, e.Name())
		}
	}
	noTemporaries(t, root)
}

func (s *said) checkSnapshots(t *testing.T, m *snapshot.Manager, found []string) {
	for id := range s.ready {
		if !slices.Contains(found, id) {
			t.Errorf("snapshot %s was reported ready, and is lost", id)
		}
	}
	for _, id := range found {
		if err := m.WaitLayerReady(t.Context(), id); err != nil {
			t.Errorf("snapshot %s: %v", id, err)
		}
		layer, err := recordedLayer(m.Root(), id)
		ok(t, err)
		want, reported := s.ready[id]
		if !reported && !s.open[id] || reported && layer != want {
			t.Errorf("snapshot %s is there of layer %s, want %q", id, layer, want)
		}
		s.ready[id] = layer
	}
	clear(s.open)
}

func (s *said) checkMounts(t *testing.T, m *snapshot.Manager, found []string, ref *reference) {
	for id := range s.mounted {
		if !slices.Contains(found, id) {
			t.Errorf("mount %s was reported, and is lost", id)
		}
	}
	for _, id := range found {
		var record struct{ Layers []string }
		data, err := os.ReadFile(filepath.Join(m.Root(), "mounts", id+".json"))
		ok(t, err)
		ok(t, json.Unmarshal(data, &record))
		layers := strings.Join(record.Layers, ",")
		want, reported := s.mounted[id]
		if !reported && !s.loose[id] || reported && layers != want {
			t.Errorf("mount %s is there of layers %s, want %q", id, layers, want)
		}
		s.mounted[id] = layers
		sameLines(t, listing(t, m.MountPoint(id)), ref.listing(t, record.Layers))
	}
	clear(s.loose)
	entries, err := os.ReadDir(filepath.Join(m.Root(), "mnt"))
	ok(t, err)
	if len(entries) != len(found) {
		t.Errorf("mounts %q, mount points %v", found, entries)
	}
}

// noTemporaries fails the test if something unfinished is left.
func noTemporaries(t *testing.T, root string) {
	ok(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), ".tmp-") {
			t.Errorf("left: %s", path)
		}
		if d.Name() == "mnt" {
			return filepath.SkipDir
		}
		return nil
	}))
}

// imagePath is where the image of layers is.
func imagePath(layers string) string {
	data, _ := json.Marshal([]any{"image", strings.Split(layers, ",")})
	return filepath.Join("images", fmt.Sprint(sum(append(data, '\n'))))
}
