package tarfs

import (
	"os"
	"path/filepath"
	"testing"
)

// Every form and kind of partitions, as the tool makes it.
func TestExportInAllForms(t *testing.T) {
	work := workDir(t)
	tars := testTars(t)
	names := make([]string, len(tars))
	for i, tar := range tars {
		names[i] = filepath.Join(work, string(rune('a'+i))+".tar")
		if err := os.WriteFile(names[i], tar, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, mode := range Modes() {
		group := Tars(names...)
		if !modes[mode] {
			group = group[:1]
		}
		for _, form := range []Form{"", FormRaw, FormVMDK, FormDMLinear} {
			for _, partitions := range []Partitions{"", PartitionsLinux, PartitionsRoot, PartitionsUsr} {
				what := string(mode) + " " + string(form) + " " + string(partitions)
				// They are called alike, as forms name their files by where they lie.
				ours, theirs := filepath.Join(work, "ours"), filepath.Join(work, "theirs")
				for _, dir := range []string{ours, theirs} {
					if err := os.Mkdir(dir, 0o700); err != nil {
						t.Fatal(err)
					}
				}
				opts := &ExportOptions{Form: form, Partitions: partitions, Architecture: "amd64"}
				made, err := Export(t.Context(), mode, group, filepath.Join(ours, "out"), opts)
				if plain := form == "" || form == FormRaw; !plain || partitions != "" {
					if mode == LayerVerityOnly || mode == ImageVerityOnly {
						if err == nil {
							t.Errorf("%s: no error", what)
						}
						err, made = nil, nil
					}
				}
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if made != nil {
					args := []string{"export", "--mode", string(mode), "-o", filepath.Join(theirs, "out")}
					if form != "" {
						args = append(args, "--form", string(form))
					}
					if partitions != "" {
						args = append(args, "--gpt="+string(partitions))
					}
					if partitions == PartitionsRoot || partitions == PartitionsUsr {
						args = append(args, "--platform", "linux/amd64")
					}
					tool(t, append(args, names[:len(group)]...)...)
					made[0].Verity.Close()
				}
				found, err := os.ReadDir(theirs)
				if err != nil {
					t.Fatal(err)
				}
				for _, file := range found {
					sameFiles(t, filepath.Join(ours, file.Name()), filepath.Join(theirs, file.Name()))
				}
				if all, err := os.ReadDir(ours); err != nil || len(all) != len(found) {
					t.Errorf("%s: %v, %v", what, all, err)
				}
				for _, dir := range []string{ours, theirs} {
					if err := os.RemoveAll(dir); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}
