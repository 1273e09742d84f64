// What examples in the documentation include in a hidden line, so that each can show a real tar:
//
//     # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
//     # use doc::tar_of;

use erofs_tarfs::tree::{LayerBuilder, LayerOptions, Tree};

/// The bytes of a tar with these entries, names and contents. As in `ls -F`, a name that ends with `/`
/// is a directory, and one that ends with `@` a symbolic link to what the content says; all others are
/// regular files. A header takes 512 bytes, a content is filled up to a multiple of 512 with zeros, and
/// 1024 zeros end the tar.
pub(crate) fn tar_of(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, content) in entries {
        let (name, mode, kind, link, body) = match name.strip_suffix('@') {
            Some(name) => (name, 0o777, '2', *content, ""),
            None if name.ends_with('/') => (*name, 0o755, '5', "", ""),
            None => (*name, 0o644, '0', "", *content),
        };
        let (nul, zero, size, blank) = ('\0', 0, body.len(), ' ');
        let mut header = [
            format!("{name:\0<100}{mode:07o}{nul}{zero:07o}{nul}{zero:07o}{nul}"), // owner, group
            format!("{size:011o}{nul}{zero:011o}{nul}{blank:8}"), // time, room for the checksum
            format!("{kind}{link:\0<100}ustar{nul}00"),
        ]
        .concat()
        .into_bytes();
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend(header);
        tar.resize(tar.len().next_multiple_of(512), 0);
        tar.extend_from_slice(body.as_bytes());
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

/// The layer that such a tar makes. Its one device is the tar.
pub(crate) fn layer_of(entries: &[(&str, &str)]) -> Tree {
    let mut builder = LayerBuilder::new(LayerOptions::default());
    builder.push(&tar_of(entries)).expect("a sound tar");
    builder.finish().expect("a whole tar").tree
}
