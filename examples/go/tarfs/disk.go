package tarfs

// #include <tarfs.h>
import "C"

import (
	"context"
	"io"
	"runtime"
)

// WriteMetadata writes the metadata: the head at byte 0, the rest at BodyOffset, in ascending order.
// Of a bootstrap that is all there is. Of a disk whose devices are in place already, such as one
// that a tar was streamed into at DiskOffset, it is what is missing.
func (l *Layout) WriteMetadata(ctx context.Context, w io.WriterAt) error {
	const op = "Layout.WriteMetadata"
	return l.use(op, func(ptr *C.tarfs_layout) error {
		c := newCall(op, ctx)
		defer c.end()
		sink, err := c.writer(w)
		if err != nil {
			return err
		}
		return c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_layout_write_metadata(ptr, sink, err)
		})
	})
}

// WriteDisk writes a disk, all of it, in ascending order; a pipe, as [*os.File], will do. Sources
// are the files of the layout's devices, in its order. A regular file should be empty: zeros are
// left out as holes.
func (l *Layout) WriteDisk(ctx context.Context, sources []io.ReaderAt, w io.WriterAt) error {
	const op = "Layout.WriteDisk"
	return l.use(op, func(ptr *C.tarfs_layout) error {
		c := newCall(op, ctx)
		defer c.end()
		from, count, err := c.readers(sources...)
		if err != nil {
			return err
		}
		sink, err := c.writer(w)
		if err != nil {
			return err
		}
		progress, progressCtx := c.progress()
		return c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_layout_write_disk(ptr, from, count, sink, progress, progressCtx, err)
		})
	})
}

// HashDisk hashes the disk that the layout describes, written or not, with zeros behind its end up
// to whole data blocks.
//
// Sources are the files of the layout's devices, in its order. Leaves is nil, or has for each of
// them nil or the digests kept of its data blocks: its bytes are then not read again, if the device
// starts on a data block of the disk, and the leaves have the block size and salt of params. Params
// may be nil for the preset "nydus". Hashes gets the hash blocks, not in ascending order; nil if
// the root hash is enough. With HashBehindData their offsets are those of a file in which the disk
// comes first. Where sources and hashes are regular files, all of them, as many threads hash as the
// machine has.
func (l *Layout) HashDisk(ctx context.Context, sources []io.ReaderAt, leaves []*Leaves, params *VerityParams, hashes io.WriterAt) (*Sealed, error) {
	const op = "Layout.HashDisk"
	var sealed *C.tarfs_sealed
	err := l.use(op, func(ptr *C.tarfs_layout) error {
		c := newCall(op, ctx)
		defer c.end()
		from, count, err := c.readers(sources...)
		if err != nil {
			return err
		}
		sink, err := c.optional(hashes)
		if err != nil {
			return err
		}
		kept, err := c.leaves(leaves, len(sources))
		if err != nil {
			return err
		}
		given := params.c(c)
		progress, progressCtx := c.progress()
		err = c.do(func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_layout_hash_disk(ptr, from, count, kept, given, sink, progress, progressCtx, &sealed, err)
		})
		runtime.KeepAlive(leaves)
		return err
	})
	if err != nil {
		return nil, err
	}
	return newSealed(op, sealed)
}
