package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/metrics"
)

// The README has containerd's configuration as the file has it, all keys of ours, and all metrics.
func TestREADME(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, path := range []string{"contrib/containerd.toml", "contrib/containerd-snapshotter.toml", "contrib/containerd-cri.toml", "contrib/containerd-runtime-class.toml"} {
		if want := lines(t, path); !strings.Contains(text, "```toml\n"+want+"```") {
			t.Errorf("not what %s says:\n%s", path, want)
		}
	}
	section := ""
	for line := range strings.Lines(lines(t, "contrib/config.toml")) {
		if table := regexp.MustCompile(`^\[(.*)\]`).FindStringSubmatch(line); table != nil {
			section = table[1] + "."
		} else if key, _, ok := strings.Cut(line, " = "); ok && !strings.Contains(text, "\n| `"+section+key+"` | ") {
			t.Errorf("no key %s%s", section, key)
		}
	}
	ours := make(chan *prometheus.Desc, 1000)
	metrics.New().Registry.Describe(ours)
	close(ours)
	for d := range ours {
		name := regexp.MustCompile(`fqName: "(tarfs_[a-z_]*)"`).FindStringSubmatch(d.String())
		if name != nil && !strings.Contains(text, "`"+name[1]) {
			t.Errorf("no metric %s", name[1])
		}
	}
}

// lines are those of a file that are no comments; of several empty ones in a row, one.
func lines(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(string(data), "")
	return strings.TrimLeft(regexp.MustCompile(`\n\n+`).ReplaceAllString(text, "\n\n"), "\n")
}
