package tarfs

// #include <tarfs.h>
import "C"

import (
	"encoding/json"
	"fmt"
	"strings"
)

// NydusLabel is Nydus's label: "N,M,sha256:ROOT", N data blocks, M the hash offset in bytes. It
// works after Close, too.
func (s *Sealed) NydusLabel() string {
	if s == nil {
		return ""
	}
	return s.nydus
}

// KataJSON is what Kata wants to know, as JSON. It works after Close, too.
func (s *Sealed) KataJSON() string {
	if s == nil {
		return ""
	}
	return s.kata
}

// ContainerdJSON is what containerd puts beside a layer, as JSON. It works after Close, too.
func (s *Sealed) ContainerdJSON() string {
	if s == nil {
		return ""
	}
	return s.containerd
}

// ErofsAnnotations are those of a layer by the draft EROFS image specification: where the hash area is,
// the root hash, the block size. They are refused for a tree that they have no place for.
func (s *Sealed) ErofsAnnotations() (map[string]string, error) {
	const op = "Sealed.ErofsAnnotations"
	text, err := s.text(op, C.TARFS_TEXT_EROFS_ANNOTATIONS)
	if err != nil {
		return nil, err
	}
	annotations := map[string]string{}
	if err := json.Unmarshal([]byte(text), &annotations); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return annotations, nil
}

// KataOptions are those by which Kata mounts a layer in a guest. They are refused for a tree that Kata
// would open wrong: it knows 4096/4096 alone.
func (s *Sealed) KataOptions() ([]string, error) {
	text, err := s.text("Sealed.KataOptions", C.TARFS_TEXT_KATA_OPTIONS)
	if err != nil {
		return nil, err
	}
	return strings.Split(text, ","), nil
}

// Table is the line for device-mapper; data and hash are the devices. It is "" after Close, and if
// a name has a NUL in it, as those that follow.
func (s *Sealed) Table(data, hash string) string {
	return s.words(C.TARFS_TEXT_TABLE, data, hash)
}

// OpenCommand is the "veritysetup open" command line that makes the device of that name.
func (s *Sealed) OpenCommand(data, name, hash string) string {
	return s.words(C.TARFS_TEXT_OPEN, data, hash, name)
}

// FormatCommand is the "veritysetup format" command line that makes the same tree.
func (s *Sealed) FormatCommand(data, hash string) string {
	return s.words(C.TARFS_TEXT_FORMAT, data, hash)
}

// VerifyCommand is the "veritysetup verify" command line.
func (s *Sealed) VerifyCommand(data, hash string) string {
	return s.words(C.TARFS_TEXT_VERIFY, data, hash)
}

func (s *Sealed) words(kind C.uint32_t, words ...string) string {
	text, err := s.text("Sealed", kind, words...)
	if err != nil {
		return ""
	}
	return text
}

// text asks for a text about it.
func (s *Sealed) text(op string, kind C.uint32_t, words ...string) (string, error) {
	var names cStrings
	defer names.free()
	var given [3]*C.char
	for i, word := range words {
		given[i] = names.add(word)
	}
	if names.bad {
		return "", invalid(op, "a NUL in a word")
	}
	var made string
	err := s.use(op, func(ptr *C.tarfs_sealed) error {
		var err error
		made, err = ownText(op, func(text **C.char, err **C.tarfs_error) C.int32_t {
			return C.tarfs_sealed_get_text(ptr, kind, given[0], given[1], given[2], text, err)
		})
		return err
	})
	return made, err
}
