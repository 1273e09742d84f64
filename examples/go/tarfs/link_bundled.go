//go:build tarfs_bundled

package tarfs

/*
// Archive and header are in this module: `make -C examples/go lib` fills lib/, a release has it filled.

#cgo CFLAGS: -I${SRCDIR}/lib/include
#cgo amd64 LDFLAGS: -L${SRCDIR}/lib/linux_amd64
#cgo arm64 LDFLAGS: -L${SRCDIR}/lib/linux_arm64
#cgo LDFLAGS: -ltarfs -lutil -lrt -lpthread -lm -ldl
*/
import "C"

import (
	// `go mod vendor` copies folders that are imported, with all that is in them.
	_ "github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/lib/include"
	_ "github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/lib/linux_amd64"
	_ "github.com/erofs-tarfs/erofs-tarfs/examples/go/tarfs/lib/linux_arm64"
)
