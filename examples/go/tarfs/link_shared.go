//go:build !tarfs_static

package tarfs

// #cgo pkg-config: tarfs
import "C"
