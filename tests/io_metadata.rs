//! `io`: metadata written to a file is what is made in memory, also where two threads write it.

use erofs_tarfs::image;
use erofs_tarfs::io::{NamedFile, write_metadata, write_metadata_at};
use erofs_tarfs::layout::{self, Artifact, DiskOrder, LayoutOptions};
use erofs_tarfs::tree::{LayerBuilder, LayerOptions, Tree};
use testkit::tarball::TarBuilder;

fn layer(files: usize) -> Tree {
    let mut tar = TarBuilder::new();
    for number in 0..files {
        tar = tar.file(format!("{}/{number}", number / 100), [7; 3]);
    }
    let mut builder = LayerBuilder::new(LayerOptions::default());
    builder.push(&tar.finish()).unwrap();
    builder.finish().unwrap().tree
}

fn file() -> NamedFile {
    NamedFile::new("metadata", tempfile::tempfile().unwrap())
}

fn bytes(file: &NamedFile, at: u64, len: u64) -> Vec<u8> {
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, at).unwrap();
    bytes
}

#[test]
fn it_is_what_is_made_in_memory() {
    for files in [3, 100_000] {
        let tree = layer(files);
        for artifact in [Artifact::Bootstrap, Artifact::Disk(DiskOrder::DataFirst)] {
            let options = LayoutOptions::new().artifact(artifact);
            let layout = layout::plan(&tree, &options).unwrap();
            // In one thread, or in two.
            assert_eq!(layout.body_bytes() >= 4 << 20, files > 3, "{}", layout.body_bytes());
            let expected = image::bootstrap(&layout);
            let (head, body) = expected.split_at(layout.head_bytes() as usize);

            let whole = file();
            write_metadata(&layout, &whole).unwrap();
            assert!(bytes(&whole, 0, layout.head_bytes()) == head);
            assert!(bytes(&whole, layout.body_offset(), layout.body_bytes()) == body);
            assert_eq!(whole.bytes().unwrap(), layout.body_offset() + layout.body_bytes());

            let alone = file();
            assert_eq!(write_metadata_at(&layout, &alone, 512).unwrap(), expected.len() as u64);
            assert!(bytes(&alone, 512, expected.len() as u64) == expected);
        }
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let tree = layer(100_000);
    let layout = layout::plan(&tree, &LayoutOptions::default()).unwrap();
    let full = std::fs::File::options().read(true).write(true).open("/dev/full").unwrap();
    let full = NamedFile::new("/dev/full", full);
    assert!(write_metadata(&layout, &full).unwrap_err().to_string().contains("/dev/full"));
}
