package tarfs

// #include <tarfs.h>
// #include "callback.h"
import "C"

import "runtime"

// MergeOptions is how layers are merged.
type MergeOptions struct {
	// KeepDevices keeps devices that no file refers to any more.
	KeepDevices bool
	// TrustTags takes devices for one whose tags are the same SHA-256, as 64 hex digits, and whose
	// lengths are the same: the caller has checked that the files have these digests. Without it only
	// what was computed, LayerOptions.TagChecked, or one tree given twice, makes two devices one.
	TrustTags bool
	// DevicePerLayer gives each layer's devices slots of their own, also where two have the same bytes
	// or no file refers to one: for callers who pass a device= for each layer.
	DevicePerLayer bool
	// FollowLowerLinks follows a symbolic link of a lower layer where a layer has something below its
	// path, as what extracts layers one over the other does. Without it a directory takes the link's
	// place, as overlayfs shows it.
	FollowLowerLinks bool
	// Limits are how much all layers together may cost, of inodes and of depth.
	Limits Limits
	// Note is told where the merge decides what not every reader of layers does; nil for nobody.
	Note func(Note)
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
		var err error
		if layers[i], err = c.tree(t); err != nil {
			return nil, err
		}
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
	given.limits = o.Limits.c(call)
	if o.KeepDevices {
		given.keep_devices = 1
	}
	if o.TrustTags {
		given.flags |= C.TARFS_MERGE_TRUST_TAGS
	}
	if o.DevicePerLayer {
		given.flags |= C.TARFS_MERGE_DEVICE_PER_LAYER
	}
	if o.FollowLowerLinks {
		given.flags |= C.TARFS_MERGE_FOLLOW_LOWER_LINKS
	}
	if o.Note != nil {
		given.note, given.note_ctx = C.tarfs_note_fn(C.tarfs_go_note), call.context(callback{note: o.Note})
	}
}
