package applier

import (
	"bytes"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/uppertar"
)

// What a container saw, a container of its commit sees: an upper directory becomes a tar, that a layer, and the
// layer in the upper directory's place shows the same, to the nanosecond and the attribute.
func TestCommitRoundTrip(t *testing.T) {
	work := testkit.Tmpfs(t, 0)
	testkit.Shell(t, work, `mkdir lower upper work merged again; cd lower; mkdir -p d/e opaque gone tofile; echo a >a; echo b >d/b
		echo c >opaque/c; echo x >gone/x; echo y >tofile/y; echo z >todir; ln a hard; setfattr -n user.old -v 1 d`)
	testkit.Mount(t, work+"/merged", "overlay", "overlay", "lowerdir="+work+"/lower,upperdir="+work+"/upper,workdir="+work+"/work")
	testkit.Shell(t, work+"/merged", `rm a; rm -r opaque gone tofile; mkdir opaque; echo new >opaque/new; echo f >tofile; rm todir; mkdir -p todir/deep
		touch -d '1969-12-31 23:59:58.000000001' tofile; chown 70000:80000 d/b; chmod 6711 d/b; setfattr -n user.new -v 2 d
		ln d/b d/e/b; mknod dev c 1 3; mkfifo fifo; ln -s a dangling; echo cap >cap; setcap cap_net_raw=ep cap; setfacl -m u:5:r cap
		setfattr -n trusted.mine -v 3 cap; head -c 300000 /dev/urandom >big; mv big d/moved`)
	var tar bytes.Buffer
	if err := uppertar.Write(t.Context(), &tar, work+"/upper", nil); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	dir, mounts := d.snapshot()
	if _, err := d.applier(nil).Apply(t.Context(), d.blob(ocispec.MediaTypeImageLayer, tar.Bytes()), mounts); err != nil {
		t.Fatal(err)
	}
	testkit.Mount(t, work+"/again", "overlay", "overlay", "lowerdir="+testkit.MountLayer(t, dir+"/layer.erofs")+":"+work+"/lower")
	want, got := testkit.Tree(t, work+"/merged"), testkit.Tree(t, work+"/again")
	if want != got {
		t.Errorf("the container saw\n%s\nthat of its commit sees\n%s", testkit.Difference(want, got), testkit.Difference(got, want))
	}
	if got := testkit.Shell(t, work+"/again", "getfattr -n trusted.mine --only-values cap"); got != "3" {
		t.Error(got)
	}
}
