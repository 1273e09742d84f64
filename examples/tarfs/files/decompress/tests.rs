use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn all(kind: Kind, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let read = Uncompressed::new(kind, bytes).read_to_end(&mut out);
    read.map(|_| out).map_err(|error| error.to_string())
}

#[test]
fn members_frames_and_padding() {
    let skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
    for (what, kind, bytes) in [
        ("one", Kind::Gzip, gzip(b"ab")),
        ("two", Kind::Gzip, [gzip(b"a"), gzip(b"b")].concat()),
        ("empty ones", Kind::Gzip, [gzip(b""), gzip(b"ab"), gzip(b""), gzip(b"")].concat()),
        ("zeros", Kind::Gzip, [gzip(b"ab"), vec![0; 10_000]].concat()),
        ("one zero", Kind::Gzip, [gzip(b"ab"), vec![0]].concat()),
        ("frame", Kind::Zstd, zstd(b"ab")),
        ("frames", Kind::Zstd, [zstd(b"a"), zstd(b""), zstd(b"b")].concat()),
        ("skipped", Kind::Zstd, [zstd(b"a"), skipped.clone(), zstd(b"b")].concat()),
        ("skipped first", Kind::Zstd, [skipped.clone(), zstd(b"ab"), skipped].concat()),
        ("frame, zeros", Kind::Zstd, [zstd(b"ab"), vec![0; 600_000]].concat()),
    ] {
        assert_eq!(all(kind, &bytes).as_deref(), Ok(&b"ab"[..]), "{what}");
    }
    assert_eq!(all(Kind::Gzip, &gzip(b"")), Ok(Vec::new()));
}

#[test]
fn what_follows_is_counted_and_placed() {
    for (kind, stream) in [(Kind::Gzip, gzip(b"ab")), (Kind::Zstd, zstd(b"ab"))] {
        let end = stream.len();
        let error = all(kind, &[&stream[..], b"\0\0x\0y"].concat()).unwrap_err();
        assert!(error.contains(&format!("at byte {end} ")), "{error}");
        assert!(error.contains("5 bytes follow, 2 of them"), "{error}");
    }
    let stream = gzip(b"ab");
    let error = all(Kind::Gzip, &[&stream[..], b"rest"].concat()).unwrap_err();
    assert!(error.contains("4 bytes follow, 4 of them"), "{error}");
}

#[test]
fn errors_know_where() {
    // Noise, so that the compressed bytes are as many.
    let mut seed = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    })
    .take(1 << 20)
    .collect();
    for (kind, stream) in [(Kind::Gzip, gzip(&noise)), (Kind::Zstd, zstd(&noise))] {
        let cut = &stream[..stream.len() / 2];
        let error = all(kind, cut).unwrap_err();
        assert!(error.contains(&format!("at byte {} ", cut.len())), "{error}");
        // A checksum that is wrong, or a length, near the end.
        let mut bad = stream.clone();
        let at = bad.len() - 6;
        bad[at] ^= 0xff;
        if kind == Kind::Gzip {
            let error = all(kind, &bad).unwrap_err();
            assert!(!error.contains("at byte 0 "), "{error}");
        }
    }
}
