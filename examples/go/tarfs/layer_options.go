package tarfs

// #include <tarfs.h>
import "C"

import "io"

// LayerOptions is how a tar becomes a layer. Zero values are defaults.
type LayerOptions struct {
	// Tag is that of the device that the tar is: up to 64 bytes, usually the hex digits of the
	// blob's digest. It is a name: it never shows that two tars are one, see TagChecked.
	Tag string
	// TagChecked says that Tag is the SHA-256 of all bytes of the tar, which the caller has computed
	// or checked: layers with one such tag are one device of an image. Where DiffID is computed it is
	// known without.
	TagChecked bool
	// KeepPending keeps a hard link whose target is no earlier entry of its tar, for Merge to find
	// in a lower layer. Without it that is ErrTree.
	KeepPending bool
	// ResolveDotDot resolves ".." in paths inside the root. Without it that is ErrTree.
	ResolveDotDot bool
	// DropUnknownXattrs drops extended attributes that EROFS has no namespace for, and counts them.
	// Without it they are ErrTree.
	DropUnknownXattrs bool
	// KeepEmptyDevice keeps the device of a layer in which no file has any data.
	KeepEmptyDevice bool
	// Strict refuses what readers of tars disagree about, where it is otherwise read as GNU tar
	// does.
	Strict bool
	// SkipUnknownTypes passes over entries of unknown type, and counts them. Without it they are
	// ErrTar.
	SkipUnknownTypes bool
	// DiffID computes the SHA-256 of all bytes, which is the diffID of the layer: on a thread of
	// its own, if the machine has two cores and the tar is not short.
	DiffID bool
	// TagDiffID computes it, and tags the device with its 64 hex digits instead of with Tag.
	TagDiffID bool
	// Limits are how much the tar and its layer may cost.
	Limits Limits
	// Compression is that of what is written to the layer; none by default. All else here is about the tar
	// in it, which Tee gets uncompressed. What is wrong with the stream is ErrCompressed.
	Compression Compression
	// Tee gets all bytes, unchanged and in order; nil for nowhere. A regular [*os.File] is written
	// by the library, at TeeOffset and not where its file offset is.
	Tee io.Writer
	// TeeOffset is the byte of Tee, if that is a file, at which the tar starts.
	TeeOffset int64
	// Leaves has the tar's data blocks hashed on the way, for hash trees with these parameters; nil
	// for not.
	Leaves *VerityParams
}

func (o *LayerOptions) flags() (flags C.uint32_t) {
	for _, f := range []struct {
		set  bool
		flag C.uint32_t
	}{
		{o.KeepPending, C.TARFS_LAYER_KEEP_PENDING},
		{o.ResolveDotDot, C.TARFS_LAYER_RESOLVE_DOT_DOT},
		{o.DropUnknownXattrs, C.TARFS_LAYER_DROP_UNKNOWN_XATTRS},
		{o.KeepEmptyDevice, C.TARFS_LAYER_KEEP_EMPTY_DEVICE},
		{o.Strict, C.TARFS_LAYER_STRICT},
		{o.SkipUnknownTypes, C.TARFS_LAYER_SKIP_UNKNOWN_TYPES},
		{o.DiffID, C.TARFS_LAYER_DIFF_ID},
		{o.TagDiffID, C.TARFS_LAYER_TAG_DIFF_ID},
		{o.TagChecked, C.TARFS_LAYER_TAG_CHECKED},
		{o.DiffID || o.TagDiffID || o.Leaves != nil, C.TARFS_LAYER_THREAD},
	} {
		if f.set {
			flags |= f.flag
		}
	}
	return flags
}

// c is the options for C, but for Tee.
func (o *LayerOptions) c(call *call) *C.tarfs_layer_options {
	given := &C.tarfs_layer_options{
		size:        C.sizeof_tarfs_layer_options,
		flags:       o.flags(),
		leaves:      o.Leaves.c(call),
		compression: C.uint32_t(o.Compression),
		limits:      o.Limits.c(call),
	}
	given.tag, given.tag_len = call.text(o.Tag)
	call.pin.Pin(given)
	return given
}
