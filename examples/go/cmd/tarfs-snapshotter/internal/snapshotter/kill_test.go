package snapshotter_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
	erofs "github.com/erofs/go-erofs"
	"github.com/opencontainers/go-digest"
)

// layerTar is a layer that is pulled, with one file.
func layerTar(file string) []byte {
	return tarOf(panics{}, file, file+"\n"+strings.Repeat(file, 3000))
}

// panics is for where there is no test.
type panics struct{ testing.TB }

func (panics) Helper()          {}
func (panics) Fatal(all ...any) { panic(fmt.Sprint(all...)) }

func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	if given := os.Getenv(name); given != "" {
		return testkit.Must[uint64](t)(strconv.ParseUint(given, 10, 64))
	}
	return otherwise
}

// TestKill kills processes at work, half of them at random times, half at random steps. Whenever one is started again,
// all snapshots that were reported are there with their files, and nothing is there that no snapshot owns. TARFS_KILLS
// is how often, TARFS_SEED a seed to repeat.
func TestKill(t *testing.T) {
	kills := number(t, "TARFS_KILLS", 24)
	seed := number(t, "TARFS_SEED", uint64(time.Now().UnixNano()))
	t.Logf("TARFS_SEED=%d TARFS_KILLS=%d", seed, kills)
	random := rand.New(rand.NewPCG(seed, 0))
	o := orders{Root: filepath.Join(t.TempDir(), "root"), Known: model{}}
	done, torn := 0, 0
	for n := range kills {
		o.Seed, o.Steps = random.Uint64(), 0
		after := time.Duration(random.IntN(400)) * time.Millisecond
		if n%2 == 1 {
			o.Steps, after = 1+random.IntN(150), time.Minute
		}
		pending := o.killed(t, after, &done)
		o.check(t, pending, &torn)
		if t.Failed() {
			t.Fatalf("after kill %d", n+1)
		}
	}
	t.Logf("%d kills, %d things done, %d cut off and not there; %d snapshots at the end", kills, done, torn, len(o.Known))
	if done < int(kills) {
		t.Error("children did too little")
	}
}

// killed runs a child, kills it after some time, learns what it did, and returns what it was about to do.
func (o *orders) killed(t *testing.T, after time.Duration, done *int) (pending []string) {
	t.Helper()
	child := exec.Command(os.Args[0])
	out, errs := o.inChild(t, child, after, func() { child.Process.Kill() })
	if !strings.Contains(child.ProcessState.String(), "killed") {
		t.Fatalf("the child ended by itself: %v\n%s%s", child.ProcessState, out, errs)
	}
	return o.heard(out, done)
}

// inChild runs a child with these orders, which is killed after some time; what it wrote.
func (o *orders) inChild(t *testing.T, child *exec.Cmd, after time.Duration, kill func()) (out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	child.Env = append(os.Environ(), childEnv+"="+string(testkit.Must[[]byte](t)(json.Marshal(o))))
	child.Stdout, child.Stderr = &stdout, &stderr
	testkit.OK(t, child.Start())
	timer := time.AfterFunc(after, kill)
	child.Wait()
	timer.Stop()
	return stdout.String(), stderr.String()
}

// heard learns what a child said that it did, and returns what it was about to do.
func (o *orders) heard(said string, done *int) (pending []string) {
	for line := range strings.Lines(said) {
		if !strings.HasSuffix(line, "\n") {
			break // it ended in the middle of saying it
		}
		words := strings.Fields(line)
		switch words[0] {
		case "try":
			pending = words[1:]
		case "done":
			pending = nil
			o.Known.learn(words[1:])
			*done++
		}
	}
	return pending
}

// learn is what follows from a report: what was done, its name, and a parent with a dash behind it.
func (m model) learn(words []string) {
	name, parent := words[1], strings.TrimSuffix(words[2], "-")
	switch words[0] {
	case "prepare":
		m[name] = one{Parent: parent, File: words[3]}
	case "pull":
		m[name] = one{Applied: true, File: words[3]}
	case "commit":
		committed := m[name]
		committed.Parent, committed.Committed = parent, true
		delete(m, name)
		m[words[3]] = committed
	case "remove":
		delete(m, name)
	}
}

// check opens what a child left. What it was about to do is done or not.
func (o *orders) check(t *testing.T, pending []string, torn *int) {
	t.Helper()
	n := newNode(t, o.Root)
	defer n.stop(t)
	there := map[string]snapshots.Info{}
	err := n.Walk(t.Context(), func(_ context.Context, info snapshots.Info) error {
		there[info.Name] = info
		return nil
	})
	if err != nil && !strings.Contains(err.Error(), "not found") {
		t.Fatal(err)
	}
	// As New leaves it.
	if got := n.entries(t, "snapshots"); len(got) != len(there) {
		t.Errorf("%d directories of %d snapshots: %q", len(got), len(there), got)
	}
	if pending != nil {
		after := maps.Clone(o.Known)
		after.learn(pending)
		if slices.Equal(sorted(after), sorted(there)) {
			o.Known = after
		} else {
			*torn++
		}
		// One that was prepared, and not yet said to be, has not all in it that the child writes.
		if _, made := there[pending[1]]; made && (pending[0] == "prepare" || pending[0] == "pull") {
			testkit.OK(t, n.Remove(t.Context(), pending[1]))
			delete(there, pending[1])
			delete(o.Known, pending[1])
		}
	}
	if !slices.Equal(sorted(o.Known), sorted(there)) {
		t.Fatalf("%v: snapshots %q, want %q", pending, sorted(there), sorted(o.Known))
	}
	for name, want := range o.Known {
		if got := there[name]; got.Parent != want.Parent || (got.Kind == snapshots.KindCommitted) != want.Committed {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		o.files(t, n, name, want)
	}
	testkit.OK(t, n.Cleanup(t.Context()))
	n.owned(t, o.Known)
}

func sorted[T any](of map[string]T) []string { return slices.Sorted(maps.Keys(of)) }

// files says that a snapshot shows what was written to it.
func (o *orders) files(t *testing.T, n *node, name string, want one) {
	t.Helper()
	if !want.Committed {
		mounts := testkit.Must[[]mount.Mount](t)(n.Mounts(t.Context(), name))
		if _, err := os.Stat(filepath.Join(upperOf(mounts), want.File)); err != nil && !want.Applied {
			t.Errorf("%s: %v", name, err)
		}
		if want.Applied && !mounts[0].ReadOnly() {
			t.Errorf("%s: its layer is forgotten", name)
		}
		return
	}
	files := map[string]bool{}
	for at := name; at != ""; at = o.Known[at].Parent {
		files[o.Known[at].File] = true
	}
	view := "view of " + name
	mounts := testkit.Must[[]mount.Mount](t)(n.View(t.Context(), view, name))
	defer func() { testkit.OK(t, n.Remove(t.Context(), view)) }()
	if got := filesIn(t, mounts[0]); !slices.Equal(got, sorted(files)) {
		t.Errorf("%s has the files %q, want %q", name, got, sorted(files))
	}
}

// filesIn are the names in an image, of which each file is read to its end.
func filesIn(t *testing.T, m mount.Mount) (names []string) {
	t.Helper()
	var devices []io.ReaderAt
	for _, path := range deviceFiles([]mount.Mount{m}) {
		f := testkit.Must[*os.File](t)(os.Open(path))
		defer f.Close()
		devices = append(devices, f)
	}
	f := testkit.Must[*os.File](t)(os.Open(m.Source))
	defer f.Close()
	fsys := testkit.Must[fs.FS](t)(erofs.Open(f, erofs.WithExtraDevices(devices...)))
	for _, entry := range testkit.Must[[]fs.DirEntry](t)(fs.ReadDir(fsys, ".")) {
		content := string(testkit.Must[[]byte](t)(fs.ReadFile(fsys, entry.Name())))
		if !strings.HasPrefix(content, entry.Name()) {
			t.Errorf("%s: %.40q", entry.Name(), content)
		}
		names = append(names, entry.Name())
	}
	return names
}

// owned says that all in the directory is of a snapshot, all of a snapshot there, and layers what their names say.
func (n *node) owned(t *testing.T, known model) {
	t.Helper()
	want, files, layers := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, o := range known {
		if o.Committed || o.Applied {
			want[o.File] = true
		}
	}
	for _, key := range n.entries(t, "layers/sha256") {
		layer := testkit.Must[[]byte](t)(os.ReadFile(filepath.Join(n.root, "layers/sha256", key, "layer.tar")))
		if digest.FromBytes(layer).Encoded() != key {
			t.Errorf("layer %s is not what its name says", key)
		}
		layers[key] = true
		files[testkit.Must[*tar.Header](t)(tar.NewReader(bytes.NewReader(layer)).Next()).Name] = true
	}
	if !slices.Equal(sorted(files), sorted(want)) {
		t.Errorf("layers with the files %q, want %q", sorted(files), sorted(want))
	}
	for _, key := range n.entries(t, "images") {
		var it keep.Item
		testkit.OK(t, keep.ReadJSON(filepath.Join(n.root, "images", key, keep.InfoFile), &it))
		for _, layer := range it.Layers {
			if !layers[layer] {
				t.Errorf("image %s has no use", key)
			}
		}
	}
	if got := n.entries(t, "snapshots"); len(got) != len(known) {
		t.Errorf("%d directories of %d snapshots: %q", len(got), len(known), got)
	}
}
