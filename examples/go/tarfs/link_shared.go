//go:build !tarfs_static && !tarfs_bundled

package tarfs

// #cgo pkg-config: tarfs
import "C"
