//go:build cgo

package tarfs

import "errors"

// Layer is a tar that was taken in whole.
type Layer struct {
	// Tree is what is in it.
	Tree *Tree
	// Leaves are the digests of its data blocks; nil if the options did not ask for them.
	Leaves *Leaves
	// Info is what was met in the tar.
	Info LayerInfo
}

// Close closes tree and leaves. It returns nil.
func (l *Layer) Close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.Tree.Close(), l.Leaves.Close())
}
