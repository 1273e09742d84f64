// Package snapshotter is containerd's snapshotter over the layers of package store: a committed snapshot is a layer
// that is kept by its diffID, and a container gets one EROFS, merged of its layers, under an overlayfs.
//
//	ROOT/metadata.db        snapshots: containerd's core/snapshots/storage, on bbolt
//	ROOT/snapshots/N/fs     what was written to an active snapshot; empty otherwise
//	ROOT/snapshots/N/work   overlayfs's, of an active snapshot
//	ROOT/snapshots/N/tarfs-N  a link to the disk's directory, of one that is mounted through dm-verity
//	…/N/rwlayer.img         an ext4 with both in it, of a container with a size of its own
//	ROOT/mounts/KEY         where an image is mounted, with plain mounts
//	ROOT/snapshots/.tmp-*   being made
//	ROOT/snapshots/gone-*   being removed
//
// # Mounts
//
//	a layer to be unpacked, or no parent   bind ROOT/snapshots/N/fs [rw rbind]
//	a layer that is kept, or was applied   the same, [ro rbind]: containerd 2.4 neither fetches nor applies it
//	a view                                 erofs IMAGE [ro loop device=TAR…], format/bind {{ mount 0 }} [ro rbind]
//	a container                            erofs as before, format/overlay [workdir= upperdir= lowerdir={{ mount 0 }}]
//
// With dm-verity, …/N/tarfs-N/disk takes IMAGE's place, with [ro loop X-containerd.dmverity=…/N/tarfs-N/disk.dmverity]:
// containerd opens the device.
//
// With a size of its own a container has "ext4 …/N/rwlayer.img [rw loop]" in front, and the directories of its overlayfs
// in that.
//
// containerd's mount manager (since 2.2) carries these out, and its handler of the type erofs passes devices on. The
// snapshotter holds no mount and no loop device, but while it commits such a container: a kill loses none.
//
// Nothing tells a snapshotter whether a caller has a mount manager. For those that have none there are plain mounts, by
// an option: the snapshotter mounts images itself, at ROOT/mounts/KEY, and finds after a kill what is mounted there.
//
// # Layers
//
// A differ that knows [Snapshotter.Target] and [Snapshotter.Applied] hands over layers that it has ingested; nothing is
// written to the snapshot's directory then. What was written there, by a container or by another differ, becomes a
// layer when the snapshot is committed. One thing is refused: a layer above others that another differ unpacked. It got
// a bind mount, as it comes without its parent where containerd unpacks in parallel, and in that it has lost its
// whiteouts.
//
// Which layer a snapshot is of is one of its labels in metadata.db, which callers neither see nor set. So the snapshot
// and its reference to the layer are one transaction.
//
// # What survives
//
// A kill at any time leaves the snapshots that were reported, and their layers. What else it leaves (directories that
// no snapshot has, layers to which none refers) is removed by [New], and by [Snapshotter.Cleanup].
package snapshotter
