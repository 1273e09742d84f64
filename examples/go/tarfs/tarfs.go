// Package tarfs makes EROFS filesystems of container layers over the tars as they lie, merges
// them, exports them as disks, and seals them with dm-verity, through the C API of erofs-tarfs.
//
// A layer's tar is written, in pieces of any size, to a [LayerWriter], or indexed where it lies by
// [IndexFile]. Either gives a [Tree]. [Merge] makes one tree of several under the OCI whiteout
// rules. A tree is listed and read through [Tree.FS], and made an image by [Plan] or [Export].
// [OpenImage] reads images back. [Seal], [Verify] and [Hasher] are dm-verity on its own.
//
// # Units
//
// Lengths, sizes and offsets are in bytes, unless a name says blocks.
//
// # Errors
//
// A failure of the library is an [*Error]. It is told by its status: errors.Is(err, ErrTar). What a
// caller's own io.Reader, io.ReaderAt, io.Writer or io.WriterAt returns comes back as the same
// value, not wrapped; so does what ended a context: [context.Cause] of it. A nil context is
// [context.Background]. A reader that ends too early is [io.ErrUnexpectedEOF].
//
// # Ownership
//
// Everything with a Close method holds memory of the library. Close is idempotent, may be called on
// nil, and at any time: memory goes when the last call that uses it has returned. What nobody
// refers to any more is closed by the garbage collector, some time later. Calls on what is closed
// fail with an error that Is [ErrWrongOrder] and [io/fs.ErrClosed]; calls on nil or zero values
// with [ErrInvalidArgument].
//
// # Concurrency
//
// [Tree], [Layout], [Image], [Leaves], [Sealed] and [FS] do not change: any number of goroutines
// may use them at the same time. [LayerWriter] and [Hasher] are used by one goroutine at a time; a
// call that finds another one at work fails with [ErrWrongOrder]. Close may come from any
// goroutine.
//
// # Files
//
// Where an [*os.File] is given as reader or writer, and is a regular file or a block device, the
// library reads and writes its file descriptor itself. Everything else is called back. Callbacks
// are called by the goroutine that made the call; one that panics ends the call, which then panics
// with the same value.
//
// # Linking
//
// cgo finds the library through pkg-config, so either install it, or point PKG_CONFIG_PATH and
// LD_LIBRARY_PATH at where `make -C erofs-tarfs-ffi install` put it. The build tag tarfs_static
// links libtarfs.a instead of libtarfs.so.
package tarfs

/*
#include <tarfs.h>

#if TARFS_ABI_VERSION != 0
#error "this package is written for ABI 0 of tarfs"
#endif
*/
import "C"

import "fmt"

// Version is the version of the library that runs, such as "0.1.0".
func Version() string {
	return C.GoString(C.tarfs_version())
}

// CheckABI reports an error if the library that runs is not the one this package was built for.
// Programs need not call it: one that was built for another ABI panics when it starts.
func CheckABI() error {
	if found := uint32(C.tarfs_abi_version()); found != C.TARFS_ABI_VERSION {
		return fmt.Errorf("tarfs: built for ABI %d, found %d", C.TARFS_ABI_VERSION, found)
	}
	return nil
}

// A library with another ABI would read structs wrongly, so nothing must be called in it.
func init() {
	if err := CheckABI(); err != nil {
		panic(err)
	}
}
