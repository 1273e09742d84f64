package uppertar

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/pkg/archive"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

const someLower = `
mkdir -p etc usr/lib opaque/deep gone/dir; echo a >etc/passwd; echo b >etc/gone; echo c >usr/lib/kept
echo d >opaque/old; echo e >opaque/deep/old; echo f >gone/dir/x; ln -s passwd etc/link; echo g >linked; ln linked linked2
mkdir tofile; echo h >tofile/x; echo i >todir; chmod 640 etc/passwd; chown 3:4 etc/passwd`

// What containers do to the files of their image.
var changes = []struct{ name, script string }{
	{"nothing", ``},
	{"a new file, and its times", `echo new >new; touch -d '2001-02-03 04:05:06.123456789' new; chmod 4755 new; chown 70000:5000000 new`},
	{"a file changed", `echo more >>etc/passwd`},
	{"attributes changed", `chmod 600 etc/passwd; chown 9:9 usr`},
	{"a file removed", `rm etc/gone`},
	{"a directory removed", `rm -r gone`},
	{"a directory made anew", `rm -r opaque; mkdir opaque; echo new >opaque/new`},
	{"an opaque directory in a new one", `rm -r opaque; mkdir -p opaque/deep; echo new >opaque/deep/new`},
	{"a directory becomes a file", `rm -r tofile; echo x >tofile`},
	{"a file becomes a directory", `rm todir; mkdir todir; echo x >todir/y`},
	{"a file becomes a link", `rm todir; ln -s /etc todir`},
	{"links", `ln -s /nowhere/at/all l; ln -s ../etc etc/up; ln -s "$(printf 'x%.0s' {1..3000})" long`},
	{"hard links", `echo h >a; ln a b; ln a etc/c; ln -s a d; ln d e`},
	{"a hard link to a lower file", `ln usr/lib/kept usr/lib/other`},
	{"devices, a FIFO", `mknod dev c 1 300; mknod blk b 8 70000; mkfifo fifo; chmod 621 fifo`},
	{"attributes", `echo x >f; setfattr -n user.a -v v f; setfattr -n user.bin -v 0x00ff0a3d00 f; setfattr -n user.d -v w usr; setfattr -n user.empty f`},
	{"capabilities", `echo x >cap; setcap cap_net_raw=ep cap`},
	{"access control lists", `echo x >acl; setfacl -m u:1234:rw acl; mkdir d; setfacl -d -m g:99:r d`},
	{"odd names", `echo x >"$(printf 'new\nline')"; echo y >"$(printf 'bytes\377\376')"; echo z >'.whx'; mkdir '...'; echo =:= >'a=b'; echo ü >ü`},
	{"a long path", `mkdir -p "$(printf 'directory-%.0s/' {1..60})"; echo x >"$(printf 'directory-%.0s/' {1..60})f"`},
	{"large files", `head -c 3000000 /dev/urandom >big; truncate -s 5000000 sparse; : >empty`},
}

// Each change, made through overlayfs and put on the lower directory by containerd's own extraction, gives what
// overlayfs shows.
func TestChangesApplied(t *testing.T) {
	for _, change := range changes {
		t.Run(change.name, func(t *testing.T) {
			o := newOverlay(t, someLower)
			testkit.Shell(t, o.merged, change.script)
			tar := written(t, o.upper, nil)

			applied := o.merged + "-applied"
			testkit.Shell(t, o.merged, `cp -a ../lower ../merged-applied`)
			if _, err := archive.Apply(t.Context(), applied, bytes.NewReader(tar)); err != nil {
				t.Fatal(err)
			}
			want, got := testkit.Tree(t, o.merged), testkit.Tree(t, applied)
			if want != got {
				t.Errorf("overlayfs shows\n%s\nextracted is\n%s", testkit.Difference(want, got), testkit.Difference(got, want))
			}
			if again := written(t, o.upper, nil); !bytes.Equal(tar, again) {
				t.Error("other bytes the second time")
			}
		})
	}
}

// GNU tar reads it to its end, and lists what is there by name.
func TestGNUTar(t *testing.T) {
	o := newOverlay(t, someLower)
	testkit.Shell(t, o.merged, `rm etc/gone; rm -r opaque; mkdir opaque; echo x >opaque/new; echo y >z; python3 -c '
import socket; socket.socket(socket.AF_UNIX).bind("socket")'`)
	if err := os.WriteFile(o.upper+"/../layer.tar", written(t, o.upper, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	got := testkit.Shell(t, o.upper+"/..", `tar -tf layer.tar`)
	want := "etc/\netc/.wh.gone\nopaque/\nopaque/.wh..wh..opq\nopaque/new\nz\n"
	if got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

// Times before 1970, which containerd's extraction makes 1970.
func TestOldTimes(t *testing.T) {
	o := newOverlay(t, "")
	testkit.Shell(t, o.merged, `echo old >old; touch -d '1965-01-01 00:00:00.25' old; mkdir ../out`)
	if err := os.WriteFile(o.upper+"/../layer.tar", written(t, o.upper, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.Shell(t, o.upper+"/..", `tar -xf layer.tar -C out`)
	if want, got := testkit.Tree(t, o.merged), testkit.Tree(t, filepath.Dir(o.upper)+"/out"); want != got {
		t.Errorf("%s is extracted as %s", want, got)
	}
}

func TestUserXattr(t *testing.T) {
	o := newOverlay(t, someLower, "userxattr")
	testkit.Shell(t, o.merged, `rm -r opaque; mkdir opaque`)
	if got := string(written(t, o.upper, &Options{UserXattr: true})); !strings.Contains(got, opaqueName) || strings.Contains(got, "user.overlay") {
		t.Errorf("%q", got)
	}
}

func TestLatest(t *testing.T) {
	o := newOverlay(t, someLower)
	testkit.Shell(t, o.merged, `echo x >young; echo y >old; touch -d @5 old`)
	testkit.Shell(t, o.upper+"/..", `mkdir out`)
	tar := written(t, o.upper, &Options{Latest: time.Unix(77, 0)})
	if err := os.WriteFile(o.upper+"/../layer.tar", tar, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := testkit.Shell(t, o.upper+"/..", `tar -xf layer.tar -C out; cd out; stat -c '%n %Y' old young`); got != "old 5\nyoung 77\n" {
		t.Error(got)
	}
}

// What can't be said in a layer's tar, or not without the lower directories.
func TestRefused(t *testing.T) {
	for _, row := range []struct {
		name, options, script, text string
		unsupported                 bool
	}{
		{"a name of a whiteout", "", `mkdir d; echo x >d/.wh.x`, "d/.wh.x: a file of this name", false},
		{"a whiteout of such a name", "", `mkdir ../upper/d; mknod ../upper/d/.wh..opq c 0 0`, "d/.wh..opq: a file of this name", false},
		{"a renamed directory", "redirect_dir=on", `mv usr moved`, `moved: overlayfs's attribute "redirect"`, true},
		{"a file whose data is below", "metacopy=on", `chmod 600 etc/passwd`, `etc/passwd: overlayfs's attribute "metacopy"`, true},
		{"marks within marks", "", `setfattr -n trusted.overlay.opaque -v y etc`, `etc: overlayfs's attribute "overlay.opaque"`, true},
		{"an attribute's name", "", `echo x >f; setfattr -n user.a=b -v c f`, `f: attribute "user.a=b"`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			var options []string
			if row.options != "" {
				options = append(options, row.options)
			}
			o := newOverlay(t, someLower, options...)
			testkit.Shell(t, o.merged, row.script)
			err := Write(t.Context(), io.Discard, o.upper, nil)
			if err == nil || !strings.Contains(err.Error(), row.text) || errors.Is(err, ErrUnsupported) != row.unsupported {
				t.Errorf("%v", err)
			}
		})
	}
}

// A container that runs must not be able to have files of the host read, or to hold us up.
func TestNothingFollowed(t *testing.T) {
	o := newOverlay(t, "")
	secret := t.TempDir() + "/secret"
	if err := os.WriteFile(secret, []byte("the host's"), 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.Shell(t, o.upper, `mkfifo fifo; ln -s `+secret+` file; ln -s `+t.TempDir()+` dir`)
	if got := written(t, o.upper, nil); bytes.Contains(got, []byte("the host's")) {
		t.Error("a link was followed")
	}
	if err := os.Symlink(o.upper, o.upper+"-link"); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), io.Discard, o.upper+"-link", nil); err == nil {
		t.Error("a link in place of the directory was followed")
	}
}

// As deep as a path may be, and deeper, where no tar could say it.
func TestDeep(t *testing.T) {
	o := newOverlay(t, "")
	deeper := `python3 -c '
import os
while True:
    try:
        os.chdir("d")
    except FileNotFoundError:
        break
for _ in range(%d):
    os.mkdir("d")
    os.chdir("d")'`
	testkit.Shell(t, o.upper, fmt.Sprintf(deeper, 2000))
	read := tar.NewReader(bytes.NewReader(written(t, o.upper, nil)))
	longest := 0
	for {
		h, err := read.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, len(h.Name))
	}
	if longest != 4000 {
		t.Errorf("the longest path has %d bytes", longest)
	}
	testkit.Shell(t, o.upper, fmt.Sprintf(deeper, 100))
	if err := Write(t.Context(), io.Discard, o.upper, nil); err == nil || !strings.Contains(err.Error(), "a path of more than 4096 bytes") {
		t.Errorf("%.200s", fmt.Sprint(err))
	}
}

// cutter makes a file shorter once its first bytes are there.
type cutter struct {
	path string
	seen int
}

func (c *cutter) Write(p []byte) (int, error) {
	c.seen += len(p)
	if c.seen > 600_000 {
		return len(p), os.Truncate(c.path, 600_000)
	}
	return len(p), nil
}

func TestShrinks(t *testing.T) {
	o := newOverlay(t, "")
	testkit.Shell(t, o.merged, `head -c 2000000 /dev/zero >big`)
	err := Write(t.Context(), &cutter{path: o.upper + "/big"}, o.upper, nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "big: ") {
		t.Errorf("%v", err)
	}
}

func TestCancelled(t *testing.T) {
	o := newOverlay(t, "")
	testkit.Shell(t, o.merged, `echo x >x`)
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := Write(ctx, io.Discard, o.upper, nil); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}

func TestFullDisk(t *testing.T) {
	o := newOverlay(t, "")
	testkit.Shell(t, o.merged, `head -c 2000000 /dev/zero >big`)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if err := Write(t.Context(), full, o.upper, nil); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("%v", err)
	}
}
