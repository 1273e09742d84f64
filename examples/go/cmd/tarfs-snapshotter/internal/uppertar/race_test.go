package uppertar

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// Attributes of one file may be more than memory has, as a container can give it thousands of 64 KiB. No reader of
// tars takes that many, so they are not all read before that is said.
func TestManyAttributes(t *testing.T) {
	dir := testkit.Tmpfs(t, 0)
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	value := make([]byte, 64<<10)
	for i := range 1000 {
		if err := unix.Setxattr(path, fmt.Sprintf("trusted.%d", i), value, 0); err != nil {
			t.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := Write(t.Context(), io.Discard, dir, nil)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "file: attributes of more than 1048576 bytes") {
		t.Errorf("%v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 20<<20 {
		t.Errorf("%d bytes of memory, and %v", took, err)
	}
}

// swapper changes a directory once z1 is written, when what was written before is closed.
type swapper struct {
	bytes.Buffer
	swap func()
}

func (s *swapper) Write(p []byte) (int, error) {
	if s.swap != nil && bytes.Contains(p, []byte("z1\x00")) {
		s.swap()
		s.swap = nil
	}
	return s.Buffer.Write(p)
}

// A filesystem gives the inode number of a removed file to a new one: that is not a link to what was read before.
func TestInodeUsedAgain(t *testing.T) {
	disk := t.TempDir()
	dir := disk + "/ext4" // tmpfs does not use numbers again
	testkit.Shell(t, disk, `truncate -s 8M img; mkfs.ext4 -q img; mkdir ext4; mount -o loop img ext4; rmdir ext4/lost+found; mkdir ext4/dir`)
	t.Cleanup(func() { testkit.Shell(t, disk, `umount ext4`) })
	dir += "/dir"
	shell := func(script string) { testkit.Shell(t, dir, script) }
	shell(`echo first >a; ln a "$(mktemp -d -p ..)/b"; for i in {1..200}; do echo old >z$i; done`)
	inodeOf := func(name string) (stat unix.Stat_t) {
		if err := unix.Lstat(filepath.Join(dir, name), &stat); err != nil {
			t.Fatal(err)
		}
		return stat
	}
	before := inodeOf("a")
	again := false
	out := &swapper{swap: func() {
		shell(`rm a ../*/b`)
		for i := 2; i <= 200 && !again; i++ {
			shell(fmt.Sprintf(`echo other >new; ln -f new new2; mv new z%d`, i))
			again = inodeOf(fmt.Sprint("z", i)).Ino == before.Ino
		}
	}}
	if err := Write(t.Context(), out, dir, nil); err != nil {
		t.Fatal(err)
	}
	if !again {
		t.Fatal("the number was not used again")
	}
	tape := tar.NewReader(&out.Buffer)
	for {
		h, err := tape.Next()
		if err != nil {
			break
		}
		if h.Typeflag == tar.TypeLink && strings.HasPrefix(h.Name, "z") {
			t.Errorf("%s is a link to %s", h.Name, h.Linkname)
		}
	}
}

// Two files change their names all the time: what is said of one is never said of the other.
func TestAttributesOfTheSameFile(t *testing.T) {
	dir := testkit.Tmpfs(t, 0)
	testkit.Shell(t, dir, `mkdir d; echo plain >d/f; echo marked >g; chmod 600 g; setfattr -n trusted.mark -v x g`)
	ctx, stop := context.WithCancel(t.Context())
	var swapping sync.WaitGroup
	defer swapping.Wait()
	defer stop()
	swapping.Go(func() {
		for ctx.Err() == nil {
			unix.Renameat2(unix.AT_FDCWD, dir+"/d/f", unix.AT_FDCWD, dir+"/g", unix.RENAME_EXCHANGE)
		}
	})
	seen := map[bool]int{}
	for started := time.Now(); time.Since(started) < 2*time.Second; {
		var out bytes.Buffer
		if err := Write(t.Context(), &out, dir+"/d", nil); err != nil {
			continue // it was replaced, and that was seen
		}
		tape := tar.NewReader(&out)
		h, err := tape.Next()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(tape)
		if err != nil {
			t.Fatal(err)
		}
		marked := string(content) == "marked\n"
		seen[marked]++
		if _, has := h.PAXRecords["SCHILY.xattr.trusted.mark"]; has != marked || (h.Mode == 0o600) != marked {
			t.Fatalf("after %v: %q with %+v", seen, content, h)
		}
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("%v: one of them was never read", seen)
	}
}

// Of a link the attributes are its own, and a FIFO is asked without being opened.
func TestAttributesOfLinks(t *testing.T) {
	dir := testkit.Tmpfs(t, 0)
	testkit.Shell(t, dir, `ln -s file l; mkfifo p; echo >file; for f in *; do setfattr -h -n trusted.mark -v $f $f; done`)
	tape := tar.NewReader(bytes.NewReader(written(t, dir, nil)))
	for _, name := range []string{"file", "l", "p"} {
		h, err := tape.Next()
		if err != nil || h.Name != name || h.PAXRecords["SCHILY.xattr.trusted.mark"] != name {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

// A file that a container removes after its directory was read is not there, as it would not be a moment later.
func TestRemovedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	testkit.Shell(t, dir, `touch z1 z2 z4; mkdir z3`)
	out := &swapper{swap: func() { testkit.Shell(t, dir, `rm -r z2 z3`) }}
	if err := Write(t.Context(), out, dir, nil); err != nil {
		t.Fatal(err)
	}
	tape := tar.NewReader(&out.Buffer)
	for _, name := range []string{"z1", "z4"} {
		if h, err := tape.Next(); err != nil || h.Name != name {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}
