//go:build tarfs_static && !tarfs_bundled

package tarfs

/*
// The archive comes first and has all symbols, so that -ltarfs, which pkg-config says too, is not
// needed any more by then.

#cgo LDFLAGS: -l:libtarfs.a -Wl,--as-needed
#cgo pkg-config: --static tarfs
*/
import "C"
