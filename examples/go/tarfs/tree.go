package tarfs

// #include <tarfs.h>
import "C"

import (
	"runtime"
	"slices"
)

// Tree is a filesystem tree: one layer, or layers merged. It does not change.
type Tree struct {
	handle  *handle[*C.tarfs_tree]
	info    TreeInfo
	devices []Device
}

// TreeInfo is what a tree has.
type TreeInfo struct {
	// Inodes is how many; their numbers count from 0, which is the root.
	Inodes uint64
	// Names is how many all directories have together.
	Names uint64
	// Devices is how many files hold bodies.
	Devices uint64
}

// newTree takes over a tree of C.
func newTree(op string, ptr *C.tarfs_tree) (*Tree, error) {
	t := &Tree{}
	t.handle = own(t, ptr, func(ptr *C.tarfs_tree) { C.tarfs_tree_free(ptr) })
	info := C.tarfs_tree_info{size: C.sizeof_tarfs_tree_info}
	err := simple(op, func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_tree_get_info(ptr, &info, err)
	})
	if err == nil {
		t.info = TreeInfo{uint64(info.inodes), uint64(info.names), uint64(info.devices)}
		t.devices, err = devices(op, t.info.Devices, func(i C.size_t, d *C.tarfs_device, err **C.tarfs_error) C.int32_t {
			return C.tarfs_tree_get_device(ptr, i, d, err)
		})
	}
	if err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

// tree gives C a tree for the time of a call.
func (c *call) tree(t *Tree) (*C.tarfs_tree, error) {
	var h *handle[*C.tarfs_tree]
	if t != nil {
		h = t.handle
	}
	ptr, err := h.acquire(c.op)
	if err == nil {
		c.inUse = append(c.inUse, h.release)
	}
	return ptr, err
}

// use gives the C object to work.
func (t *Tree) use(op string, work func(ptr *C.tarfs_tree) error) error {
	var h *handle[*C.tarfs_tree]
	if t != nil {
		h = t.handle
	}
	ptr, err := h.acquire(op)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(t)
	defer h.release()
	return work(ptr)
}

// Close gives the tree's memory back. Layouts and images made of it live on. It returns nil.
func (t *Tree) Close() error {
	if t != nil {
		t.handle.close()
	}
	return nil
}

// Info is what the tree has. It works after Close, too.
func (t *Tree) Info() TreeInfo {
	if t == nil {
		return TreeInfo{}
	}
	return t.info
}

// Devices are the files that hold the bodies of the tree's files, in layer order. Addresses in
// images are not known yet and 0.
func (t *Tree) Devices() ([]Device, error) {
	err := t.use("Tree.Devices", func(*C.tarfs_tree) error { return nil })
	if err != nil {
		return nil, err
	}
	return slices.Clone(t.devices), nil
}
