// Package snapshot keeps container layers, images made of them, disks and mounts: what pkg/tarfs of
// nydus-snapshotter does, on package tarfs.
//
// A [Manager] owns a directory. A layer is prepared from a blob that a [Fetcher] brings: it is
// uncompressed, checked against its digest and its diffID, and indexed as it streams in. Layers
// merge into an image, which is mounted with the layers' tars as its devices, or exported as a disk
// for a virtual machine, with a dm-verity tree or without. What a mount or a label needs is read
// from what was made, never guessed by a convention.
//
//	m, err := snapshot.NewManager("/var/lib/example/tarfs", snapshot.Options{Fetcher: registry})
//	...
//	defer m.Close()
//	err = m.PrepareLayer(ctx, "1", snapshot.Layer{Ref: ref, Digest: digest, DiffID: diffID})
//	...
//	err = m.WaitLayerReady(ctx, "1")
//	...
//	parents := snapshot.Snapshot{ID: "2", ParentIDs: []string{"1"}}
//	mountpoint, err := m.MountTarErofs(ctx, parents.ID, parents)
//
// # From pkg/tarfs
//
//	NewManager                 NewManager(root, Options)
//	CheckTarfsHintAnnotation   Manager.CheckTarfsHintAnnotation
//	GetConcurrentLimiter       Options.MaxConcurrent: it bounds conversions, not only requests
//	PrepareLayer               Manager.PrepareLayer
//	waitLayerReady             Manager.WaitLayerReady
//	MergeLayers                Manager.MergeLayers
//	ExportBlockData            Manager.ExportBlockData; Manager.Export for any mode at any time
//	ImageDiskFilePath          Manager.ImageDiskPath
//	LayerDiskFilePath          Manager.LayerDiskPath
//	MountTarErofs              Manager.MountTarErofs; it returns the mount point
//	UmountTarErofs             Manager.UmountTarErofs
//	DetachLayer                Manager.DetachLayer
//	RecoverSnapshoInfo,
//	RecoverRafsInstance        NewManager does it; Manager.Recovered says what was found
//	the snapshotter's Cleanup  Manager.Collect
//
// What differs on purpose:
//
//   - Labels are set whether the disk was there already or not.
//   - Layers are kept by diffID, images and disks by all the layers and parameters that made them:
//     images that share a top layer do not collide, snapshots of one layer share it.
//   - No fetch hangs: opening, stalls and, if wanted, the whole have a timeout, and what fails
//     passingly is tried again. Whoever waits gets the error.
//   - Callers who want the same thing at the same time share the work. It ends with the last of
//     them, not with the first.
//   - Devices of a mount are in the order of the image's device table.
//   - Loop devices are read-only, and the kernel frees them when the mount ends.
//   - Collect removes nothing that a snapshot or a mount uses.
//
// # The directory
//
//	lock                      held by the manager (flock)
//	layers/DIFFID/tar         the layer, uncompressed: device of images
//	layers/DIFFID/bootstrap   its metadata; without it the tar is indexed again when it is merged:
//	                          layers with hard links into lower ones, or odd sparse files
//	images/KEY/bootstrap      metadata of merged layers
//	disks/KEY/disk, hashes    a disk, or a hash tree alone
//	snapshots/ID.json         the snapshot is ready, and of which layer
//	mounts/ID.json            an image is to be mounted, and of which layers
//	mnt/ID                    where
//	*/*/info.json             what is in an item, and of which layers it was made
//	*/.tmp-*                  being made, or being removed
//
// # What survives
//
// Items and records appear under their names as a whole or not at all: they are made under a
// temporary name, synced, renamed, and the directory is synced. A snapshot's record is written after
// the layer. So when the process is killed or the machine stops at any time:
//
//   - what was reported ready, merged or exported is there, whole, for the next manager;
//   - what was reported detached or unmounted stays so;
//   - a snapshot of which nothing was reported is ready or absent;
//   - a mount that was reported is mounted: if the kernel has it still, it is adopted, else (after
//     the machine's restart) it is mounted again. The record of a mount is written before mounting
//     and removed after unmounting, so no mount of ours is without one;
//   - temporary files are removed by the next manager. Loop devices need no cleaning.
//
// A bit that was flipped in metadata is found by its SHA-256, which info.json has, where an image is mounted and
// where a layer is merged: the image is merged again, the layer's tar indexed again. [Manager.Verify] reads all
// that is kept, tars too, when it is called; a manager does not call it by itself.
//
// A root that others can write to is refused ([ErrUnsafe]), and no link below it is followed.
//
// Other damage by others is met as far as lengths show it: a damaged item is removed, a snapshot without
// its layer dropped, and [Recovery].Lost names both. A snapshot that was dropped can be prepared
// again. Tars are read again by Manager.Verify alone; while they are mounted dm-verity is for that.
package snapshot
