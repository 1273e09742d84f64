//! `io`: a tar indexed from a file, whose bodies are passed over, and from a stream.

use std::io::Read;
use std::path::Path;

use erofs_tarfs::io::{Error, NamedFile, index_file, index_reader};
use erofs_tarfs::tree::{Device, InodeId, LayerBuilder, LayerOptions, Tree};
use testkit::tarball::TarBuilder;

fn tar() -> Vec<u8> {
    let mut tar = TarBuilder::new().dir("d", 0o755);
    for (number, len) in [0, 1, 511, 65_536, 65_537, 300_000, 700_000, 5].into_iter().enumerate() {
        tar = tar.file(format!("d/{number}"), vec![b'x'; len]);
    }
    // Something behind the end marker: a stream is read to its end.
    [tar.finish(), vec![0; 10_240]].concat()
}

fn named(bytes: &[u8]) -> NamedFile {
    let file = tempfile::tempfile().unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, bytes, 0).unwrap();
    NamedFile::new("t.tar", file)
}

/// All that is in a tree, but for what is known of its file.
fn text(tree: &Tree) -> String {
    let device = |device: &Device| format!("{:?}", (&device.tag, device.bytes, device.base_offset));
    let mut text: String = tree.devices().iter().map(device).collect();
    let mut todo = vec![InodeId::ROOT];
    while let Some(id) = todo.pop() {
        text += &format!("\n{:?} {:?}", tree.attributes(id), tree.content(id));
        for (name, child) in tree.children(id) {
            text += &format!("\n{name:?} {child:?}");
            todo.push(child);
        }
    }
    text
}

/// Gives a few bytes at a time, at odd lengths.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.1 = self.1 * 7 % 1009 + 1;
        let len = self.1.min(buf.len());
        self.0.read(&mut buf[..len])
    }
}

#[test]
fn a_file_and_a_stream_make_the_same_layer() {
    let tar = tar();
    let mut told = 0;
    let of_file =
        index_file(&named(&tar), LayerOptions::default(), &mut |bytes| told += bytes).unwrap();
    assert_eq!(told, tar.len() as u64, "the observer is told of every byte");
    assert_eq!(of_file.end.bytes, tar.len() as u64);

    let mut copy = Vec::new();
    let tee = Some((Path::new("copy"), &mut copy as &mut dyn std::io::Write));
    let (name, options) = (Path::new("stream"), LayerOptions::default());
    let of_stream = index_reader(name, Trickle(&tar, 1), options, tee, &mut |_| {}).unwrap();
    assert!(copy == tar, "the tee gets every byte");
    assert_eq!(text(&of_file.tree), text(&of_stream.tree));
    assert_eq!(of_file.end, of_stream.end);
}

#[test]
fn a_file_cut_in_a_body_is_as_bad_as_a_stream_cut_there() {
    let tar = tar();
    for len in (1..tar.len() - 20_480).step_by(60_013) {
        let of_file = index_file(&named(&tar[..len]), LayerOptions::default(), &mut |_| {});
        let (name, options) = (Path::new("t.tar"), LayerOptions::default());
        let of_stream = index_reader(name, &tar[..len], options, None, &mut |_| {});
        let (of_file, of_stream) = (of_file.unwrap_err(), of_stream.unwrap_err());
        assert!(matches!(of_file, Error::Layer { .. }));
        assert_eq!(of_file.to_string(), of_stream.to_string());
        assert!(of_file.to_string().starts_with("t.tar: "), "{of_file}");
    }
}

#[test]
fn a_full_tee_and_a_failing_reader_are_named() {
    let mut full = &mut [0u8; 100][..];
    let tee = Some((Path::new("copy"), &mut full as &mut dyn std::io::Write));
    let options = LayerOptions::default();
    let error = index_reader(Path::new("s"), &tar()[..], options, tee, &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Write { offset: 0, .. }), "{error}");

    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("broken"))
        }
    }
    let tar = tar();
    let reader = (&tar[..700]).chain(Broken);
    let options = LayerOptions::default();
    let error = index_reader(Path::new("s"), reader, options, None, &mut |_| {}).unwrap_err();
    assert!(matches!(error, Error::Read { offset: 700, .. }), "{error}");
    assert!(core::error::Error::source(&error).is_some());
}

/// Large enough that two threads read it: runs of small bodies, with bodies between them that are
/// passed over.
#[test]
fn read_by_two_threads_it_is_the_same_layer() {
    let mut tar = TarBuilder::new().dir("d", 0o755);
    for number in 0..6000_usize {
        let len = if number % 701 == 700 { 900_000 + number } else { number % 4096 };
        tar = tar.file(format!("d/{number:04}"), vec![b'x'; len]);
    }
    let tar = tar.finish();
    assert!(tar.len() > 16 << 20);
    let mut builder = LayerBuilder::new(LayerOptions::default());
    builder.push(&tar).unwrap();
    let expected = text(&builder.finish().unwrap().tree);
    let file = named(&tar);
    for _ in 0..20 {
        let layer = index_file(&file, LayerOptions::default(), &mut |_| {}).unwrap();
        assert!(text(&layer.tree) == expected);
    }

    // It ends too early, wherever that is found.
    for len in [tar.len() / 2 + 1, 3 << 20] {
        file.set_bytes(len as u64).unwrap();
        let error = index_file(&file, LayerOptions::default(), &mut |_| {}).unwrap_err();
        assert!(matches!(error, Error::Layer { .. }), "{error}");
    }
}
