package tarfs

// #include <tarfs.h>
import "C"

import (
	"context"
	"io"
	"math"
)

// Seal hashes the first size bytes of data, which are whole data blocks (see
// [VerityParams.Padding]), and writes the hash area to hashes; nil if the root hash is enough. With
// HashBehindData or HashAt hashes is the file of the data. Params may be nil for the preset
// "nydus".
//
// Where both are regular files that many threads hash, 0 for as many as the machine has; else one.
// Wrong parameters are ErrVerity.
func Seal(ctx context.Context, data io.ReaderAt, size int64, params *VerityParams, hashes io.WriterAt, threads int) (*Sealed, error) {
	const op = "Seal"
	if size < 0 {
		return nil, invalid(op, "negative size")
	}
	c := newCall(op, ctx)
	defer c.end()
	count, err := threadCount(op, threads)
	if err != nil {
		return nil, err
	}
	source, _, err := c.readers(data)
	if err != nil {
		return nil, err
	}
	sink, err := c.optional(hashes)
	if err != nil {
		return nil, err
	}
	given := params.c(c)
	progress, progressCtx := c.progress()
	var sealed *C.tarfs_sealed
	err = c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_verity_seal(source, C.uint64_t(size), given, sink, count, progress, progressCtx, &sealed, err)
	})
	if err != nil {
		return nil, err
	}
	return newSealed(op, sealed)
}

// Verify verifies data and the whole hash tree, which is in hashes: the file of the data, or its
// own. ErrMismatch if one is not what the root hash says; Offset tells where.
//
// Where both are regular files that many threads hash, 0 for as many as the machine has; else one.
func Verify(ctx context.Context, data, hashes io.ReaderAt, sealed *Sealed, threads int) error {
	const op = "Verify"
	return sealed.use(op, func(ptr *C.tarfs_sealed) error {
		c := newCall(op, ctx)
		defer c.end()
		count, err := threadCount(op, threads)
		if err != nil {
			return err
		}
		source, _, err := c.readers(data)
		if err != nil {
			return err
		}
		tree, _, err := c.readers(hashes)
		if err != nil {
			return err
		}
		progress, progressCtx := c.progress()
		return c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_verity_verify(source, tree, ptr, count, progress, progressCtx, err)
		})
	})
}

func threadCount(op string, threads int) (C.uint32_t, error) {
	if threads < 0 || uint64(threads) > math.MaxUint32 {
		return 0, invalid(op, "threads is out of range")
	}
	return C.uint32_t(threads), nil
}
