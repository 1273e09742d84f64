package tarfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Blocks of 4096 bytes carry copies of what a tar has on 512, in the bytes that the tool writes.
func TestLargeBlocks(t *testing.T) {
	work := workDir(t)
	layers := layersOf(t, work, testTars(t))
	var tars []string
	for i := range layers {
		tars = append(tars, layers[i].Devices[0].(*os.File).Name())
	}
	verity, err := Preset("containerd-4k")
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := filepath.Join(work, "ours"), filepath.Join(work, "theirs")
	opts := &ExportOptions{Layout: LayoutOptions{BlockSize: 4096}, Verity: verity}
	for _, mode := range Modes() {
		group, names := layers, tars
		if strings.HasPrefix(string(mode), "layer_") {
			group, names = layers[:1], tars[:1]
		}
		made, err := Export(t.Context(), mode, group, ours, opts)
		if err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		made[0].Verity.Close()
		args := []string{"export", "--mode", string(mode), "--block-size", "4096", "-o", theirs}
		if made[0].Verity != nil {
			args = append(args, "--preset", "containerd-4k")
		}
		tool(t, append(args, names...)...)
		sameFiles(t, ours, theirs)
		if mode == ImageBlock {
			mountImage(t, ours)
		}
	}
	layout, err := Plan(layers[0].Tree, &LayoutOptions{Artifact: DiskMetadataFirst, BlockSize: 4096, CopyBodies: true})
	if err != nil {
		t.Fatal(err)
	}
	defer layout.Close()
	if info := layout.Info(); info.CopiedBytes == 0 || int(info.Devices) != len(layers[0].Devices) {
		t.Errorf("%+v", info)
	}
}

// Linux would open the device, and refuse the mount.
func TestDataBlocksAboveTheFilesystems(t *testing.T) {
	work := workDir(t)
	layers := layersOf(t, work, testTars(t))
	verity, err := Preset("veritysetup")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(work, "out")
	for _, mode := range []Mode{ImageBlockWithVerity, LayerVerityOnly} {
		_, err := Export(t.Context(), mode, layers[:1], out, &ExportOptions{Verity: verity})
		if err == nil || !strings.Contains(err.Error(), "AnyDataBlock") {
			t.Errorf("%s: %v", mode, err)
		}
	}
	verity.AnyDataBlock = true
	made, err := Export(t.Context(), ImageBlockWithVerity, layers[:1], out, &ExportOptions{Verity: verity})
	if err != nil {
		t.Fatal(err)
	}
	made[0].Verity.Close()
}
