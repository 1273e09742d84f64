package tarfs

// #include <tarfs.h>
import "C"

// Child is a name in a directory.
type Child struct {
	// Name is its last element.
	Name string
	// Inode is the number of its inode.
	Inode uint32
}

// Children are the names in a directory, in ascending byte order. Other inodes have none.
func (t *Tree) Children(inode uint32) ([]Child, error) {
	const op = "Tree.Children"
	s, err := t.Stat(inode)
	if err != nil {
		return nil, err
	}
	all := make([]Child, 0, s.Children)
	err = t.use(op, func(ptr *C.tarfs_tree) error {
		for i := range s.Children {
			var name *C.uint8_t
			var n C.size_t
			var child C.uint32_t
			err := simple(op, func(err **C.tarfs_error) C.int32_t {
				return C.tarfs_tree_get_child(ptr, C.uint32_t(inode), C.size_t(i), &name, &n, &child, err)
			})
			if err != nil {
				return err
			}
			all = append(all, Child{text(name, n), uint32(child)})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}
