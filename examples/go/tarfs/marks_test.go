package tarfs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// What others write down of sealed data, and what they have no words for.
func TestMarks(t *testing.T) {
	root := [32]byte{0xab}
	params, err := tarfs.Preset("containerd-4k")
	ok(t, err)
	params.Placement = tarfs.HashBehindData
	sealed := must[*tarfs.Sealed](t)(tarfs.NewSealed(params, 1<<20, root))
	defer sealed.Close()
	annotations, err := sealed.ErofsAnnotations()
	ok(t, err)
	for key, want := range map[string]string{
		"hash_offset": "1048576", "root_digest": "sha256:" + sealed.RootHex(), "block_size": "4096",
	} {
		if got := annotations["org.erofs.dmverity."+key]; got != want {
			t.Errorf("%s: %q, not %q", key, got, want)
		}
	}
	options, err := sealed.KataOptions()
	ok(t, err)
	if want := "X-kata.dmverity.roothash=" + sealed.RootHex(); len(options) != 4 || options[1] != want {
		t.Errorf("%q", options)
	}
	behind := &tarfs.VerityParams{Placement: tarfs.HashBehindData} // else as nydus
	nydus := must[*tarfs.Sealed](t)(tarfs.NewSealed(behind, 1<<20, root))
	defer nydus.Close()
	if _, err := nydus.ErofsAnnotations(); err == nil || !strings.Contains(err.Error(), "another size") {
		t.Errorf("annotations of 512/4096: %v", err)
	}
	if _, err := nydus.KataOptions(); err == nil || !strings.Contains(err.Error(), "4096/4096") {
		t.Errorf("options of 512/4096: %v", err)
	}
}

// containerd's fsmeta.erofs: a device for each file of a layer, as long as the file is.
func TestWholeFiles(t *testing.T) {
	tree, sources := image(t)
	layout := must[*tarfs.Layout](t)(tarfs.Plan(tree, &tarfs.LayoutOptions{Artifact: tarfs.DiskDataFirst}))
	defer layout.Close()
	var disk memory
	ok(t, layout.WriteDisk(t.Context(), sources, &disk))
	disk = append(disk, make([]byte, 12288)...) // as a hash tree
	var trees []*tarfs.Tree
	for range 2 {
		image := must[*tarfs.Image](t)(tarfs.OpenImage(disk, int64(len(disk))))
		defer image.Close()
		tree := must[*tarfs.Tree](t)(image.Tree(&tarfs.ImageOptions{WholeFile: true}))
		defer tree.Close()
		trees = append(trees, tree)
	}
	merged := must[*tarfs.Tree](t)(tarfs.Merge(trees, &tarfs.MergeOptions{DevicePerLayer: true}))
	defer merged.Close()
	devices, err := merged.Devices()
	ok(t, err)
	if len(devices) != 2 {
		t.Fatalf("%d devices", len(devices))
	}
	for _, device := range devices {
		if device.Bytes != uint64(len(disk)) || device.BaseOffset != 0 {
			t.Errorf("%d bytes from %d on, of a file of %d", device.Bytes, device.BaseOffset, len(disk))
		}
	}
	if got, want := list(t, merged.FS(disk, disk)), list(t, tree.FS(sources...)); !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	// A bootstrap's data is in other files.
	small := memory(bootstrap(t, tree))
	image := must[*tarfs.Image](t)(tarfs.OpenImage(small, int64(len(small))))
	defer image.Close()
	if _, err := image.Tree(&tarfs.ImageOptions{WholeFile: true}); err == nil {
		t.Error("a bootstrap as one device")
	}
}
