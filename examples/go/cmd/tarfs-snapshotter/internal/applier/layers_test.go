package applier

import (
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

// Trees that become layers, and the options by which GNU tar writes them.
var trees = []struct{ name, script, options string }{
	{"files", `mkdir -p etc usr/lib; echo a >etc/a; head -c 3000000 /dev/urandom >usr/lib/b; : >empty; chmod 4751 etc/a
		chown 12:34 etc/a; touch -d '2001-02-03 04:05:06.123456789' usr; ln etc/a usr/hard; ln -s ../etc/a usr/soft
		mknod c c 1 3; mknod b b 8 77; mkfifo fifo; setfattr -n user.x -v y etc/a; echo p >ping; setcap cap_net_raw=ep ping`, ""},
	{"many files", `for i in {1..700}; do echo "$i" >"file-$i"; done`, ""},
	{"no data", `mkdir -p a/b; ln -s x a/l; : >empty`, ""},
	{"sparse", `truncate -s 1000000 s; for at in 0 5000 70001 999990; do printf x | dd of=s bs=1 seek=$at conv=notrunc status=none; done
		head -c 100000 /dev/urandom >t; truncate -s 3M t; echo end >>t`, "--sparse"},
	{"long names", `mkdir -p "$(printf 'directory-%.0s/' {1..30})"; echo x >"$(printf 'directory-%.0s/' {1..30})f"; echo y >"$(printf 'b\377')"`, ""},
}

// Each tree, in each form, is what GNU tar extracts when Linux mounts it; veritysetup takes its hash tree.
func TestLayers(t *testing.T) {
	for _, tree := range trees {
		t.Run(tree.name, func(t *testing.T) {
			d := newDesk(t)
			data, want := d.gnuTar(tree.script, tree.options)
			desc := d.blob(ocispec.MediaTypeImageLayerGzip, compressed(t, "gzip -1", data))
			for _, form := range []struct {
				block  uint32
				verity string
			}{{0, ""}, {512, "containerd"}, {4096, ""}, {4096, "containerd"}, {0, "containerd-4k"}} {
				a := d.applier(func(o *Options) { o.BlockSize, o.Verity = form.block, form.verity })
				dir, mounts := d.snapshot()
				made, err := a.Apply(t.Context(), desc, mounts)
				if err != nil {
					t.Fatalf("%+v: %v", form, err)
				}
				if want := (ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.FromBytes(data), Size: int64(len(data))}); made.Digest != want.Digest || made.Size != want.Size || made.MediaType != want.MediaType {
					t.Errorf("%+v: %+v, not %+v", form, made, want)
				}
				if got := testkit.Tree(t, testkit.MountLayer(t, dir+"/layer.erofs")); got != want {
					t.Errorf("%+v: mounted\n%sextracted\n%s", form, testkit.Difference(got, want), testkit.Difference(want, got))
				}
				verified(t, dir, form.verity)
			}
		})
	}
}

// verified has veritysetup check the hash tree by the sidecar, as containerd would open it.
func verified(t *testing.T, dir, preset string) {
	t.Helper()
	if preset == "" {
		if got := files(t, dir); got != "layer.erofs" {
			t.Errorf("there are %s", got)
		}
		return
	}
	if got := files(t, dir); got != "layer.erofs layer.erofs.dmverity" {
		t.Errorf("there are %s", got)
	}
	if _, err := exec.LookPath("veritysetup"); err != nil {
		testkit.Without(t, "veritysetup")
	}
	var sidecar struct {
		RootHash   string
		HashOffset int64
	}
	text, err := os.ReadFile(dir + "/layer.erofs.dmverity")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &sidecar); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	testkit.Shell(t, dir, "veritysetup verify --hash-offset "+strconv.FormatInt(sidecar.HashOffset, 10)+" layer.erofs layer.erofs "+sidecar.RootHash)
	dump := testkit.Shell(t, dir, "veritysetup dump --hash-offset "+strconv.FormatInt(sidecar.HashOffset, 10)+" layer.erofs | tr -s ' \t' ' '")
	blocks := map[string]string{"containerd": "Data block size: 512\n", "containerd-4k": "Data block size: 4096\n"}[preset]
	if !containsAll(dump, blocks) {
		t.Errorf("no %q in %s", blocks, dump)
	}
}

// Compressions, media types, and who undoes them.
func TestCompressions(t *testing.T) {
	d := newDesk(t)
	data, want := d.gnuTar(`echo a >a; head -c 2000000 /dev/urandom >b`, "")
	for _, row := range []struct{ name, mediaType, compress, gunzip string }{
		{"none", ocispec.MediaTypeImageLayer, "cat", ""},
		{"gzip by Go", ocispec.MediaTypeImageLayerGzip, "gzip", ""},
		{"gzip by igzip", ocispec.MediaTypeImageLayerGzip, "gzip", "igzip"},
		{"gzip by unpigz", ocispec.MediaTypeImageLayerGzip, "gzip", "unpigz"},
		{"gzip in two members", ocispec.MediaTypeImageLayerGzip, "python3 -c 'import sys, gzip; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(gzip.compress(d[:70000]) + gzip.compress(d[70000:]))'", ""},
		{"zstd", ocispec.MediaTypeImageLayerZstd, "zstd -q", ""},
		{"zstd as gzip", ocispec.MediaTypeImageLayerGzip, "zstd -q", ""},
		{"gzip that is not", ocispec.MediaTypeImageLayerGzip, "cat", ""},
		{"docker", "application/vnd.docker.image.rootfs.diff.tar.gzip", "gzip", ""},
		{"docker without suffix", "application/vnd.docker.image.rootfs.diff.tar", "gzip", ""},
		{"foreign", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "gzip", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.gunzip != "" {
				if _, err := exec.LookPath(row.gunzip); err != nil {
					testkit.Without(t, row.gunzip)
				}
			}
			desc := d.blob(row.mediaType, compressed(t, row.compress, data))
			dir, mounts := d.snapshot()
			a := d.applier(func(o *Options) { o.Gunzip = row.gunzip })
			if _, err := a.Apply(t.Context(), desc, mounts); err != nil {
				t.Fatal(err)
			}
			if got := testkit.Tree(t, testkit.MountLayer(t, dir+"/layer.erofs")); got != want {
				t.Errorf("mounted\n%sextracted\n%s", got, want)
			}
		})
	}
}

// Tars without a file in them, which images have.
func TestEmptyLayers(t *testing.T) {
	for _, size := range []int{0, 512, 1024, 10240} {
		d := newDesk(t)
		data := make([]byte, size)
		for _, preset := range []string{"", "containerd", "containerd-4k"} {
			dir, mounts := d.snapshot()
			made, err := d.applier(func(o *Options) { o.Verity = preset }).Apply(t.Context(), d.blob(ocispec.MediaTypeImageLayer, data), mounts)
			if err != nil {
				t.Fatalf("%d bytes, %q: %v", size, preset, err)
			}
			if made.Digest != digest.FromBytes(data) {
				t.Errorf("%d bytes: %v", size, made)
			}
			if got := testkit.Tree(t, testkit.MountLayer(t, dir+"/layer.erofs")); got != "" {
				t.Errorf("%d bytes: %s", size, got)
			}
			verified(t, dir, preset)
		}
	}
}

// Whiteouts have overlayfs's form, as its lower directories need them.
func TestWhiteouts(t *testing.T) {
	d := newDesk(t)
	data, _ := d.gnuTar(`mkdir -p d/opaque; : >d/.wh.gone; : >d/opaque/.wh..wh..opq; echo new >d/opaque/new`, "")
	dir, mounts := d.snapshot()
	if _, err := d.applier(nil).Apply(t.Context(), d.blob(ocispec.MediaTypeImageLayer, data), mounts); err != nil {
		t.Fatal(err)
	}
	work := testkit.Tmpfs(t, 0)
	testkit.Shell(t, work, `mkdir -p lower/d/opaque merged; echo x >lower/d/gone; echo x >lower/d/stays; echo x >lower/d/opaque/old`)
	testkit.Mount(t, work+"/merged", "overlay", "overlay", "lowerdir="+testkit.MountLayer(t, dir+"/layer.erofs")+":"+work+"/lower")
	if got := testkit.Shell(t, work+"/merged", `find . -type f | sort`); got != "./d/opaque/new\n./d/stays\n" {
		t.Error(got)
	}
}

// The UUID is the one that containerd's own differ gives.
func TestUUID(t *testing.T) {
	d := newDesk(t)
	desc := d.blob(ocispec.MediaTypeImageLayer, make([]byte, 1024))
	dir, mounts := d.snapshot()
	if _, err := d.applier(nil).Apply(t.Context(), desc, mounts); err != nil {
		t.Fatal(err)
	}
	got := testkit.Shell(t, dir, `dd if=layer.erofs bs=1 skip=$((1024 + 48)) count=16 status=none | od -An -tx1 | tr -d ' \n'`)
	want := testkit.Shell(t, dir, `python3 -c 'import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, "erofs:blobs/`+desc.Digest.String()+`").hex, end="")'`)
	if got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
