package tarfs

import (
	"regexp"
	"testing"
)

func TestVersion(t *testing.T) {
	if v := Version(); !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(v) {
		t.Errorf("Version() = %q, want major.minor.patch", v)
	}
}

func TestABI(t *testing.T) {
	if err := CheckABI(); err != nil {
		t.Error(err)
	}
}
