//! Files sealed.

use std::io;

use super::{HashingOptions, READ, ReadAt, WriteAt, build};
use crate::io::Buffer;
use crate::verity::{Backend, BlockHasher, Fault, Geometry, Sealed};

/// Hashes the data that `geometry` describes from the beginning of `data`, and writes the hash
/// area, superblock included, to `hashes`; both may be the same file.
///
/// Memory: about a quarter of a mebibyte a thread, and a digest for each hash block of the lowest level.
///
/// ```
/// use erofs_tarfs::io::{NamedFile, verity};
/// use erofs_tarfs::verity::{Geometry, Params, HashPlacement};
///
/// // A disk, and its hash tree right behind it in the same file.
/// let disk = NamedFile::new("base.disk", tempfile::tempfile()?);
/// disk.write_all_at(&[7; 8192], 0)?;
/// let geometry = Geometry::new(&Params::nydus(), disk.bytes()?, HashPlacement::BehindData)?;
/// disk.set_bytes(geometry.end())?;
/// let sealed = verity::seal(&disk, &disk, geometry, &verity::HashingOptions::default())?;
/// println!("{}", sealed.open_command("base.disk", "base", "base.disk"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What reading `data` or writing `hashes` gives.
pub fn seal<D: ReadAt + ?Sized, H: WriteAt + ?Sized>(
    data: &D,
    hashes: &H,
    geometry: Geometry,
    options: &HashingOptions,
) -> io::Result<Sealed> {
    // Reads the last byte first: data that is too short is an error before memory is taken for
    // digests.
    data.read_exact_at(&mut [0], geometry.data_bytes() - 1)?;
    let block = geometry.data_block();
    let hasher = BlockHasher::of(geometry.params());
    let hasher = hasher.with_backend(options.backend.unwrap_or_else(Backend::best));
    let (zero, digest_len) = (hasher.hash_zeros(block), hasher.digest_len());
    let read = READ.max(block.bytes() as usize);
    let leaves = |start: u64, digests: &mut [u8], buf: &mut Buffer| {
        let mut at = start;
        for digests in digests.chunks_mut((read >> block.bits()) * digest_len) {
            let len = (digests.len() / digest_len) << block.bits();
            let part = match data.view(at, len) {
                Some(part) => part,
                None => {
                    buf.set_len(read);
                    data.read_exact_at(&mut buf[..len], at).map_err(Fault::Caller)?;
                    &buf[..len]
                }
            };
            at += part.len() as u64;
            if is_zero(part) {
                // A hole, or padding between layers.
                let digests = digests.chunks_exact_mut(digest_len);
                digests.for_each(|digest| digest.copy_from_slice(zero.as_bytes()));
            } else {
                hasher.hash_blocks(block, part, digests)?;
            }
        }
        Ok(None)
    };
    let put = |offset: u64, blocks: &[u8]| hashes.write_all_at(blocks, offset);
    build(geometry, options, &leaves, &put).map_err(|fault| match fault {
        Fault::Caller(error) => error,
        Fault::Verity(error) => io::Error::other(error),
    })
}

/// Whether all bytes are zero; as a rule the first few tell.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(4096).all(|page| page.iter().fold(0, |sum, byte| sum | byte) == 0)
}
