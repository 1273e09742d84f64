//! What the help of several commands says besides the options.

/// What a LAYER is, for all commands that take some.
pub(crate) const LAYERS: &str = "\
A LAYER is any of these; several are given lowest first:
  FILE.tar, .tar.gz, .zst, .xz, .bz2    a tar, compressed or not, told by its first bytes
  a bootstrap or a disk                 made by tarfs, containerd ([index][tar]) or mkfs.erofs
  -                                     any of those on standard input, once
An image stands for all its layers:
  oci:DIR[:NAME]                        in an OCI image layout
  oci-archive:FILE[:NAME]               in a tar of one, compressed or not
  docker-archive:FILE[:NAME[:TAG]]      in a `docker save` file, also of before Docker 1.10
  dir:DIR                               as `skopeo copy … dir:` leaves it
  docker://[HOST/]NAME[:TAG|@DIGEST]    in a registry, as Docker shortens names
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
