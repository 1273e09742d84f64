//! Memory at its peak, counted by the allocator: it follows entries, not bytes of bodies.

use std::io::{Read, Write};
use std::time::Duration;

use erofs_tarfs::io::{Compression, Uncompressed};
use erofs_tarfs::limits::Limits;
use erofs_tarfs::tree::{LayerBuilder, LayerOptions, Tree};
use erofs_tarfs::{image, layout};
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use testkit::counting::{Counting, peak};
use testkit::tarball::TarBuilder;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Pushes the headers of a tar, bodies skipped as a seeking caller does.
fn index(tar: &[u8]) -> Tree {
    let mut builder = LayerBuilder::new(LayerOptions::default());
    for piece in tar.chunks(65536) {
        builder.push(piece).unwrap();
    }
    builder.finish().unwrap().tree
}

/// One test, for the counters are one.
#[test]
fn peaks() {
    let count = 500_000usize;
    let tar = (0..count).fold(TarBuilder::new(), |tar, n| {
        tar.file(format!("d{}/file-{n:06}", n / 250), b"").mtime(n as i64, 0)
    });
    let tar = tar.finish();
    let (bytes, peak_bytes) = peak(|| {
        let tree = index(&tar);
        let layout = layout::plan(&tree, &layout::LayoutOptions::default()).unwrap();
        let mut bytes = image::head(&layout).len();
        let done: Result<(), std::convert::Infallible> = image::body(&layout, &mut |piece| {
            bytes += piece.len();
            Ok(())
        });
        done.unwrap();
        bytes
    });
    let each = peak_bytes as f64 / count as f64;
    println!("{count} files: {each:.0} bytes each at the peak; image {bytes} bytes");
    assert!(peak_bytes < 96 * count, "{each:.0} bytes a file");
    drop(tar);

    // Ten files, 5 GiB: the body is pushed in pieces, as from a pipe.
    let size = 512u64 << 20;
    let mut builder = LayerBuilder::new(LayerOptions::default());
    let ((), peak_bytes) = peak(|| {
        let zeros = vec![0u8; 1 << 20];
        for n in 0..10 {
            let tar = TarBuilder::new().file(format!("big{n}"), b"").size(size).finish();
            builder.push(&tar[..512]).unwrap();
            for _ in 0..size >> 20 {
                builder.push(&zeros).unwrap();
            }
        }
        builder.push(&zeros[..1024]).unwrap();
    });
    let layer = builder.finish().unwrap();
    assert_eq!(layer.end.bytes, 10 * (size + 512) + 1024);
    println!("5 GiB in ten files: {peak_bytes} bytes at the peak");
    assert!(peak_bytes < 16 << 20);

    // Members that become much, decompressed by several threads, none of which may run ahead of who takes it.
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(&vec![0; 8 << 20]).unwrap();
    let stream = encoder.finish().unwrap().repeat(64);
    let mut room = vec![0; 1 << 20];
    for threads in [1, 4, 8] {
        let (bytes, peak_bytes) = peak(|| {
            let stream = Uncompressed::new(Compression::Gzip, &stream[..]).unwrap();
            let mut stream = stream.limits(Limits::new().max_ratio(2_000)).threads(threads);
            // They have time to make as much as they may.
            stream.read_exact(&mut room).unwrap();
            std::thread::sleep(Duration::from_millis(500));
            let mut bytes = room.len();
            while let read @ 1.. = stream.read(&mut room).unwrap() {
                bytes += read;
            }
            bytes
        });
        println!("512 MiB of {}, {threads} threads: {peak_bytes} bytes at the peak", stream.len());
        assert_eq!(bytes, 64 * (8 << 20));
        assert!(peak_bytes < 56 << 20 && peak_bytes > 8 << 20);
    }
}
