//! Images around documents of hostile bytes: the documents are named by digests, which a fuzzer does not find,
//! so it writes marks in their places.
//!
//! The parts of an input, between bytes 0xff, are blobs. In the text of one, `@N` stands for the digest of the
//! blob with this digit, `$N` for the digest of what is in it, and `#N` for its length. A blob `tN` is a tar of
//! the generator, `gN` and `zN` the same compressed.

use std::io::Write;
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use testkit::stacks::Stack;
use testkit::tarball::TarBuilder;

/// A blob, and the digest of what is in it, uncompressed.
struct Blob {
    bytes: Vec<u8>,
    diff_id: String,
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn layers() -> &'static [Vec<u8>] {
    static LAYERS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    LAYERS.get_or_init(|| {
        let layers = (0..9).flat_map(|seed| Stack::wild(seed).layers);
        layers.map(|layer| layer.tar).filter(|tar| tar.len() < 8 << 10).take(10).collect()
    })
}

fn blob(part: &[u8], below: &[Option<Blob>]) -> Blob {
    if let [form @ (b't' | b'g' | b'z'), digit] = part {
        let tar = &layers()[usize::from(*digit) % layers().len()];
        let bytes = match form {
            b't' => tar.clone(),
            b'z' => zstd::encode_all(&tar[..], 1).expect("memory"),
            _ => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(tar).expect("memory");
                encoder.finish().expect("memory")
            }
        };
        return Blob { bytes, diff_id: hex(tar) };
    }
    let mut bytes = Vec::new();
    let mut rest = part.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        let number = rest.peek().map(|digit| usize::from(digit.wrapping_sub(b'0')));
        let named = number.and_then(|number| below.get(number)?.as_ref());
        let text = named.and_then(|blob| match byte {
            b'@' => Some(hex(&blob.bytes)),
            b'$' => Some(blob.diff_id.clone()),
            b'#' => Some(blob.bytes.len().to_string()),
            _ => None,
        });
        match text {
            Some(text) => {
                bytes.extend_from_slice(text.as_bytes());
                rest.next();
            }
            None => bytes.push(byte),
        }
    }
    let diff_id = hex(&bytes);
    Blob { bytes, diff_id }
}

/// The parts of an input as blobs. Each may name those behind it.
fn blobs(input: &[u8]) -> Vec<Vec<u8>> {
    let parts: Vec<&[u8]> = input.split(|byte| *byte == 0xff).take(10).collect();
    let mut blobs: Vec<Option<Blob>> = parts.iter().map(|_| None).collect();
    for number in (0..parts.len()).rev() {
        blobs[number] = Some(blob(parts[number], &blobs));
    }
    blobs.into_iter().flatten().map(|blob| blob.bytes).collect()
}

/// An archive of an OCI layout, whose index is the first blob.
pub(crate) fn oci(input: &[u8]) -> Vec<u8> {
    let blobs = blobs(input);
    let tar = TarBuilder::new().file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
    let tar = tar.file("index.json", blobs.first().map_or(&[][..], Vec::as_slice));
    let add =
        |tar: TarBuilder, blob: &Vec<u8>| tar.file(format!("blobs/sha256/{}", hex(blob)), blob);
    blobs.iter().skip(1).fold(tar, add).finish()
}

/// An archive as `docker save` writes it, whose list is the first blob; the others are files `1`, `2` and so
/// on, `1/json` in the old form.
pub(crate) fn docker(input: &[u8], is_old: bool) -> Vec<u8> {
    let blobs = blobs(input);
    let list = if is_old { "repositories" } else { "manifest.json" };
    let tar = TarBuilder::new().file(list, blobs.first().map_or(&[][..], Vec::as_slice));
    let add = |tar: TarBuilder, (number, blob): (usize, &Vec<u8>)| match is_old {
        true if number % 2 == 1 => tar.file(format!("{number}/json"), blob),
        true => tar.file(format!("{}/layer.tar", number - 1), blob),
        false => tar.file(number.to_string(), blob),
    };
    blobs.iter().enumerate().skip(1).fold(tar, add).finish()
}
