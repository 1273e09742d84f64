// Package store keeps layers by their diffID, and the images that chains of layers merge into, below
// one directory:
//
//	ROOT/lock                               held by the process that has the store open
//	ROOT/layers/sha256/DIFFID/layer.tar     the layer, uncompressed: a device of images
//	ROOT/layers/sha256/DIFFID/layer.erofs   its metadata, an EROFS bootstrap over layer.tar. A few layers have
//	                                        none, and are indexed again when they merge: those with hard links into
//	                                        lower layers, or with sparse files off the grid of 512 bytes
//	ROOT/images/KEY/image.erofs             the metadata of merged layers: mounted with their tars as devices
//	ROOT/disks/KEY/disk                     a disk of layers, with an export mode; or disk.verity, its hash tree alone
//	ROOT/attached/KEY/image.erofs           metadata and hash tree that came with an image, verified against their root hash
//	ROOT/attached/KEY/image.verity
//	ROOT/*/*/info.json                      what is in an item, and of which layers it was made
//	ROOT/*/.tmp-*                           being made, or being removed
//
// Directories have the mode 0700 and files 0600: what is in a layer may be secret, and a set-user-ID file in it is
// nobody's business outside of containers.
//
// # Layers
//
// [Store.Ingest] takes the tar of a layer, which it reads once. The layer is there when Ingest returns, and
// survives a power cut, or it is not there at all. Layers with one diffID are one: who ingests it at the same time as
// another process or goroutine gets the one that was ready first. [Store.Get] finds a layer.
//
// # Images
//
// [Store.Image] merges a chain of layers, unless that was done. The image's devices are the layers' tars, in the order
// of its device table. File bodies are referred to by chunk indexes, which go-erofs reads as kernels do.
//
// # What came with an image
//
// [Store.Attach] takes the metadata and the hash tree of an image that were made elsewhere. It verifies all of both
// against the root hash, without a layer: the levels of the tree, the metadata against its digests, and that the
// metadata has the very bytes that this library writes. Layers of such an image come by [Store.IngestPlain], which
// neither indexes them nor hashes their blocks; image and disk are made of what was attached.
//
// # Who keeps what
//
// Ingest, Get and Image return something that is held: a collection leaves it, until its Release is called. By then a
// snapshot should refer to it. [Store.Collect] asks which layers snapshots refer to, while nobody can take a new hold,
// and removes the others, and the images that are not made of such layers only. So there is no moment at which what
// is in use looks unused; a kill at any time leaves items that nobody refers to, which the next collection removes.
package store
