package tarfs_test

import (
	"bytes"
	"os/exec"
	"testing"
)

// gnuTar archives names below dir by GNU tar.
func gnuTar(t testing.TB, dir, format string, args ...string) []byte {
	t.Helper()
	fixed := []string{"-c", "-C", dir, "--format=" + format, "--mtime=@1700000000.5", "--sort=name",
		"--pax-option=delete=atime,delete=ctime", "--owner=5", "--group=6", "--numeric-owner"}
	if format != "posix" {
		fixed = append(fixed[:6:6], fixed[7:]...)
	}
	command := exec.Command("tar", append(fixed, args...)...)
	var out, failed bytes.Buffer
	command.Stdout, command.Stderr = &out, &failed
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", command.Args, err, failed.String())
	}
	return out.Bytes()
}
