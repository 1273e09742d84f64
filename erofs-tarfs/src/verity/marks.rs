//! What others write down of sealed data, so that a runtime opens it: annotations of a descriptor in an image,
//! options of a mount.

use alloc::{format, string::String, string::ToString, vec::Vec};

use super::value::Hex;
use super::{Algorithm, Error, HashFormat, Params, Sealed, VerityBlockSize};

/// Whether a tree is one that every reader of these forms takes.
fn is_usual(params: &Params) -> bool {
    params.algorithm() == Algorithm::Sha256 && params.format() == HashFormat::Normal
}

impl Sealed {
    /// Annotations of a layer by the draft of the EROFS image specification, each a key and its value: where
    /// the hash area is, the root hash, and the block size. A reader takes all else from the superblock.
    ///
    /// # Errors
    /// [`Error::NoPlace`]: the specification has the tree directly behind the data, a superblock before it,
    /// and blocks of one size.
    ///
    /// # References
    /// "dm-verity Merkle Tree" in the EROFS image specification (erofs/erofs-image-spec, a draft).
    ///
    /// # Examples
    /// ```
    /// use erofs_tarfs::verity::{Digest, Geometry, Params, HashPlacement, Sealed};
    ///
    /// let geometry = Geometry::new(&Params::containerd_4k(), 1 << 20, HashPlacement::BehindData)?;
    /// let annotations = Sealed::new(geometry, Digest([0xab; 32])).erofs_annotations()?;
    /// assert_eq!(annotations[0], ("org.erofs.dmverity.hash_offset", "1048576".into()));
    /// # Ok::<(), erofs_tarfs::verity::Error>(())
    /// ```
    pub fn erofs_annotations(&self) -> Result<[(&'static str, String); 3], Error> {
        let (geometry, params) = (self.geometry(), self.params());
        let no_place = |what| Err(Error::NoPlace { form: "annotations of EROFS layers", what });
        if !geometry.same_file() || geometry.hash_offset() != geometry.data_bytes() {
            return no_place("a hash tree that is not directly behind the data");
        }
        if params.data_block() != params.hash_block() {
            return no_place("hash blocks of another size than the data blocks");
        }
        if !params.has_superblock() {
            return no_place("a salt: a superblock is wanted");
        }
        if !is_usual(params) {
            return no_place("an algorithm other than SHA-256, or hash format 0");
        }
        Ok([
            ("org.erofs.dmverity.hash_offset", geometry.hash_offset().to_string()),
            ("org.erofs.dmverity.root_digest", format!("sha256:{}", self.root())),
            ("org.erofs.dmverity.block_size", geometry.data_block().to_string()),
        ])
    }

    /// The mount options by which Kata's agent opens an EROFS layer through dm-verity in a guest.
    ///
    /// # Errors
    /// [`Error::NoPlace`] for what Kata 4.1 does not open right: its runtime says no block size, and its
    /// agent takes 4096 for both.
    ///
    /// # References
    /// Kata Containers, `gpt_disk.rs` of the runtime and `multi_layer_erofs.rs` of the agent.
    ///
    /// # Examples
    /// ```
    /// use erofs_tarfs::verity::{Digest, Geometry, Params, HashPlacement, Sealed};
    ///
    /// let geometry = Geometry::new(&Params::containerd_4k(), 1 << 20, HashPlacement::BehindData)?;
    /// let options = Sealed::new(geometry, Digest([0xab; 32])).kata_options()?;
    /// assert_eq!(options[2], "X-kata.dmverity.hashoffset=1048576");
    /// # Ok::<(), erofs_tarfs::verity::Error>(())
    /// ```
    pub fn kata_options(&self) -> Result<Vec<String>, Error> {
        let (geometry, params) = (self.geometry(), self.params());
        let no_place = |what| Err(Error::NoPlace { form: "Kata's mount options", what });
        if !geometry.same_file() {
            return no_place("a hash tree in a file of its own");
        }
        let size = VerityBlockSize::B4096;
        if (params.data_block(), params.hash_block()) != (size, size) {
            return no_place("block sizes: Kata takes 4096/4096");
        }
        if !is_usual(params) {
            return no_place("an algorithm other than SHA-256, or hash format 0");
        }
        let option = |name: &str, value: &str| format!("X-kata.dmverity{name}={value}");
        let mut options = Vec::from([
            option("-enabled", "true"),
            option(".roothash", &self.root().to_string()),
            option(".hashoffset", &geometry.hash_offset().to_string()),
        ]);
        if !params.has_superblock() {
            options.push(option(".no-superblock", "true"));
        }
        match params.salt() {
            [] => return no_place("a tree without salt"),
            salt => options.push(option(".salt", &Hex(salt).to_string())),
        }
        Ok(options)
    }
}
