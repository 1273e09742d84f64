package snapshot

import "github.com/erofs-tarfs/erofs-tarfs/examples/go/internal/keep"

// SetStep has a function called before and after each change of the directory.
func SetStep(f func()) { keep.Step = f }
