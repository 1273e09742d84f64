package tarfs_test

import (
	"os"
	"strings"
	"testing"
)

// The function in the package's documentation is the one that Example runs.
func TestTheDocumentationShowsWhatRuns(t *testing.T) {
	doc := string(must[[]byte](t)(os.ReadFile("doc.go")))
	source := string(must[[]byte](t)(os.ReadFile("example_seal_test.go")))
	var shown strings.Builder
	for line := range strings.Lines(doc) {
		if code, ok := strings.CutPrefix(line, "//\t"); ok {
			shown.WriteString(code)
		}
	}
	if shown.Len() == 0 || !strings.Contains(source, "\n"+shown.String()+"\n") {
		t.Errorf("example_seal_test.go does not have what doc.go shows:\n%s", shown.String())
	}
}
