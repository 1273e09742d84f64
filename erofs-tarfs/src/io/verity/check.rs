//! Files verified.

use std::io;
use std::sync::Mutex;

use super::threads::{lock, on_threads};
use super::{HashingOptions, READ, ReadAt};
use crate::io::Buffer;
use crate::verity::{Fault, Sealed, Verifier};

/// Bytes of data that a worker takes at a time: it asks for the upper hash blocks anew each time.
const PIECE: u64 = 4 << 20;

/// Verifies all data and the whole tree, as `veritysetup verify` does.
///
/// ```
/// use erofs_tarfs::io::verity::{self, HashingOptions};
/// use erofs_tarfs::verity::{Error, Fault, Geometry, Params, HashPlacement};
/// use std::sync::Mutex;
///
/// let mut data = vec![7; 1 << 20];
/// let geometry = Geometry::new(&Params::nydus(), 1 << 20, HashPlacement::OwnFile)?;
/// let tree = Mutex::new(vec![0; geometry.end() as usize]);
/// let sealed = verity::seal(&data[..], &tree, geometry, &HashingOptions::default())?;
/// let tree = tree.into_inner()?;
///
/// data[5000] ^= 1; // in block 9, which starts at byte 4608
/// let found = verity::verify(&data[..], &tree[..], &sealed, &HashingOptions::default());
/// let damaged = Error::DataMismatch { block: 9, offset: 4608 };
/// assert!(matches!(found, Err(Fault::Verity(error)) if error == damaged));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Fault::Verity`] with the first data block that does not verify, whatever the number of
/// threads; [`Fault::Caller`] for what reading gives.
pub fn verify<D: ReadAt + ?Sized, H: ReadAt + ?Sized>(
    data: &D,
    hashes: &H,
    sealed: &Sealed,
    options: &HashingOptions,
) -> Result<(), Fault<io::Error>> {
    let geometry = sealed.geometry();
    let (bits, bytes) = (geometry.data_block().bits(), geometry.data_bytes());
    let verifier = Verifier::new(geometry.clone(), sealed.root());
    let verifier = options.backend.iter().fold(verifier, |v, &backend| v.with_backend(backend));
    let read = READ.max(1 << bits);
    let piece = PIECE.max(read as u64);
    let queue = Mutex::new((0..bytes.div_ceil(piece)).map(|index| index * piece));
    let worker = || {
        let (mut verifier, mut buf) = (verifier.clone(), Buffer::default());
        let mut verify = |at: u64, len: usize| {
            let part = match data.view(at, len) {
                Some(part) => part,
                None => {
                    buf.set_len(read);
                    data.read_exact_at(&mut buf[..len], at).map_err(Fault::Caller)?;
                    &buf[..len]
                }
            };
            let mut hashes = |offset, buf: &mut [u8]| hashes.read_exact_at(buf, offset);
            verifier.verify(at >> bits, part, &mut hashes)
        };
        loop {
            let Some(start) = lock(&queue).next() else { return Ok(()) };
            for at in (start..bytes.min(start + piece)).step_by(read) {
                let done = verify(at, (bytes - at).min(read as u64) as usize);
                if let Err(fault) = done {
                    // Pieces are handed out in order: whoever has an earlier one finishes it.
                    lock(&queue).by_ref().for_each(drop);
                    return Err((at, fault));
                }
            }
        }
    };
    let results = on_threads(options, bytes.div_ceil(piece), &worker);
    let first = results.into_iter().filter_map(Result::err).min_by_key(|&(at, _)| at);
    first.map_or(Ok(()), |(_, fault)| Err(fault))
}
