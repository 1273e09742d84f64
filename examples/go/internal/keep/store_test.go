package keep

import (
	"os"
	"path/filepath"
	"testing"
)

// What can't be looked at is not taken for absent: a snapshot whose layer can't be seen for a moment is not lost.
func TestHasOfWhatCanNotBeSeen(t *testing.T) {
	s := &Store{Root: t.TempDir()}
	if has, err := s.Has("layers", "a"); has || err != nil {
		t.Errorf("of a directory that is not there: %v, %v", has, err)
	}
	// A link to itself: ELOOP.
	if err := os.Symlink("layers", filepath.Join(s.Root, "layers")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Has("layers", "a"); err == nil {
		t.Error("what can't be looked at is taken for absent")
	}
}
