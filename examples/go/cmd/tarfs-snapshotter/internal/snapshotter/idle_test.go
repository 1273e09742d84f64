package snapshotter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fakeSys is a /sys/block with these files in it.
func fakeSys(t *testing.T, files map[string]string) string {
	t.Helper()
	sys := t.TempDir()
	for path, text := range files {
		if err := os.MkdirAll(filepath.Join(sys, filepath.Dir(path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sys, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return sys
}

// The handler's devices are told from others by their names, and by the files below them.
func TestOpened(t *testing.T) {
	sys := fakeSys(t, map[string]string{
		"dm-0/dm/name": "containerd-erofs-a\n", "dm-0/slaves/loop0/loop/backing_file": "/root/disks/1/disk\n",
		"dm-1/dm/name": "containerd-erofs-b\n", "dm-1/slaves/loop1/loop/backing_file": "/root/disks/.tmp-x/disk (deleted)\n",
		"dm-2/dm/name": "vg-root\n", "dm-2/slaves/loop2/loop/backing_file": "/root/disks/1/disk\n",
		"dm-3/dm/name": "containerd-erofs-c\n", "dm-3/slaves/sda/size": "1\n",
		"loop0/loop/backing_file": "/root/disks/1/disk\n",
	})
	for _, row := range []struct {
		match func(string) bool
		want  []string
	}{
		{func(file string) bool { return file == "/root/disks/1/disk" }, []string{"containerd-erofs-a"}},
		{func(file string) bool { return strings.HasSuffix(file, " (deleted)") }, []string{"containerd-erofs-b"}},
		{func(string) bool { return true }, []string{"containerd-erofs-a", "containerd-erofs-b"}},
		{func(string) bool { return false }, nil},
	} {
		var got []string
		for _, one := range opened(sys, row.match) {
			got = append(got, one.name)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%q, not %q", got, row.want)
		}
	}
}

// What is over a removed file is closed at once, what has been there for a while then, and what is new or of somebody else
// not; a device in use is no error, and is tried again.
func TestLeftovers(t *testing.T) {
	sys := fakeSys(t, map[string]string{
		"dm-0/dm/name": "containerd-erofs-old\n", "dm-0/slaves/loop0/loop/backing_file": "/root/disks/1/disk\n",
		"dm-1/dm/name": "containerd-erofs-removed\n", "dm-1/slaves/loop1/loop/backing_file": "/root/disks/.tmp-x/disk (deleted)\n",
		"dm-2/dm/name": "containerd-erofs-elsewhere\n", "dm-2/slaves/loop2/loop/backing_file": "/other/disks/1/disk (deleted)\n",
	})
	var asked []string
	busy := true
	l := &leftovers{sys: sys, below: "/root/disks/", close: func(name string) error {
		asked = append(asked, strings.TrimPrefix(name, handlerPrefix))
		if busy {
			return fmt.Errorf("remove: %w", unix.EBUSY)
		}
		return os.RemoveAll(sys + "/dm-" + map[string]string{"old": "0", "removed": "1"}[asked[len(asked)-1]])
	}}
	start := time.Now()
	for _, row := range []struct {
		after time.Duration
		busy  bool
		want  string
	}{
		{0, true, "[removed]"},
		{leftAfter - 1, false, "[removed]"},
		{leftAfter, true, "[old]"},
		{leftAfter + 1, false, "[old]"},
		{2 * leftAfter, false, "[]"},
	} {
		asked, busy = nil, row.busy
		if err := l.sweep(start.Add(row.after)); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(asked) != row.want {
			t.Errorf("after %s: %q, not %s", row.after, asked, row.want)
		}
	}
	// Another device of the same name is a new one.
	l.sys = fakeSys(t, map[string]string{
		"dm-0/dm/name": "containerd-erofs-old\n", "dm-0/slaves/loop0/loop/backing_file": "/root/disks/1/disk\n", "dm-0/diskseq": "1\n",
	})
	busy, asked = false, nil
	again := []error{l.sweep(start), os.WriteFile(l.sys+"/dm-0/diskseq", []byte("2\n"), 0o600), l.sweep(start.Add(leftAfter))}
	if err := errors.Join(again...); err != nil || len(asked) > 0 {
		t.Error(err, asked)
	}
	l.sys = fakeSys(t, map[string]string{
		"dm-3/dm/name": "containerd-erofs-old\n", "dm-3/slaves/loop0/loop/backing_file": "/root/disks/1/disk (deleted)\n",
	})
	l.close = func(string) error { return unix.EPERM }
	if err := l.sweep(start); !errors.Is(err, unix.EPERM) {
		t.Error(err)
	}
}

// What somebody else has mounted where an image belongs is unmounted, and its device stays.
func TestHandlerDevice(t *testing.T) {
	for source, want := range map[string]string{
		"/dev/mapper/containerd-erofs-a": "containerd-erofs-a", "/dev/mapper/vg-root": "", "/dev/loop0": "", "/root/disks/1/disk": "", "": "",
	} {
		if name, ok := handlerDevice(source); ok != (want != "") || ok && name != want {
			t.Errorf("%q: %q, %v", source, name, ok)
		}
	}
}
