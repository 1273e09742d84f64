package tarfs

// #include <stdlib.h>
// #include <tarfs.h>
import "C"

import (
	"strings"
	"unsafe"
)

// text copies bytes of the library.
func text(data *C.uint8_t, n C.size_t) string {
	return string(unsafe.Slice((*byte)(data), int(n)))
}

// ownText takes a string that C made for the caller.
func ownText(op string, work func(text **C.char, err **C.tarfs_error) C.int32_t) (string, error) {
	var text *C.char
	err := simple(op, func(err **C.tarfs_error) C.int32_t { return work(&text, err) })
	if err != nil {
		return "", err
	}
	defer C.tarfs_string_free(text)
	return C.GoString(text), nil
}

// cStrings are copies of strings for C.
type cStrings struct {
	all []*C.char
	bad bool
}

// add copies a string. One with a NUL is bad: C would see less of it.
func (s *cStrings) add(text string) *C.char {
	s.bad = s.bad || strings.Contains(text, "\x00")
	made := C.CString(text)
	s.all = append(s.all, made)
	return made
}

// optional copies a string; "" is NULL.
func (s *cStrings) optional(text string) *C.char {
	if text == "" {
		return nil
	}
	return s.add(text)
}

func (s *cStrings) free() {
	for _, made := range s.all {
		C.free(unsafe.Pointer(made))
	}
}
