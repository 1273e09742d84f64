package tarfs

// #include <tarfs.h>
// #include "callback.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// MergeOptions is how layers are merged.
type MergeOptions struct {
	// KeepDevices keeps devices that no file refers to any more.
	KeepDevices bool
	// TrustTags takes devices for one whose tags are the same SHA-256, as 64 hex digits, and whose
	// lengths are the same: the caller has checked that the files have these digests. Without it only
	// what was computed, LayerOptions.TagChecked, or one tree given twice, makes two devices one.
	TrustTags bool
	// FollowLowerLinks follows a symbolic link of a lower layer where a layer has something below its
	// path, as what extracts layers one over the other does. Without it a directory takes the link's
	// place, as overlayfs shows it.
	FollowLowerLinks bool
	// Note is told where the merge decides what not every reader of layers does; nil for nobody.
	Note func(Note)
}

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

// Merge merges layers, the lowest first, under the OCI whiteout rules. They may be closed
// afterwards. The devices of the merged tree are those of the layers that still have data in it, in
// layer order; those that are shown to have the same bytes are one. Which file each is, its Origin
// tells, not its tag. Options may be nil.
//
// Layers that do not merge, such as a hard link to nothing, are ErrTree.
func Merge(trees []*Tree, opts *MergeOptions) (*Tree, error) {
	const op = "Merge"
	c := newCall(op, nil)
	defer c.end()
	layers := make([]*C.tarfs_tree, len(trees))
	for i, t := range trees {
		var h *handle[*C.tarfs_tree]
		if t != nil {
			h = t.handle
		}
		ptr, err := h.acquire(op)
		if err != nil {
			return nil, err
		}
		defer h.release()
		layers[i] = ptr
	}
	given := C.tarfs_merge_options{size: C.sizeof_tarfs_merge_options}
	if opts != nil {
		opts.c(c, &given)
	}
	var first **C.tarfs_tree
	if len(layers) > 0 {
		first = &layers[0]
	}
	var merged *C.tarfs_tree
	err := c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_tree_merge(first, C.size_t(len(layers)), &given, &merged, err)
	})
	runtime.KeepAlive(trees)
	if err != nil {
		return nil, err
	}
	return newTree(op, merged)
}

// c fills in the options for C.
func (o *MergeOptions) c(call *call, given *C.tarfs_merge_options) {
	if o.KeepDevices {
		given.keep_devices = 1
	}
	if o.TrustTags {
		given.flags |= C.TARFS_MERGE_TRUST_TAGS
	}
	if o.FollowLowerLinks {
		given.flags |= C.TARFS_MERGE_FOLLOW_LOWER_LINKS
	}
	if o.Note != nil {
		given.note, given.note_ctx = C.tarfs_note_fn(C.tarfs_go_note), call.context(callback{note: o.Note})
	}
}
