//! What is known of sealed data: geometry, root hash, and the texts that others want.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::c_char;

use erofs_tarfs::verity::{self, Algorithm, Geometry, Superblock, TreeDigest};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::abi::string;
use crate::verity::params::{self, VerityParams};

/// Geometry and root hash of sealed data. It does not change: any number of threads may use it.
#[derive(Debug)]
pub struct Sealed(pub(crate) verity::Sealed);

/// Sizes and offsets of a hash tree, and its root hash.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsSealedInfo {
    /// sizeof(tarfs_sealed_info).
    pub size: usize,
    /// The root hash of SHA-256; zeros of another algorithm.
    pub root: [u8; 32],
    /// Data block size in bytes.
    pub data_block: u32,
    /// Hash block size in bytes.
    pub hash_block: u32,
    /// Data blocks.
    pub data_blocks: u64,
    /// Bytes of data.
    pub data_bytes: u64,
    /// Byte offset of the hash area in its file, as veritysetup's --hash-offset takes it.
    pub hash_offset: u64,
    /// Byte offset of the tree in its file: behind the superblock, if there is one.
    pub tree_offset: u64,
    /// Bytes of the tree.
    pub tree_bytes: u64,
    /// End of the hash area in its file.
    pub end: u64,
    /// Levels of the tree.
    pub levels: u32,
    /// 1 if there is a superblock.
    pub has_superblock: u32,
    /// UUID of the superblock.
    pub uuid: [u8; 16],
    /// Length of the root hash in bytes: 32, or 64 of SHA-512.
    pub root_len: u32,
    /// One of TARFS_ALGORITHM_.
    pub algorithm: u32,
    /// The root hash, of root_len bytes, zeros behind it.
    pub long_root: [u8; 64],
}

// SAFETY: integers, the size first.
unsafe impl Sized for TarfsSealedInfo {}

/// Device-mapper table line; a is the data device, b the hash device.
pub const TARFS_TEXT_TABLE: u32 = 0;
/// "veritysetup open" command line; a is the data, b the hash device, c the name.
pub const TARFS_TEXT_OPEN: u32 = 1;
/// "veritysetup format" command line that makes the same tree; a is the data, b the hash device.
pub const TARFS_TEXT_FORMAT: u32 = 2;
/// "veritysetup verify" command line; a is the data, b the hash device.
pub const TARFS_TEXT_VERIFY: u32 = 3;
/// Nydus's label: "N,M,sha256:ROOT", N data blocks, M the hash offset in bytes.
pub const TARFS_TEXT_NYDUS: u32 = 4;
/// The JSON that containerd puts beside a layer.
pub const TARFS_TEXT_CONTAINERD: u32 = 5;
/// Kata's JSON.
pub const TARFS_TEXT_KATA: u32 = 6;
/// The root hash: 64 hex digits, 128 of SHA-512.
pub const TARFS_TEXT_ROOT: u32 = 7;
/// Annotations of a layer by the draft EROFS image specification, as a JSON object:
/// org.erofs.dmverity.root_digest and others. TARFS_STATUS_VERITY for a tree that they have no place
/// for.
pub const TARFS_TEXT_EROFS_ANNOTATIONS: u32 = 8;
/// Options by which Kata mounts a layer in a guest, with commas between them:
/// X-kata.dmverity.roothash=ROOT and others. TARFS_STATUS_VERITY for a tree that Kata would open
/// wrong: it knows 4096/4096 alone.
pub const TARFS_TEXT_KATA_OPTIONS: u32 = 9;

/// Says what is known of data that was sealed elsewhere.
///
/// @param params NULL for those of the preset "nydus".
/// @param data_bytes Length of the data in bytes: whole data blocks.
/// @param root 32 bytes, 64 of SHA-512.
/// @param sealed Receives it, ended with tarfs_sealed_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_sealed_new(
    params: *const VerityParams,
    data_bytes: u64,
    root: *const u8,
    sealed: *mut *mut Sealed,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(sealed, "sealed")?;
            let geometry = VerityParams::geometry(params, data_bytes)?;
            let root = digest(&geometry, root)?;
            pointer::put(sealed, pointer::give(Sealed(verity::Sealed::new(geometry, root))));
            Ok(())
        })
    }
}

/// The same from a superblock: it says parameters and length, placement the rest.
///
/// @param superblock Its bytes: 512 from its offset on.
/// @param placement One of TARFS_HASH_: where the superblock was found.
/// @param hash_offset Byte offset of the superblock, with TARFS_HASH_AT.
/// @param root 32 bytes; a superblock has none. One of SHA-512 is TARFS_STATUS_INVALID_ARGUMENT: that is for
///        tarfs_sealed_parse.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_sealed_from_superblock(
    superblock: *const u8,
    superblock_len: usize,
    placement: u32,
    hash_offset: u64,
    root: *const u8,
    sealed: *mut *mut Sealed,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(sealed, "sealed")?;
            let bytes = pointer::bytes(superblock, superblock_len, "superblock")?;
            let superblock = Superblock::parse(bytes)?;
            let placement = VerityParams::placement(placement, hash_offset)?;
            let geometry = superblock.geometry(placement)?;
            // What a superblock says must not make this read more than the caller has.
            let (algorithm, known) = (superblock.params().algorithm(), Algorithm::Sha256);
            if algorithm != known {
                let why = "root hashes of 32 bytes are of sha256: tarfs_sealed_parse takes this";
                return Err(Error::argument(format!("superblock of {algorithm}: {why}")));
            }
            let root = digest(&geometry, root)?;
            pointer::put(sealed, pointer::give(Sealed(verity::Sealed::new(geometry, root))));
            Ok(())
        })
    }
}

/// The same from a superblock of any algorithm, with the root hash as text.
///
/// @param superblock Its bytes: 512 from its offset on.
/// @param placement One of TARFS_HASH_: where the superblock was found.
/// @param hash_offset Byte offset of the superblock, with TARFS_HASH_AT.
/// @param root 64 hex digits, 128 of SHA-512. TARFS_STATUS_VERITY if it is not as long as the algorithm has it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_sealed_parse(
    superblock: *const u8,
    superblock_len: usize,
    placement: u32,
    hash_offset: u64,
    root: *const c_char,
    sealed: *mut *mut Sealed,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(sealed, "sealed")?;
            let bytes = pointer::bytes(superblock, superblock_len, "superblock")?;
            let superblock = Superblock::parse(bytes)?;
            let root: TreeDigest = pointer::text(root, "root")?.parse()?;
            if root.algorithm() != superblock.params().algorithm() {
                let bytes = root.as_bytes().len();
                return Err(verity::Error::DigestLength { bytes }.into());
            }
            let placement = VerityParams::placement(placement, hash_offset)?;
            let geometry = superblock.geometry(placement)?;
            pointer::put(sealed, pointer::give(Sealed(verity::Sealed::new(geometry, root))));
            Ok(())
        })
    }
}

/// A root hash as long as those of a tree.
///
/// # Safety
///
/// `root` is NULL, or readable for as many bytes.
unsafe fn digest(geometry: &Geometry, root: *const u8) -> Result<TreeDigest, Error> {
    // SAFETY: by the contract.
    let bytes = unsafe { pointer::bytes(root, geometry.params().digest_len(), "root")? };
    TreeDigest::of(bytes).ok_or_else(|| Error::null("root"))
}

/// Sizes, offsets and root hash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_sealed_get_info(
    sealed: *const Sealed,
    info: *mut TarfsSealedInfo,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let sealed = &pointer::borrow(sealed, "sealed")?.0;
            let geometry = sealed.geometry();
            let uuid = sealed.uuid();
            let digest = sealed.root();
            let root = digest.as_bytes();
            let mut long_root = [0; TreeDigest::MAX];
            long_root[..root.len()].copy_from_slice(root);
            let answer = TarfsSealedInfo {
                size: 0,
                root: root.first_chunk().copied().filter(|_| root.len() == 32).unwrap_or([0; 32]),
                data_block: geometry.data_block().bytes(),
                hash_block: geometry.hash_block().bytes(),
                data_blocks: geometry.data_blocks(),
                data_bytes: geometry.data_bytes(),
                hash_offset: geometry.hash_offset(),
                tree_offset: geometry.tree_offset(),
                tree_bytes: geometry.tree_bytes(),
                end: geometry.end(),
                levels: geometry.levels().len() as u32,
                has_superblock: uuid.is_some().into(),
                uuid: uuid.map_or([0; 16], |uuid| uuid.0),
                root_len: root.len() as u32,
                algorithm: params::algorithm_number(sealed.params().algorithm()),
                long_root,
            };
            sized::write(info, answer, "info")
        })
    }
}

/// A text about sealed data, for others to read.
///
/// @param kind One of TARFS_TEXT_, which says what a, b and c are: strings in UTF-8.
/// @param text Receives a NUL-terminated string, freed with tarfs_string_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_sealed_get_text(
    sealed: *const Sealed,
    kind: u32,
    a: *const c_char,
    b: *const c_char,
    c: *const c_char,
    text: *mut *mut c_char,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let sealed = &pointer::borrow(sealed, "sealed")?.0;
            pointer::output(text, "text")?;
            let word = |given, what| pointer::text(given, what).map(str::to_owned);
            let made = match kind {
                TARFS_TEXT_TABLE => sealed.table_line(&word(a, "a")?, &word(b, "b")?),
                TARFS_TEXT_OPEN => {
                    let (a, b, c) = (word(a, "a")?, word(b, "b")?, word(c, "c")?);
                    sealed.open_command(&a, &c, &b).to_string()
                }
                TARFS_TEXT_FORMAT => {
                    sealed.format_command(&word(a, "a")?, &word(b, "b")?).to_string()
                }
                TARFS_TEXT_VERIFY => {
                    sealed.verify_command(&word(a, "a")?, &word(b, "b")?).to_string()
                }
                TARFS_TEXT_NYDUS => sealed.nydus_label(),
                TARFS_TEXT_CONTAINERD => sealed.containerd_sidecar(),
                TARFS_TEXT_KATA => sealed.kata_json(),
                TARFS_TEXT_ROOT => sealed.root().to_string(),
                TARFS_TEXT_EROFS_ANNOTATIONS => {
                    let member = |(key, value): (&str, String)| format!("\"{key}\":\"{value}\"");
                    format!("{{{}}}", sealed.erofs_annotations()?.map(member).join(","))
                }
                TARFS_TEXT_KATA_OPTIONS => sealed.kata_options()?.join(","),
                other => return Err(Error::argument(format!("kind {other}: not known"))),
            };
            string::put(text, made)
        })
    }
}

/// Frees sealed data's description.
///
/// @param sealed What is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_sealed_free(sealed: *mut Sealed) {
    // SAFETY: the caller passes NULL or what this library made, once.
    unsafe { pointer::free(sealed) }
}
