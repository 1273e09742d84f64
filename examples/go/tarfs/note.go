package tarfs

// #include <tarfs.h>
// #include "callback.h"
import "C"

import "unsafe"

// Note is a place at which a merge decides what not every reader of layers does.
type Note struct {
	// Kind is what it decides.
	Kind NoteKind
	// Layer is the number of the layer given to Merge, from 0.
	Layer int
	// Path is where.
	Path string
	// Text says all of it in a sentence.
	Text string
}

// NoteKind is what a merge decides.
type NoteKind int

const (
	// LinkReplaced is a directory that takes the place of a lower layer's symbolic link.
	LinkReplaced NoteKind = C.TARFS_NOTE_LINK_REPLACED
	// FileReplaced is a directory which its layer does not list, and which takes the place of a lower
	// layer's file.
	FileReplaced NoteKind = C.TARFS_NOTE_FILE_REPLACED
	// ListedTwice is a directory that a layer lists by two paths, with other attributes.
	ListedTwice NoteKind = C.TARFS_NOTE_LISTED_TWICE
)

//export tarfs_go_note
func tarfs_go_note(ctx unsafe.Pointer, kind C.uint32_t, layer C.size_t, path *C.tarfs_go_bytes, n C.size_t, sentence *C.tarfs_go_text) {
	c := of(ctx)
	// What it panics with comes back when the call is done.
	c.outcome.run(func() error {
		where := string(unsafe.Slice((*byte)(path), int(n)))
		c.note(Note{NoteKind(kind), int(layer), where, C.GoString((*C.char)(unsafe.Pointer(sentence)))})
		return nil
	})
}
