package snapshotter

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
)

// expected refuses an image whose root hash the policy does not name. The file is read each time, so a change of it
// counts at once.
func (s *Snapshotter) expected(disk store.Disk) error {
	path := s.options.ExpectedRoots
	if path == "" || disk.Path == "" {
		return nil
	}
	root := disk.Root()
	roots, err := readRoots(path)
	if err != nil {
		return fmt.Errorf("expected roots: %w", err)
	}
	if !roots[root] {
		return fmt.Errorf("the image has the root hash %s, which is not in %s: %w", root, path, errdefs.ErrFailedPrecondition)
	}
	return nil
}

// readRoots reads root hashes, one a line, as "sha256:HEX" or HEX; what follows behind a blank is a remark, and so is a
// line that begins in #.
func readRoots(path string) (map[string]bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	roots := map[string]bool{}
	lines := bufio.NewScanner(f)
	for number := 1; lines.Scan(); number++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		hex := strings.TrimPrefix(fields[0], "sha256:")
		if len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
			return nil, fmt.Errorf("%s: line %d: %q is no root hash of 64 hex digits in lower case", path, number, fields[0])
		}
		roots["sha256:"+hex] = true
	}
	return roots, lines.Err()
}
