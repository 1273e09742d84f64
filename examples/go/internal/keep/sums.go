package keep

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// Sums are the files of an item whose SHA-256 its description is to have: metadata, of which nothing else says what
// it should be. The tar of a layer is named by its own digest.
func Sums(names ...string) map[string]string {
	sums := map[string]string{}
	for _, name := range names {
		sums[name] = ""
	}
	return sums
}

// addSums computes the sums that are asked for. A file that the item does not have has none.
func addSums(dir string, it *Item) error {
	for name := range it.Sums {
		sum, err := SumOf(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			delete(it.Sums, name)
			continue
		}
		if err != nil {
			return err
		}
		it.Sums[name] = sum
	}
	return nil
}

// SumOf is the SHA-256 of a file, in hex.
func SumOf(path string) (string, error) {
	f, err := openUnlinked(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Verify is Check, and reads the files of which the description has a sum: it finds a bit that was flipped in
// metadata.
func (s *Store) Verify(kind, key string) (*Item, error) {
	it, err := s.Check(kind, key)
	if err != nil {
		return nil, err
	}
	for name, want := range it.Sums {
		got, err := SumOf(s.Path(kind, key, name))
		if err != nil {
			return nil, Unreadable(err)
		}
		if got != want {
			return nil, fmt.Errorf("%w: %s %s: %s has other bytes than it had", ErrDamaged, kind, key, name)
		}
	}
	return it, nil
}
