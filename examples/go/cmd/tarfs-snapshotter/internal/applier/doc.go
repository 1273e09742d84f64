// Package applier is a differ of containerd (diff.Applier) that makes layers for containerd's own EROFS
// snapshotter: it reads a layer's blob once, and writes layer.erofs, with its hash tree and sidecar if these are
// wanted, where otherwise mkfs.erofs and go-dmverity would.
//
//	SNAPSHOT/.erofslayer            by which the snapshotter says that it wants a layer here
//	SNAPSHOT/fs                     the mount that it hands out
//	SNAPSHOT/.tarfs-tmp-…           what is being made; removed by the next call, if a kill leaves it
//	SNAPSHOT/layer.erofs.dmverity   the sidecar, which is there before the layer
//	SNAPSHOT/layer.erofs            the layer: whole, checked and on the disk when it has this name
//
// The blob is opened where containerd keeps it, and its digest and length are checked although containerd has done
// so, as this costs next to nothing: what was read is what was asked for. The tar goes to its place in the layer as
// it is unpacked, so that there is neither a second copy nor a process that is waited for. Only with blocks of 4096
// bytes file data has to be copied once more, as it lies on 512 bytes in a tar.
//
// Layers for the snapshotter of this process go to its store instead, which keeps them by their diffID; blob, checks,
// turns and words are the same.
//
// Mounts of others are answered with errdefs.ErrNotImplemented, after which containerd asks its next differ. All
// other errors end the pull: they name the layer's digest and the cause.
package applier
