//! What the help says besides the options.

/// Behind the list of commands.
pub(super) const EXAMPLES: &str = "\
A bootstrap is EROFS metadata whose file data stays in tars; a disk has both in one file.

  Index a layer, and see what is in it:
    tarfs layer layer.tar                  # makes layer.tar.erofs
    tarfs ls -l layer.tar.erofs /etc
  Mount it, the tar as its device, as this prints:
    tarfs mount-args layer.tar.erofs
  Merge layers, lowest first, into one image over their tars:
    tarfs merge -o image.erofs base.tar app.tar config.tar
  One raw disk with a dm-verity tree behind the data:
    tarfs export --mode image_block_with_verity -o image.disk base.tar app.tar
  The same of an OCI image as skopeo or umoci write it, or of `docker save`:
    tarfs export --mode image_block_with_verity -o image.disk oci:DIR:latest
    tarfs export --mode image_block_with_verity -o image.disk docker-archive:FILE:NAME

A file may be a block device. DISK:N is partition N of a disk with a GPT, for all that read images or
layers; without :N it is the only one with EROFS in it, or all for inspect, check and mount-args.

An output is whole or not there. It takes no place of a file that is read, or that an input needs; a
link is followed to its regular file. -o - is standard output, all of it at once when it is whole, and
what is said of it goes to standard error; a file of that name is ./-. Exit codes: 0 done, 1 bad input or
a file that cannot be read or written, 2 a command line that makes no sense.";

/// What a LAYER is, for all commands that take some.
pub(super) const LAYERS: &str = "\
A LAYER is any of these; several are given lowest first:
  FILE.tar, FILE.tar.gz, FILE.tar.zst   a tar, compressed or not, told by its first bytes
  a bootstrap or a disk                 made by tarfs, containerd ([index][tar]) or mkfs.erofs
  -                                     any of those on standard input, once
An image stands for all its layers:
  oci:DIR[:NAME]                        in an OCI image layout
  oci-archive:FILE[:NAME]               in a tar of one, compressed or not
  docker-archive:FILE[:NAME[:TAG]]      in a `docker save` file, also of before Docker 1.10
  dir:DIR                               as `skopeo copy … dir:` leaves it
NAME may have / and : in it. :@N is the image at place N, from 0 on; @sha256:… instead of NAME is
that manifest or index. FILE may be -. Of several platforms --platform says which is meant; images
of others may be absent, attestations and other artifacts are passed over.
Layers of images are checked against their digests and diffIDs.

The tars of a bootstrap are looked for in --tars DIR or, without it, beside the bootstrap: by name (TAG,
TAG.tar, sha256-TAG), then by content. Without --tars only a tag that is a SHA-256 names a file (and
FILE.tar that of FILE.tar.erofs or FILE.erofs, if one is needed). A tar that is tagged with its SHA-256
must have it. It is read once more for that, which takes as long as `sha256sum`; bootstraps that are
merged into a bootstrap need no tars; if two say the same digest, and it is found, they share a device.
`tarfs cat`, which reads one file of a tar, and `tarfs mount-args`, which reads none, take a tar that
has the name of the digest as it is.

Of tars, what an image has no place for (attributes of com.apple.…) is dropped, and a warning counts it,
unless --strict makes it an error. Where a layer has something below a symbolic link of a lower layer, as
lib/x over lib -> usr/lib, a directory takes the link's place, as overlayfs shows it, and a warning says so;
--follow-lower-links puts it where the link leads, as what extracts layers does.

No file may change while it is read: what was made of it is then not kept, and that is an error.";

/// Of `tarfs export`.
pub(super) const EXPORT_HELP: &str = "\
A LAYER is a tar (.tar, .tar.gz, .tar.zst), a bootstrap or disk, - for standard input, or an image
(oci:, oci-archive:, docker-archive:, dir:); several are given lowest first (`tarfs merge --help`
says more).

layer_* modes with several layers write one file for each into the directory -o, named by its tag
(TAG.disk, TAG.vmdk, TAG.sh, or TAG.verity for the tree alone), and print in layer order.

*_verity_only modes hash the disk that the same layers and options would give, without writing it.
The output is the hash tree in a file of its own; the disk is had at any time by the *_block mode,
or as a device-mapper table over bootstrap and tars.

--sealed takes the digests of a layer's data out of the tree that layer_block_with_verity put behind
its disk. The image gets the bytes that it gets without.

--form says how disks come out. Only raw copies (or shares, where the filesystem has reflinks); the
others leave tars where they are and write OUT.metadata, with all that is in no tar. --gpt puts the
disks into one disk, a partition each. --gpt=dps is of one image, as systemd finds it: a root partition
for the processors of --platform, of the image or of this machine, and its hash tree, with a superblock,
in a partition of its own; the UUIDs of the two are the halves of the root hash. dps-usr: the same of /usr.

  tarfs export --mode image_block_with_verity --align 512KiB -o image.disk --json a.tar b.tar
  tarfs export --mode layer_block -o disks/ oci:DIR:latest
  tarfs export --mode image_block --form vmdk -o image.vmdk a.tar b.tar
    qemu-system-x86_64 -drive file=image.vmdk,readonly=on …   # or a guest could write to the tars
  tarfs export --mode image_block_with_verity --form dm-linear -o image.sh a.tar b.tar
    sh image.sh NAME                                          # makes /dev/mapper/NAME
  tarfs export --mode layer_block --gpt --form vmdk -o layers.vmdk a.tar b.tar
  tarfs export --mode image_block_with_verity --gpt=dps -o image.raw oci:DIR:latest
    systemd-dissect --root-hash=$ROOT image.raw
  tarfs export --mode image_verity_only -o tree --sealed a.disk=$A --sealed b.disk=$B a.disk b.disk";

/// Of `tarfs layer`.
pub(super) const LAYER: &str = "\
Examples:
  tarfs layer layer.tar                        # layer.tar.erofs over layer.tar
  tarfs layer -o base.erofs base.tar.zst       # and its uncompressed tar beside it
  curl -sf URL | tarfs layer --strict --disk -o base.disk -      # a broken connection is an error
  zcat layer.tar.gz | tarfs layer --disk --placement data-first --verity -o base.disk -
  tarfs layer --blob-id $DIGEST big.tar        # the fast way: bodies are not read

The tag of the device is the blob ID: --blob-id, or the SHA-256 of the uncompressed tar, which
costs reading all of it. A compressed tar or a stream cannot be a device itself: without --disk
its uncompressed tar is put beside OUT, named by the tag (it is found again by itself if that is its
SHA-256, and by --tars else), unless --index-only says that it is kept
elsewhere (`tee layer.tar | tarfs layer --index-only -o layer.erofs -`).

No byte at all is an error. A tar that ends without its two zero blocks may have been cut short between
two entries, which nobody can tell: GNU tar and containerd take it as it is; so does this, and warns,
and fails with --strict.

Extended attributes of namespaces that EROFS does not have (com.apple.…) are dropped, and a warning counts
them; so are access control lists as text without numbers. With --strict they are errors. A .. in a name,
and a type of entry that nobody knows, are errors without --resolve-dot-dot and --skip-unknown-types.

With --placement data-first a stream is written and hashed once, as it goes by: the disk is whole,
root hash included, when the stream ends.";
