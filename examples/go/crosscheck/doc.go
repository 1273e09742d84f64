// Package crosscheck holds package tarfs against Go code that others wrote: archive/tar reads the
// tars, go-erofs the images, go-dmverity the hash trees. Where they differ from tarfs, a table in
// the test says so, and why; a difference that is not in its table fails, and so does one that is
// there but does not show any more.
//
// It is a module of its own, so that programs that use tarfs get none of these dependencies.
package crosscheck
