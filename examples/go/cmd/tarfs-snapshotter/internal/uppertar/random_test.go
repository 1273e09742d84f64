package uppertar

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/pkg/archive"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// randomScript is what a container may do to a small tree, in the shell; some of it fails, as it may. kinds is how many
// kinds of commands there are: the last one sets attributes.
func randomScript(r *rand.Rand, commands, kinds int) string {
	names := []string{"a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "d/e/f", "d/e/f/b", "g", "g/a", "h/a/b", ".a", "d/.a"}
	name := func() string { return names[r.IntN(len(names))] }
	var script strings.Builder
	for range commands {
		at := name()
		switch r.IntN(kinds) {
		case 0, 1:
			fmt.Fprintf(&script, "rm -rf %s\n", at)
		case 2, 3:
			fmt.Fprintf(&script, "mkdir -p %s\n", at)
		case 4, 5:
			// Nothing is written to devices, or waited for.
			fmt.Fprintf(&script, "{ [[ -e %[2]s && ! -f %[2]s ]]; } || echo %[1]d >%[2]s\n", r.IntN(1000), at)
		case 6:
			fmt.Fprintf(&script, "mv -T %s %s\n", at, name())
		case 7:
			fmt.Fprintf(&script, "ln %s %s\n", at, name())
		case 8:
			fmt.Fprintf(&script, "ln -sfn %s %s\n", name(), at)
		case 9:
			fmt.Fprintf(&script, "chmod %o %s\n", r.IntN(0o10000), at)
		case 10:
			fmt.Fprintf(&script, "chown -h %d:%d %s\n", r.IntN(5), r.IntN(5), at)
		case 11:
			fmt.Fprintf(&script, "touch -h -d @%d.%09d %s\n", r.IntN(2_000_000_000), r.IntN(1_000_000_000), at)
		case 12:
			fmt.Fprintf(&script, "mknod %s %s\n", at, []string{"p", "c 1 3", "b 250 9"}[r.IntN(3)])
		case 13:
			fmt.Fprintf(&script, "setfattr -n user.x%d -v v%d %s\n", r.IntN(3), r.IntN(9), at)
		}
	}
	return script.String()
}

var links = regexp.MustCompile(` links \d+,`)

// Random changes of random trees: what containerd extracts of the tar over the lower directory is what overlayfs
// shows. TARFS_STACKS says how many; each is named by its seed.
func TestRandomChanges(t *testing.T) {
	stacks, _ := strconv.Atoi(os.Getenv("TARFS_STACKS"))
	if stacks == 0 {
		stacks = 40
	}
	refused := 0
	for seed := range uint64(stacks) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			// containerd leaves an older directory's attributes on one that was made anew, so there are none.
			lower, changes := randomScript(r, 30, 13), randomScript(r, 25, 14)
			o := newOverlay(t, "set +e\n"+lower+"exit 0")
			testkit.Shell(t, o.merged, "set +e\n"+changes+"exit 0")
			tar := written(t, o.upper, nil)
			testkit.Shell(t, o.merged, `cp -a ../lower ../applied`)
			applied := strings.TrimSuffix(o.merged, "merged") + "applied"
			if _, err := archive.Apply(t.Context(), applied, bytes.NewReader(tar)); err != nil {
				refused++
				t.Skip("containerd does not extract it:", err)
			}
			// Of a lower file with two names, of which one is removed, overlayfs goes on to say that it has two.
			want, got := links.ReplaceAllString(testkit.Tree(t, o.merged), ""), links.ReplaceAllString(testkit.Tree(t, applied), "")
			if want != got {
				t.Errorf("lower:\n%s\nchanges:\n%s\noverlayfs shows\n%s\nextracted is\n%s", lower, changes, testkit.Difference(want, got), testkit.Difference(got, want))
			}
		})
	}
	if refused > stacks/20 {
		t.Errorf("%d of %d were not extracted", refused, stacks)
	}
}
