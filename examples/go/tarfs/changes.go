package tarfs

// #include <tarfs.h>
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// Changes is what of a tree is made otherwise than its layers say. Zero values change nothing.
type Changes struct {
	// ForceUID and ForceGID are owner and group of all files, before offsets are added; nil keeps each its own.
	ForceUID, ForceGID *uint32
	// UIDOffset and GIDOffset are added to the owner and the group of every file. What is no owner then, 0 to
	// 4294967294, is ErrTree.
	UIDOffset, GIDOffset int64
	// Latest is what later modification times become; the zero time keeps all.
	Latest time.Time
	// Exclude are paths that are left out, with all that is below them: from the root on, / between names.
	// Other names of the same file stay, and the tar keeps its bytes: nothing is hidden by this. A path that is
	// not there changes nothing.
	Exclude []string
}

// Change is the tree with other owners and times, and without what is left out. Layers are merged before. It has
// the devices of the first, in their order, in use or not; both are closed by the caller. Changes may be nil.
func (t *Tree) Change(changes *Changes) (*Tree, error) {
	const op = "Tree.Change"
	c := newCall(op, nil)
	defer c.end()
	var names cStrings
	defer names.free()
	tree, err := c.tree(t)
	if err != nil {
		return nil, err
	}
	given := changes.c(c, &names)
	if names.bad {
		return nil, invalid(op, "a NUL in a path")
	}
	var changed *C.tarfs_tree
	err = c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_tree_change(tree, given, &changed, err)
	})
	runtime.KeepAlive(t)
	if err != nil {
		return nil, err
	}
	return newTree(op, changed)
}

// c is the changes for C, for the time of a call; nil of nil.
func (o *Changes) c(call *call, names *cStrings) *C.tarfs_changes {
	if o == nil {
		return nil
	}
	given := &C.tarfs_changes{
		size:       C.sizeof_tarfs_changes,
		uid_offset: C.int64_t(o.UIDOffset),
		gid_offset: C.int64_t(o.GIDOffset),
	}
	if o.ForceUID != nil {
		given.flags, given.force_uid = given.flags|C.TARFS_CHANGE_FORCE_UID, C.uint32_t(*o.ForceUID)
	}
	if o.ForceGID != nil {
		given.flags, given.force_gid = given.flags|C.TARFS_CHANGE_FORCE_GID, C.uint32_t(*o.ForceGID)
	}
	if !o.Latest.IsZero() {
		given.flags |= C.TARFS_CHANGE_CLAMP_MTIME
		given.latest, given.latest_nsec = C.int64_t(o.Latest.Unix()), C.uint32_t(o.Latest.Nanosecond())
	}
	if len(o.Exclude) > 0 {
		paths := make([]*C.char, len(o.Exclude))
		for i, path := range o.Exclude {
			paths[i] = names.add(path)
		}
		first := unsafe.SliceData(paths)
		call.pin.Pin(first)
		given.exclude, given.exclude_count = first, C.size_t(len(paths))
	}
	call.pin.Pin(given)
	return given
}
