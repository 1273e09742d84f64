// Package keep is what programs that keep layers, and images made of them, in a directory have in
// common: package snapshot, and the daemon tarfs-snapshotter.
//
// What is kept is an [Item]: a directory that appears under its name, and vanishes, as a whole. It is
// made under a temporary name, synced, renamed, and the directory above is synced ([Store.Publish]).
// So after a kill or a power cut an item is there, whole, or it is not there, and what is left of it
// has a name that [RemoveTemps] knows.
//
// [Lock] gives a directory to one process, [Flights] lets callers who want the same thing at the same
// time share the work, and [OpenSources] opens layers to be merged.
package keep

import "errors"

// Errors that callers tell apart with errors.Is.
var (
	// ErrLocked says that another process holds the directory.
	ErrLocked = errors.New("directory is held by another process")
	// ErrDamaged says that files were changed by someone else.
	ErrDamaged = errors.New("files are damaged")
)
