package tarfs

// #include <tarfs.h>
// #include "callback.h"
import "C"

import (
	"io/fs"
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
	// ExcludeIf says whether a name is left out, as Exclude leaves out, before anything else is changed; nil for no
	// name. It is asked of every name but the root's and those below a name that is left out, of a directory before
	// what is in it, in byte order of the names.
	ExcludeIf func(Named) (bool, error)
	// Label says the SELinux label of a file, which becomes its security.selinux, when all else is changed; "" leaves
	// it as it is, nil all of them. It is asked of every inode once, the root first, whose path is ""; of a file with
	// several names by the first of them. Whiteouts and pending hard links are no files.
	Label func(Named) (string, error)
}

// Named is a name in a tree, of which the funcs of [Changes] are asked. They run on the goroutine of the call; an
// error of theirs ends it and comes back from it as it is, and a panic does too.
type Named struct {
	// Path is from the root on, / between names and none in front.
	Path string
	// Mode is the type alone of what has the name.
	Mode fs.FileMode
	// Flags are Whiteout or Pending, in a layer that is not merged, or 0.
	Flags StatFlags
}

// Change is the tree with other owners, times and labels, and without what is left out. Layers are merged before. It has
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
	if o.ExcludeIf != nil {
		given.exclude_if = C.tarfs_exclude_fn(C.tarfs_go_exclude)
		given.exclude_ctx = call.context(callback{exclude: o.ExcludeIf})
	}
	if o.Label != nil {
		given.label, given.label_ctx = C.tarfs_label_fn(C.tarfs_go_label), call.context(callback{label: o.Label})
	}
	call.pin.Pin(given)
	return given
}
