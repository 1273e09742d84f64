package tarfs_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// Two layers with one tag and one length are two devices, and an export has the bytes of each.
func TestTagsMakeNoDevicesOne(t *testing.T) {
	one, two := archive(t, fileEntry("one", "first")), archive(t, fileEntry("two", "other"))
	if len(one) != len(two) {
		t.Fatal("the tars are not of one length")
	}
	digest := strings.Repeat("a", 64)
	for _, test := range []struct {
		tag            string
		checked, trust bool
		devices        int
	}{
		{"layer", false, false, 2},
		{"layer", false, true, 2},
		{"", false, false, 2},
		{digest, false, false, 2},
		{digest, false, true, 1},
		{digest, true, false, 1},
	} {
		options := &tarfs.LayerOptions{Tag: test.tag, TagChecked: test.checked}
		layers := []*tarfs.Tree{index(t, one, options).Tree, index(t, two, options).Tree}
		merge := &tarfs.MergeOptions{TrustTags: test.trust}
		image := must[*tarfs.Tree](t)(tarfs.Merge(layers, merge))
		devices := must[[]tarfs.Device](t)(image.Devices())
		if len(devices) != test.devices {
			t.Errorf("%+v: %d devices", test, len(devices))
		}
		for i, device := range devices {
			if want := (tarfs.Origin{Layer: i}); device.Origin != want {
				t.Errorf("%+v: device %d comes from %+v", test, i, device.Origin)
			}
		}
		image.Close()
	}
	if _, err := tarfs.NewLayerWriter(t.Context(), &tarfs.LayerOptions{Tag: "layer", TagChecked: true}); err == nil {
		t.Error("a tag that is no digest was taken for a checked one")
	}

	path := t.TempDir() + "/disk"
	options := &tarfs.LayerOptions{Tag: "layer"}
	exported := must[[]tarfs.Exported](t)(tarfs.Export(t.Context(), tarfs.ImageBlock, []tarfs.Source{
		{Tree: index(t, one, options).Tree, Devices: []io.ReaderAt{strings.NewReader(string(one))}},
		{Tree: index(t, two, options).Tree, Devices: []io.ReaderAt{strings.NewReader(string(two))}},
	}, path, nil))
	closeExported(exported)
	f := must[*os.File](t)(os.Open(path))
	defer f.Close()
	image := must[*tarfs.Image](t)(tarfs.OpenImage(f, 0))
	defer image.Close()
	seen := must[*tarfs.FS](t)(image.FS(f, f))
	defer seen.Close()
	for name, want := range map[string]string{"one": "first", "two": "other"} {
		if got := string(must[[]byte](t)(fs.ReadFile(seen, name))); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A link of a lower layer is replaced, which is noted, or followed.
func TestMergeNotes(t *testing.T) {
	lower := index(t, archive(t, dirEntry("usr/lib/"), linkEntry('2', "lib", "usr/lib")), nil).Tree
	upper := index(t, archive(t, fileEntry("lib/new", "x")), nil).Tree
	for _, follow := range []bool{false, true} {
		var notes []tarfs.Note
		image := must[*tarfs.Tree](t)(tarfs.Merge([]*tarfs.Tree{lower, upper}, &tarfs.MergeOptions{
			FollowLowerLinks: follow,
			Note:             func(note tarfs.Note) { notes = append(notes, note) },
		}))
		path := "lib/new"
		if follow {
			path = "usr/lib/new"
		}
		if _, err := fs.Stat(image.FS(), path); err != nil {
			t.Error(err)
		}
		switch {
		case follow && len(notes) != 0:
			t.Errorf("notes %+v", notes)
		case !follow && (len(notes) != 1 || notes[0].Kind != tarfs.LinkReplaced || notes[0].Layer != 1 ||
			notes[0].Path != "lib" || !strings.Contains(notes[0].Text, "usr/lib")):
			t.Errorf("notes %+v", notes)
		}
		image.Close()
	}
	defer func() {
		if got := fmt.Sprint(recover()); got != "note" {
			t.Errorf("the panic of a callback came back as %s", got)
		}
	}()
	tarfs.Merge([]*tarfs.Tree{lower, upper}, &tarfs.MergeOptions{Note: func(tarfs.Note) { panic("note") }})
	t.Error("the panic of a callback is lost")
}
