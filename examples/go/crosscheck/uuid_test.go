package crosscheck

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs"
)

// The UUID of a layer's image is what containerd's EROFS differ makes of its descriptor's digest.
func TestBlobUUID(t *testing.T) {
	for _, digest := range []string{
		"sha256:" + strings.Repeat("0", 64),
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"sha512:" + strings.Repeat("ab", 64),
	} {
		want := uuid.NewSHA1(uuid.NameSpaceURL, []byte("erofs:blobs/"+digest))
		got, err := tarfs.BlobUUID(digest)
		if err != nil || got != want {
			t.Errorf("%s: %x, %v; containerd has %v", digest, got, err, want)
		}
	}
	for _, digest := range []string{"", "0123", "sha256"} {
		if _, err := tarfs.BlobUUID(digest); err == nil {
			t.Errorf("%q: no error", digest)
		}
	}
}
