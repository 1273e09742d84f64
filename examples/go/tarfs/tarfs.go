// Package tarfs makes EROFS filesystems of container layers over the tars as they lie, through the
// C API of erofs-tarfs.
//
// Today it reports versions; layers, images and verity follow.
//
// cgo finds the library through pkg-config, so either install it, or point PKG_CONFIG_PATH and
// LD_LIBRARY_PATH at where `make -C erofs-tarfs-ffi install` put it.
package tarfs

/*
#cgo pkg-config: tarfs
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
func CheckABI() error {
	if found := uint32(C.tarfs_abi_version()); found != C.TARFS_ABI_VERSION {
		return fmt.Errorf("tarfs: built for ABI %d, found %d", C.TARFS_ABI_VERSION, found)
	}
	return nil
}
