// Package tarfs makes EROFS filesystems of container layers over the tars as they lie, merges
// them, exports them as disks, and seals them with dm-verity, through the C API of erofs-tarfs.
//
// A layer's tar is written, in pieces of any size, to a [LayerWriter], or indexed where it lies by
// [IndexFile]. Either gives a [Tree]. [Merge] makes one tree of several under the OCI whiteout
// rules. A tree is listed and read through [Tree.FS], and made an image by [Plan] or [Export].
// [OpenImage] reads images back. [Seal], [Verify] and [Hasher] are dm-verity on its own.
//
// # The main job
//
// Layers become one disk with a hash tree behind it, which a kernel checks as it reads:
//
//	func seal(ctx context.Context, w io.Writer, disk string, tars ...string) error {
//		layers := tarfs.Tars(tars...) // the lowest first
//		made, err := tarfs.Export(ctx, tarfs.ImageBlockWithVerity, layers, disk, nil)
//		if err != nil {
//			return err
//		}
//		defer made[0].Verity.Close()
//		fmt.Fprintln(w, made[0].Verity.RootHex())
//		fmt.Fprintln(w, made[0].Verity.OpenCommand(disk, "image", disk))
//		fmt.Fprintln(w, "mount -t erofs -o ro /dev/mapper/image /mnt")
//		return nil
//	}
//
// The example of the package runs it. Where a tar is downloaded, a [LayerWriter] indexes, hashes and
// keeps it as it comes.
//
// # What is to be closed
//
// Everything with a Close method holds memory of the library: [LayerWriter] (after Finish too),
// [Layer] (which closes its Tree and Leaves), [Tree], [Leaves], [Layout], [Image], [FS], [Hasher],
// [Sealed], and so [Exported].Verity. Close returns nil, is idempotent, may be called on nil, and at
// any time: memory goes when the last call that uses it has returned. What was made of something
// does not need it any more: a Layout lives on without its Tree. A Tree's FS does need the Tree. What
// nobody refers to any more is closed by the garbage collector, some time later.
//
// Calls on what is closed fail with an error that Is [ErrWrongOrder] and [io/fs.ErrClosed]; calls on
// nil or zero values with [ErrInvalidArgument].
//
// # Goroutines
//
// [Tree], [Layout], [Image], [Leaves], [Sealed] and [FS] do not change: any number of goroutines
// may use them at the same time. [LayerWriter] and [Hasher] are used by one goroutine at a time; a
// call that finds another one at work fails with [ErrWrongOrder]. Close may come from any
// goroutine.
//
// # Cancellation
//
// What reads or writes much takes a context: [NewLayerWriter] (for its Write and ReadFrom),
// [IndexFile], [ReadLeaves], [Layout.WriteMetadata], [Layout.WriteDisk], [Layout.HashDisk], [Export],
// [Seal] and [Verify]. They look at it as they go, threads too, and end with [context.Cause] of it, as
// the same value. Export leaves no file then; what the others wrote stays. A call that waits in a
// caller's own reader or writer ends when that returns. A nil context is [context.Background].
//
// # Errors
//
// A failure of the library is an [*Error]. It is told by its status: errors.Is(err, ErrTar). What a
// caller's own io.Reader, io.ReaderAt, io.Writer or io.WriterAt returns comes back as the same
// value, not wrapped. A reader that ends too early is [io.ErrUnexpectedEOF].
//
// # Units
//
// Lengths, sizes and offsets are in bytes, unless a name says blocks.
//
// # Files
//
// Where an [*os.File] is given as reader or writer, and is a regular file or a block device, the
// library reads and writes its file descriptor itself. Everything else is called back. Callbacks
// are called by the goroutine that made the call; one that panics ends the call, which then panics
// with the same value.
//
// # Linking
//
// cgo finds the library through pkg-config, so either install it, or point PKG_CONFIG_PATH and
// LD_LIBRARY_PATH at where `make -C erofs-tarfs-ffi install` put it. The build tag tarfs_static
// links libtarfs.a instead of libtarfs.so, and tarfs_bundled that of this module, in which releases have it
// for linux/amd64 and linux/arm64.
package tarfs
