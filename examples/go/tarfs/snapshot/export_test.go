package snapshot_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/snapshot"
)

// mountDisk mounts a disk until the test ends.
func mountDisk(t *testing.T, disk string) string {
	t.Helper()
	target := t.TempDir()
	if out, err := exec.Command("mount", "-t", "erofs", "-o", "ro,loop", disk, target).CombinedOutput(); err != nil {
		t.Fatalf("mount %s: %v\n%s", disk, err, out)
	}
	t.Cleanup(func() { exec.Command("umount", target).Run() })
	return target
}

// verify has veritysetup check data by what a label says, and nothing else.
func verify(t *testing.T, data, hashes, label string) error {
	t.Helper()
	fields := strings.Split(label, ",")
	if len(fields) != 3 {
		t.Fatalf("label %q", label)
	}
	blocks, err := strconv.ParseUint(fields[0], 10, 32)
	ok(t, err)
	offset, err := strconv.ParseUint(fields[1], 10, 64)
	ok(t, err)
	root, is := strings.CutPrefix(fields[2], "sha256:")
	if !is || len(root) != 64 || blocks == 0 || offset%4096 != 0 || data == hashes && offset < 512*blocks {
		t.Fatalf("label %q", label)
	}
	out, err := exec.Command(program(t, "veritysetup"), "verify", "--no-superblock", "--format=1", "--salt=-",
		"--hash=sha256", "--data-block-size=512", "--hash-block-size=4096",
		fmt.Sprint("--data-blocks=", blocks), fmt.Sprint("--hash-offset=", offset), data, hashes, root).CombinedOutput()
	if err != nil {
		return fmt.Errorf("veritysetup: %w: %s", err, out)
	}
	return nil
}

// flip changes one bit of a copy of a file.
func flip(t *testing.T, path string, offset int64) string {
	t.Helper()
	data, err := os.ReadFile(path)
	ok(t, err)
	data[offset] ^= 1
	bent := filepath.Join(diskDir(t), "bent")
	ok(t, os.WriteFile(bent, data, 0o600))
	return bent
}

func TestExportInSixModes(t *testing.T) {
	canMount(t)
	tars := threeLayers(t)
	tars[1] = archive(t, file("etc/.wh.gone", ""), file("etc/new", noise(4, 70_000))) // no link down
	for _, mode := range tarfs.Modes() {
		t.Run(string(mode), func(t *testing.T) {
			r := newRegistry()
			m := manager(t, diskDir(t), snapshot.Options{Fetcher: r, ExportMode: mode})
			s := image(t, m, r, "s", tars...)
			name, of, want := snapshot.LabelImageBlock, s, unpacked(t, tars...)
			data, perLayer := tarfs.ImageBlock, strings.HasPrefix(string(mode), "layer_")
			if perLayer {
				name, of, want = snapshot.LabelLayerBlock, snapshot.Snapshot{ID: "s1"}, unpacked(t, tars[0])
				data = tarfs.LayerBlock
			}
			labels := map[string]string{"other": "kept"}
			fields, err := m.ExportBlockData(t.Context(), of, perLayer, labels)
			ok(t, err)
			label, set := labels[name]
			if !set || len(fields) != 1 || fields[0] != "labels."+name || len(labels) != 2 {
				t.Fatalf("fields %q, labels %q", fields, labels)
			}
			disk, err := m.Export(t.Context(), of, mode)
			ok(t, err)
			path, err := diskPath(t, m, of, perLayer)
			ok(t, err)
			if disk.Path != path || disk.Label != label || disk.LabelName != name {
				t.Errorf("%+v, path %s, label %q", disk, path, label)
			}
			if info, err := os.Stat(path); err != nil || info.Size() != disk.Bytes {
				t.Errorf("%v, %v, want %d bytes", info, err, disk.Bytes)
			}
			if !strings.HasSuffix(string(mode), "_verity_only") {
				sameTree(t, mountDisk(t, disk.Path), want)
			}
			switch {
			case strings.HasSuffix(string(mode), "_with_verity"):
				ok(t, verify(t, path, path, label))
				bent := flip(t, path, 2000)
				if verify(t, bent, bent, label) == nil {
					t.Error("a bit more or less, says veritysetup")
				}
			case strings.HasSuffix(string(mode), "_verity_only"):
				plain, err := m.Export(t.Context(), of, data)
				ok(t, err)
				ok(t, verify(t, plain.Path, path, label))
				if verify(t, flip(t, plain.Path, 2000), path, label) == nil {
					t.Error("a bit more or less, says veritysetup")
				}
			case label != "":
				t.Errorf("no verity, and label %q", label)
			}
		})
	}
}

func diskPath(t *testing.T, m *snapshot.Manager, s snapshot.Snapshot, perLayer bool) (string, error) {
	if perLayer {
		return m.LayerDiskPath(t.Context(), s.ID)
	}
	return m.ImageDiskPath(t.Context(), s)
}

// The label is set by every call, by whichever manager: a container without it falls back to an
// unverified mount.
func TestLabelsAreSetAgain(t *testing.T) {
	r, root := newRegistry(), t.TempDir()
	options := snapshot.Options{Fetcher: r, Fetch: quick, ExportMode: tarfs.ImageBlockWithVerity}
	var first string
	var made os.FileInfo
	for round := range 3 {
		m, err := snapshot.NewManager(root, options)
		ok(t, err)
		s := image(t, m, r, "s", threeLayers(t)...)
		for range 2 {
			labels := map[string]string{}
			fields, err := m.ExportBlockData(t.Context(), s, false, labels)
			ok(t, err)
			label := labels[snapshot.LabelImageBlock]
			path, err := m.ImageDiskPath(t.Context(), s)
			ok(t, err)
			info, err := os.Stat(path)
			ok(t, err)
			if first == "" {
				first, made = label, info
			}
			if label == "" || label != first || len(fields) != 1 {
				t.Errorf("round %d: label %q, first %q, fields %q", round, label, first, fields)
			}
			if !os.SameFile(info, made) || !info.ModTime().Equal(made.ModTime()) {
				t.Errorf("round %d: the disk was made again", round)
			}
		}
		if round == 1 { // pulled again
			for _, id := range s.ParentIDs {
				ok(t, m.DetachLayer(id))
			}
		}
		ok(t, m.Close())
	}
}

// Two images with the same topmost layer have two disks, two labels, two mounts.
func TestImagesThatShareALayerDoNotCollide(t *testing.T) {
	canMount(t)
	top := archive(t, file("top", noise(1, 3000)))
	tars := [][][]byte{
		{archive(t, file("base", "one")), top},
		{archive(t, file("base", noise(2, 7000))), top},
		{top},
		{top, archive(t, file("base", "one"))},
	}
	r, root := newRegistry(), diskDir(t)
	m := manager(t, root, snapshot.Options{Fetcher: r, ExportMode: tarfs.ImageBlockWithVerity})
	seen := map[string]bool{}
	for i, tars := range tars {
		s := image(t, m, r, fmt.Sprint("s", i, "-"), tars...)
		labels := map[string]string{}
		_, err := m.ExportBlockData(t.Context(), s, false, labels)
		ok(t, err)
		label := labels[snapshot.LabelImageBlock]
		disk, err := m.ImageDiskPath(t.Context(), s)
		ok(t, err)
		if seen[label] || seen[disk] {
			t.Errorf("image %d: label %s or disk %s is another's", i, label, disk)
		}
		seen[label], seen[disk] = true, true
		ok(t, verify(t, disk, disk, label))
		want := unpacked(t, tars...)
		sameTree(t, mountDisk(t, disk), want)
		target, err := m.MountTarErofs(t.Context(), s.ID, s)
		ok(t, err)
		sameTree(t, target, want)
	}
	if n := r.called(sha(top)); n != 1 {
		t.Errorf("the shared layer was fetched %d times", n)
	}
}

func TestExportOfTheOtherKind(t *testing.T) {
	for mode, quirk := range map[tarfs.Mode]bool{
		"": false, tarfs.LayerBlock: true, tarfs.LayerBlockWithVerity: false, tarfs.LayerVerityOnly: false,
		tarfs.ImageBlock: false, tarfs.ImageBlockWithVerity: false, tarfs.ImageVerityOnly: false,
	} {
		r := newRegistry()
		m := manager(t, t.TempDir(), snapshot.Options{Fetcher: r, ExportMode: mode})
		s := image(t, m, r, "s", archive(t, file("a", "a")))
		labels := map[string]string{}
		fields, err := m.ExportBlockData(t.Context(), s, strings.HasPrefix(string(mode), "image_"), labels)
		ok(t, err)
		label, set := labels[snapshot.LabelLayerBlock]
		if quirk && (!set || label != "" || len(fields) != 1) || !quirk && len(fields)+len(labels) != 0 {
			t.Errorf("%q: fields %q, labels %q", mode, fields, labels)
		}
		if _, err := diskPath(t, m, s, strings.HasPrefix(string(mode), "image_")); !errors.Is(err, snapshot.ErrInvalid) {
			t.Errorf("%q: path of a disk of the other kind: %v", mode, err)
		}
	}
	if _, err := snapshot.NewManager(t.TempDir(), snapshot.Options{Fetcher: newRegistry(), ExportMode: "none"}); !errors.Is(err, snapshot.ErrInvalid) {
		t.Errorf("mode none: %v", err)
	}
}

// A tar that someone cut is an error, not a disk with something else in it.
func TestExportOfACutTar(t *testing.T) {
	r, root := newRegistry(), t.TempDir()
	m := manager(t, root, snapshot.Options{Fetcher: r})
	data := archive(t, file("a", noise(1, 900_000)))
	s := image(t, m, r, "s", data)
	ok(t, os.Truncate(filepath.Join(root, "layers", sum(data), "tar"), 500_000))
	for _, mode := range tarfs.Modes() {
		if _, err := m.Export(t.Context(), snapshot.Snapshot{ID: "s1", ParentIDs: s.ParentIDs}, mode); err == nil {
			t.Errorf("%s: exported", mode)
		}
	}
	left, err := os.ReadDir(filepath.Join(root, "disks"))
	ok(t, err)
	if len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
