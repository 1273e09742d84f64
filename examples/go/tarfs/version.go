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
