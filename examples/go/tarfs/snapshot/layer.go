package snapshot

import (
	"fmt"
	"strings"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"
)

// Layer says which layer a snapshot is of.
type Layer struct {
	// Ref is handed to the fetcher as it is: an image reference, usually.
	Ref string
	// Manifest is the digest of the image's manifest. It is needed only if DiffID is empty.
	Manifest string
	// Digest is that of the blob to fetch, such as "sha256:…", compressed or not.
	Digest string
	// DiffID is the digest of the uncompressed tar. If it is empty, it is looked up in the image's
	// config, which the manifest names.
	DiffID string
}

// Snapshot says what a snapshot stands on, as containerd's storage.Snapshot does.
type Snapshot struct {
	ID string
	// ParentIDs has the topmost layer first, the lowest last.
	ParentIDs []string
}

const algorithm = "sha256:"

// hexOf is the hex part of a SHA-256 digest, which is checked.
func hexOf(digest string) (string, error) {
	name, ok := strings.CutPrefix(digest, algorithm)
	if !ok || !keep.IsHash(name) {
		return "", fmt.Errorf("%w: digest %q is not sha256: and 64 lower-case hex digits", ErrInvalid, digest)
	}
	return name, nil
}

// check validates what the caller said, as far as it is said.
func (l Layer) check() error {
	if _, err := hexOf(l.Digest); err != nil {
		return err
	}
	if l.DiffID == "" {
		_, err := hexOf(l.Manifest)
		return err
	}
	_, err := hexOf(l.DiffID)
	return err
}

// maxID is the most bytes of a snapshot's ID: it is a file name, with a suffix.
const maxID = 200

// checkID validates a snapshot's ID: it names a file and a directory.
func checkID(id string) error {
	ok := id != "" && len(id) <= maxID && id[0] != '.'
	for i := 0; ok && i < len(id); i++ {
		c := id[i]
		ok = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			c == '-' || c == '_' || c == '.'
	}
	if !ok {
		return fmt.Errorf("%w: snapshot ID %q is not 1 to %d of [A-Za-z0-9_.-], no dot first", ErrInvalid, id, maxID)
	}
	return nil
}
