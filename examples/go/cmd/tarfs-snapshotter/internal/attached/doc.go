// Package attached finds what came with an image in its registry, as `tarfs push --attach` puts it there: an artifact
// that refers to the image's manifest, with the image's metadata, the dm-verity hash tree of its disk, and its root hash.
//
// [Finder.Layer] is asked before a layer is made. It finds the image in containerd's content store, by the labels that
// say which layers a manifest has and which registry it came from; asks the registry for referrers; and has the store
// keep what it finds, once it was found to be right:
//
//   - manifest and files have the digests and lengths by which they were referred to;
//   - the annotations name the layers, in their order, that the image's own manifest and configuration name;
//   - options that the bytes depend on are those of this daemon;
//   - the root hash is one that is expected, where roots are;
//   - metadata and hash tree give that root hash: see [store.Store.Attach].
//
// Registries and whoever pushes to them may be hostile: [Options] and guard.go have the rules that they are held to.
//
// Each image is looked for once, however many of its layers are made at the same time.
package attached
