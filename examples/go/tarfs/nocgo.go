//go:build !cgo

package tarfs

// Without cgo there is nothing to build: this is an error on purpose, whose words the compiler prints.
const _ int = "package tarfs calls a C library: build it with CGO_ENABLED=1 and a C compiler (README.md, Install and link)"
