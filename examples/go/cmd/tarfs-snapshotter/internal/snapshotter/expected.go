package snapshotter

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
)

// labelRoot is a label by which a caller says which root hash the image of a container or view must have. containerd hands
// on labels of this prefix alone.
const labelRoot = "containerd.io/snapshot/tarfs-root"

// expected refuses an image that has not the root hash that a snapshot's label names, or whose root hash the policy does
// not name. The file is read each time, so a change of it counts at once.
func (s *Snapshotter) expected(info snapshots.Info, disk store.Disk) error {
	root := disk.Root()
	if label := info.Labels[labelRoot]; label != "" {
		want, ok := asRoot(label)
		switch {
		case !ok:
			return fmt.Errorf("label %s: %q is no root hash of 64 hex digits in lower case: %w", labelRoot, label, errdefs.ErrInvalidArgument)
		case root == "":
			return fmt.Errorf("label %s wants the root hash %s, and export_mode %q gives images none: %w", labelRoot, want,
				s.options.ExportMode, errdefs.ErrFailedPrecondition)
		case root != want:
			return fmt.Errorf("the image has the root hash %s, and label %s wants %s: %w", root, labelRoot, want, errdefs.ErrFailedPrecondition)
		}
	}
	path := s.options.ExpectedRoots
	if path == "" {
		return nil
	}
	roots, err := readRoots(path)
	if err != nil {
		return fmt.Errorf("expected roots: %w", err)
	}
	if !roots[root] {
		return fmt.Errorf("the image has the root hash %s, which is not in %s: %w", root, path, errdefs.ErrFailedPrecondition)
	}
	return nil
}

// IsExpected says whether a file of root hashes lists one, "sha256:HEX".
func IsExpected(path, root string) (bool, error) {
	roots, err := readRoots(path)
	return roots[root], err
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
		root, ok := asRoot(fields[0])
		if !ok {
			return nil, fmt.Errorf("%s: line %d: %q is no root hash of 64 hex digits in lower case", path, number, fields[0])
		}
		roots[root] = true
	}
	return roots, lines.Err()
}

// asRoot is "sha256:HEX" of that or of HEX alone.
func asRoot(text string) (root string, ok bool) {
	hex := strings.TrimPrefix(text, "sha256:")
	return "sha256:" + hex, len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}
