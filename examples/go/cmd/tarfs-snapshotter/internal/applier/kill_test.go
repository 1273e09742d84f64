package applier

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/mount"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// childEnv has a child of this test apply a layer, and kill itself at a step.
const childEnv = "TARFS_TEST_APPLY"

type child struct {
	Root   string
	Verity string
	Block  uint32
	Desc   ocispec.Descriptor
	Mounts []mount.Mount
	// The step before which it kills itself, from 1 on; 0 for none. Reads of the blob are steps too.
	Step int
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		var c child
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			panic(err)
		}
		c.run()
		return
	}
	os.Exit(m.Run())
}

func (c child) run() {
	left := c.Step
	step = func() {
		if left--; left == 0 {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	a, err := New(Options{ContentRoot: c.Root + "/content", Verity: c.Verity, BlockSize: c.Block})
	if err == nil {
		_, err = a.Apply(context.Background(), c.Desc, c.Mounts, diff.WithProgress(func(ocispec.Descriptor, int64) { step() }))
	}
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
}

// start starts this test as a child.
func (c child) start(t *testing.T) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// Killed before any step, a layer is whole, with its sidecar, or it is not there; and the next call in the same
// snapshot works, and leaves nothing of the one before.
func TestKilledAtSteps(t *testing.T) {
	for _, form := range []child{{Block: 512, Verity: ""}, {Block: 512, Verity: "containerd"}, {Block: 4096, Verity: "containerd-4k"}} {
		d := newDesk(t)
		data, want := d.gnuTar(`echo a >a; head -c 700000 /dev/urandom >b`, "")
		form.Root, form.Desc = d.root, d.blob(ocispec.MediaTypeImageLayerGzip, compressed(t, "gzip", data))
		kills, half := 0, 0
		for form.Step = 1; ; form.Step++ {
			dir, mounts := d.snapshot()
			form.Mounts = mounts
			err := form.start(t).Wait()
			if err == nil {
				break
			}
			kills++
			half += d.afterKill(form, dir, want)
		}
		t.Logf("%+v: %d kills, of which %d left something", form, kills, half)
		if kills < 8 || half < 5 {
			t.Errorf("%d kills, of which %d left something: too few to show anything", kills, half)
		}
	}
}

// afterKill holds what is there, and has the next call work. It says whether the kill left anything half done.
func (d *desk) afterKill(form child, dir, want string) (half int) {
	t := d.t.(*testing.T)
	t.Helper()
	left := files(t, dir)
	whole := "layer.erofs"
	if form.Verity != "" {
		whole += " layer.erofs.dmverity"
	}
	if _, err := os.Stat(dir + "/layer.erofs"); err == nil {
		right(t, dir, form.Verity, want, form.Step)
	} else if left != "" {
		half = 1
	}
	a := d.applier(func(o *Options) { o.Verity, o.BlockSize = form.Verity, form.Block })
	if _, err := a.Apply(t.Context(), form.Desc, form.Mounts); err != nil {
		t.Fatalf("step %d: the next call: %v", form.Step, err)
	}
	if got := files(t, dir); got != whole {
		t.Errorf("step %d: after the next call there are %s; before there were %s", form.Step, got, left)
	}
	right(t, dir, form.Verity, want, form.Step)
	return half
}

func right(t *testing.T, dir, verity, want string, step int) {
	t.Helper()
	t.Run(strconv.Itoa(step), func(t *testing.T) {
		if got := testkit.Tree(t, testkit.MountLayer(t, dir+"/layer.erofs")); got != want {
			t.Errorf("mounted\n%sextracted\n%s", got, want)
		}
		verified(t, dir, verity)
	})
}

// The same at moments that nobody chose. TARFS_KILLS says how many.
func TestKilledAnywhere(t *testing.T) {
	kills, _ := strconv.Atoi(os.Getenv("TARFS_KILLS"))
	if kills == 0 {
		kills = 10
	}
	d := newDesk(t)
	data, want := d.gnuTar(`echo a >a; head -c 9000000 /dev/urandom >b`, "")
	form := child{Root: d.root, Block: 512, Verity: "containerd", Desc: d.blob(ocispec.MediaTypeImageLayerGzip, compressed(t, "gzip -1", data))}
	started := time.Now()
	_, form.Mounts = d.snapshot()
	if err := form.start(t).Wait(); err != nil {
		t.Fatal(err)
	}
	takes := time.Since(started)
	half := 0
	for form.Step = -1; form.Step >= -kills; form.Step-- { // never reached
		var dir string
		dir, form.Mounts = d.snapshot()
		cmd := form.start(t)
		time.Sleep(time.Duration(rand.Int64N(int64(takes))))
		cmd.Process.Kill()
		cmd.Wait()
		half += d.afterKill(form, dir, want)
	}
	t.Logf("%d kills within %v each, of which %d left something", kills, takes, half)
}

// A sidecar that another attempt left is not taken for that of a layer without one.
func TestStaleSidecar(t *testing.T) {
	d := newDesk(t)
	desc := d.blob(ocispec.MediaTypeImageLayer, make([]byte, 1024))
	dir, mounts := d.snapshot()
	for _, name := range []string{"layer.erofs.dmverity", tempPrefix + "layer.erofs", tempPrefix + "x"} {
		if err := os.WriteFile(dir+"/"+name, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.applier(nil).Apply(t.Context(), desc, mounts); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); got != "layer.erofs" {
		t.Error("there are", got)
	}
}
