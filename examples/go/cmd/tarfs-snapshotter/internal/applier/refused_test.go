package applier

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/testkit"
)

func containsAll(text string, all ...string) bool {
	for _, one := range all {
		if !strings.Contains(text, one) {
			return false
		}
	}
	return true
}

// Mounts that are not a snapshot of containerd's EROFS snapshotter, or no longer to be written.
func TestMounts(t *testing.T) {
	d := newDesk(t)
	desc := d.blob(ocispec.MediaTypeImageLayer, make([]byte, 1024))
	dir, mine := d.snapshot()
	other := testkit.Dir(t)
	lower := mount.Mount{Type: "erofs", Source: dir + "-lower/layer.erofs", Options: []string{"ro", "loop"}}
	overlay := func(kind string, options ...string) []mount.Mount {
		return []mount.Mount{lower, {Type: kind, Source: "overlay", Options: options}}
	}
	linked := testkit.Dir(t)
	testkit.Shell(t, linked, "mkdir fs; ln -s /etc/passwd .erofslayer")
	for _, row := range []struct {
		name   string
		mounts []mount.Mount
		want   error
	}{
		{"none", nil, errdefs.ErrNotImplemented},
		{"another snapshotter's", []mount.Mount{{Type: "bind", Source: other + "/fs"}}, errdefs.ErrNotImplemented},
		{"a link in place of the mark", []mount.Mount{{Type: "bind", Source: linked + "/fs"}}, errdefs.ErrNotImplemented},
		{"a relative path", []mount.Mount{{Type: "bind", Source: "fs"}}, errdefs.ErrNotImplemented},
		{"another type", []mount.Mount{{Type: "ext4", Source: dir + "/fs"}}, errdefs.ErrNotImplemented},
		{"overlay of others", overlay("overlay", "upperdir="+other+"/fs"), errdefs.ErrNotImplemented},
		{"read-only bind", []mount.Mount{{Type: "bind", Source: dir + "/fs", Options: []string{"ro", "rbind"}}}, errdefs.ErrFailedPrecondition},
		{"a layer that is there", []mount.Mount{{Type: "erofs", Source: dir + "/layer.erofs", Options: []string{"ro"}}}, errdefs.ErrFailedPrecondition},
		{"without parents", mine, nil},
		{"over parents", overlay("format/mkdir/overlay", "workdir="+dir+"/work", "upperdir="+dir+"/fs", "lowerdir={{ mount 0 }}"), nil},
		{"with default_size", []mount.Mount{
			{Type: "mkfs/ext4", Source: dir + "/rwlayer.img", Options: []string{"rw", "loop"}},
			{Type: "format/mkdir/bind", Source: "{{ mount 0 }}/upper", Options: []string{"rw", "rbind"}}}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := d.applier(nil).Apply(t.Context(), desc, row.mounts)
			if !errors.Is(err, row.want) {
				t.Errorf("%v, not %v", err, row.want)
			}
			made := files(t, dir) == "layer.erofs"
			if made != (row.want == nil) {
				t.Errorf("there are %q", files(t, dir))
			}
			os.Remove(dir + "/layer.erofs")
		})
	}
}

// Types of blobs that another differ may know.
func TestMediaTypes(t *testing.T) {
	d := newDesk(t)
	for _, kind := range []string{"", "application/vnd.erofs.layer.v1", "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "text/plain"} {
		dir, mounts := d.snapshot()
		_, err := d.applier(nil).Apply(t.Context(), d.blob(kind, make([]byte, 1024)), mounts)
		if !errdefs.IsNotImplemented(err) || files(t, dir) != "" {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

// What is wrong with a blob is said with its digest and the cause, and nothing is left.
func TestFailures(t *testing.T) {
	d := newDesk(t)
	data, _ := d.gnuTar(`echo a >a; head -c 700000 /dev/urandom >b`, "")
	zipped := compressed(t, "gzip", data)
	gzip := ocispec.MediaTypeImageLayerGzip
	flipped := append([]byte{}, zipped...)
	flipped[len(flipped)/2] ^= 1
	linked, _ := d.gnuTar(`echo a >a; ln a b; echo c >c`, "--sort=name")
	pending := compressed(t, "tar --delete ./a", linked)
	unknown, _ := d.gnuTar(`echo a >a`, "--pax-option=SCHILY.xattr.com.apple.x=y")
	gunzips := []string{""}
	for _, name := range []string{"igzip", "unpigz"} {
		if testkit.Shell(t, "/", "command -v "+name+" || true") != "" {
			gunzips = append(gunzips, name)
		}
	}
	for _, row := range []struct {
		name string
		kind string
		data []byte
		// What happens to the blob once its digest is known.
		spoil  func(path string) error
		change func(o *Options)
		text   string
	}{
		{"other bytes", gzip, zipped, func(p string) error { return os.WriteFile(p, flipped, 0o600) }, nil, "is not what its digest says"},
		{"other bytes of a tar", ocispec.MediaTypeImageLayer, data, func(p string) error { return os.WriteFile(p, random(len(data)), 0o600) }, nil, "is not what its digest says"},
		{"a blob cut short", gzip, zipped, func(p string) error { return os.Truncate(p, 1000) }, nil, "has 1000 bytes, and should have"},
		{"no blob", gzip, zipped, os.Remove, nil, "no such file"},
		{"a link", gzip, zipped, func(p string) error { return errors.Join(os.Rename(p, p+"x"), os.Symlink(p+"x", p)) }, nil, "too many levels of symbolic links"},
		{"a directory", gzip, zipped, func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) }, nil, "not a regular file"},
		{"gzip cut short", gzip, zipped[:len(zipped)-9], nil, nil, ""},
		{"gzip with a wrong checksum", gzip, append(append([]byte{}, zipped[:len(zipped)-8]...), 1, 2, 3, 4, 5, 6, 7, 8), nil, nil, ""},
		{"gzip of half a tar", gzip, compressed(t, "gzip", data[:300_000]), nil, nil, "short"},
		{"zstd cut short", ocispec.MediaTypeImageLayerZstd, compressed(t, "zstd -q", data)[:100_000], nil, nil, "unexpected EOF"},
		{"no tar", gzip, compressed(t, "gzip", random(5000)), nil, nil, "(at byte 0)"},
		{"a hard link to nothing", gzip, compressed(t, "gzip", pending), nil, nil, "./b"},
		{"too many entries", gzip, zipped, nil, func(o *Options) { o.Limits.MaxEntries = 1 }, "2 entries are over the limit max_entries of 1"},
		{"too many inodes", gzip, zipped, nil, func(o *Options) { o.Limits.MaxInodes = 2 }, "3 inodes are over the limit max_inodes of 2"},
		{"too large", gzip, zipped, nil, func(o *Options) { o.MaxLayerBytes = 600_000 }, "max_layer_bytes allows: 600000 bytes"},
		{"strict", gzip, compressed(t, "gzip", unknown), nil, func(o *Options) { o.Strict = true }, "com.apple.x"},
		{"no program", gzip, zipped, nil, func(o *Options) { o.Gunzip = "/nonexistent" }, "/nonexistent"},
		{"a program that fails", gzip, zipped, nil, func(o *Options) { o.Gunzip = "false" }, "false: exit status 1"},
	} {
		for _, gunzip := range gunzips {
			t.Run(row.name+" "+gunzip, func(t *testing.T) {
				desc := d.blob(row.kind, row.data)
				defer os.RemoveAll(d.blobPath(desc))
				if row.spoil != nil {
					if err := row.spoil(d.blobPath(desc)); err != nil {
						t.Fatal(err)
					}
				}
				dir, mounts := d.snapshot()
				a := d.applier(func(o *Options) {
					o.Gunzip, o.Verity = gunzip, "containerd"
					if row.change != nil {
						row.change(o)
					}
				})
				_, err := a.Apply(t.Context(), desc, mounts)
				if err == nil || !containsAll(err.Error(), desc.Digest.String(), row.text) || errdefs.IsNotImplemented(err) {
					t.Errorf("%v", err)
				}
				t.Log(err)
				if left := files(t, dir); left != "" {
					t.Errorf("left: %s", left)
				}
			})
		}
	}
}

// However much room a disk has, a layer is made, or nothing is left and the error says why.
func TestFullDisk(t *testing.T) {
	data := tarOf(t, 3<<20)
	zipped := compressed(t, "gzip -1", data)
	for _, verity := range []string{"", "containerd", "containerd-4k"} {
		made, refused := 0, 0
		for room := 4 << 20; room < 15<<20; room += 256 << 10 {
			d := deskIn(t, testkit.Tmpfs(t, int64(room)))
			desc := d.blob(ocispec.MediaTypeImageLayerGzip, zipped)
			dir, mounts := d.snapshot()
			_, err := d.applier(func(o *Options) { o.Verity = verity }).Apply(t.Context(), desc, mounts)
			if err == nil {
				made++
				verified(t, dir, verity)
				continue
			}
			refused++
			if !containsAll(err.Error(), desc.Digest.String(), "o space left", dir) {
				t.Errorf("%q, room for %d bytes: %v", verity, room, err)
			}
			if left := files(t, dir); left != "" {
				t.Errorf("%q, room for %d bytes: left: %s", verity, room, left)
			}
		}
		if made < 4 || refused < 4 {
			t.Errorf("%q: %d made, %d refused: too few to show anything", verity, made, refused)
		}
	}
}

// tarOf is a tar with one file of so many bytes that do not compress.
func tarOf(t testing.TB, bytes int) []byte {
	dir := testkit.Dir(t)
	if err := os.WriteFile(dir+"/file", random(bytes), 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.Shell(t, dir, "tar -c --format=posix -f layer.tar file")
	data, err := os.ReadFile(dir + "/layer.tar")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCancelled(t *testing.T) {
	d := newDesk(t)
	desc := d.blob(ocispec.MediaTypeImageLayer, tarOf(t, 1<<20))
	dir, mounts := d.snapshot()
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := d.applier(nil).Apply(ctx, desc, mounts); !errors.Is(err, why) || files(t, dir) != "" {
		t.Error(err, files(t, dir))
	}
}

// Options that could not work are refused when the daemon starts.
func TestOptions(t *testing.T) {
	for _, o := range []Options{
		{},
		{ContentRoot: "/", Concurrent: -1},
		{ContentRoot: "/", MaxLayerBytes: -1},
		{ContentRoot: "/", BlockSize: 1024},
		{ContentRoot: "/", Verity: "nydus"},
		{ContentRoot: "/", Verity: "containerd-4k", BlockSize: 512},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
