package tarfs_test

import (
	"regexp"
	"testing"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

func TestVersion(t *testing.T) {
	if v := tarfs.Version(); !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(v) {
		t.Errorf("Version() = %q, want major.minor.patch", v)
	}
}

func TestABI(t *testing.T) {
	if err := tarfs.CheckABI(); err != nil {
		t.Error(err)
	}
}
