//! Devices are one where their bytes are shown to be, never because they have one tag.

mod rows_kit;

use erofs_tarfs::io::{self, NamedFile};
use erofs_tarfs::layout::DiskOrder;
use erofs_tarfs::tree::{Identity, LayerOptions, MergeOptions, Origin, Tree, merge};
use testkit::dump::dump;
use testkit::mount::Erofs;
use testkit::tarball::TarBuilder;
use testkit::{artifact, ours};

/// A tar of one file; all such tars are of one length.
fn tar(name: &str, byte: u8) -> Vec<u8> {
    TarBuilder::new().file(name, [byte; 600]).finish()
}

fn layer(tar: &[u8], tag: &[u8], identity: Identity) -> Tree {
    let options = LayerOptions::new().tag(tag).identity(identity);
    rows_kit::try_layer(tar, options).unwrap().tree
}

fn merged(layers: &[&Tree], trust: bool) -> Tree {
    merge(layers, &MergeOptions::new().trust_tags(trust).keep_devices(true)).unwrap()
}

/// Two layers with one tag and one length: the kernel shows the bytes of each.
#[test]
fn a_tag_makes_no_two_devices_one() {
    let (one, two) = (tar("one", b'1'), tar("two", b'2'));
    assert_eq!(one.len(), two.len());
    let dir = tempfile::tempdir().unwrap();
    for tag in [&b"layer"[..], b"", &[b'a'; 64]] {
        let layers = [layer(&one, tag, Identity::Unknown), layer(&two, tag, Identity::Unknown)];
        let tree = merged(&[&layers[0], &layers[1]], false);
        let origin = |layer| Origin { layer, device: 0 };
        assert_eq!(tree.origins(), [origin(0), origin(1)]);
        let disk = artifact::disk(&tree, DiskOrder::default(), &[&one, &two]);
        let file = artifact::file(dir.path(), "disk", &disk).unwrap();
        let mounted = Erofs::new(file).mount().unwrap();
        let seen = dump(mounted.path()).unwrap();
        for (name, tar) in [("one", &one), ("two", &two)] {
            let alone = ours::dump(&layer(tar, b"t", Identity::Unknown), &[tar]);
            assert_eq!(seen.get(name), alone.get(name), "{name} with the tag {tag:?}");
        }
    }
}

/// A digest that was computed or checked does, and so does the file.
#[test]
fn what_is_known_of_the_bytes_does() {
    let (one, two) = (tar("one", b'1'), tar("two", b'2'));
    let sha = |byte| Identity::Sha256([byte; 32]);
    let file = |number| Identity::File { volume: 1, number };
    let rows = [
        (sha(1), sha(1), 1),
        (sha(1), sha(2), 2),
        (file(7), file(7), 1),
        (file(7), file(8), 2),
        (file(7), sha(1), 2),
        (Identity::Unknown, sha(1), 2),
        (Identity::Unknown, Identity::Unknown, 2),
    ];
    for (a, b, devices) in rows {
        let layers = [layer(&one, b"a", a), layer(&two, b"b", b)];
        let tree = merged(&[&layers[0], &layers[1]], false);
        assert_eq!(tree.devices().len(), devices, "{a:?} {b:?}");
        assert_eq!(tree.devices()[0].tag, b"a");
        assert_eq!(tree.origins().len(), devices);
    }
    // One tree given twice, whatever is known of it.
    let unknown = layer(&one, b"a", Identity::Unknown);
    let other = layer(&two, b"a", Identity::Unknown);
    let tree = merged(&[&unknown, &other, &unknown], false);
    let origins: Vec<_> = tree.origins().iter().map(|origin| origin.layer).collect();
    assert_eq!(origins, [0, 1]);
    // The same digest at another place of a file: the first stands for both.
    let mut shifted = layer(&two, b"b", sha(1));
    shifted.identify(0, sha(1));
    let mut moved = layer(&one, b"a", sha(1));
    moved.identify(3, sha(9)); // no such device
    assert_eq!(merged(&[&moved, &shifted], false).devices().len(), 1);
}

/// A caller who has checked the tags says so; tags that are no digests show nothing all the same.
#[test]
fn checked_tags_are_trusted_where_the_caller_says_so() {
    let (one, two) = (tar("one", b'1'), tar("two", b'2'));
    for (tag, trust, devices) in [
        (&[b'a'; 64][..], true, 1),
        (&[b'a'; 64], false, 2),
        (b"layer", true, 2),
        (&[b'A'; 64], true, 2),
    ] {
        let layers = [layer(&one, tag, Identity::Unknown), layer(&two, tag, Identity::Unknown)];
        let tree = merged(&[&layers[0], &layers[1]], trust);
        assert_eq!(tree.devices().len(), devices, "{tag:?} {trust}");
    }
}

/// What is computed on the way is known: by `ingest` the digest, by `index_file` the file.
#[test]
fn layers_know_their_files_and_digests() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("a.tar"), dir.path().join("b.tar"));
    std::fs::write(&path, tar("one", b'1')).unwrap();
    std::fs::write(&copy, tar("one", b'1')).unwrap();
    let index = |path: &std::path::Path| {
        let file = NamedFile::open(path).unwrap();
        io::index_file(&file, LayerOptions::default(), &mut |_| {}).unwrap().tree
    };
    let (first, again, other) = (index(&path), index(&path), index(&copy));
    assert_eq!(merged(&[&first, &again], false).devices().len(), 1);
    assert_eq!(merged(&[&first, &other], false).devices().len(), 2);
    let ingest = || {
        let options = erofs_tarfs::ingest::IngestOptions::new().diff_id(true);
        let bytes = tar("one", b'1');
        io::ingest("t".as_ref(), &bytes[..], options, None, &mut |_| {}).unwrap().layer.tree
    };
    assert_eq!(merged(&[&ingest(), &ingest()], false).devices().len(), 1);
}

/// A slot for each layer, repeats and those that nothing refers to among them: the kernel is given
/// a `device=` for each.
#[test]
fn each_layer_has_a_device_of_its_own_on_request() {
    let (one, two) = (tar("one", b'1'), tar("two", b'2'));
    let layers = [
        layer(&one, b"a", Identity::Sha256([1; 32])),
        layer(&two, b"b", Identity::Sha256([2; 32])),
        layer(&tar("one", b'3'), b"c", Identity::Unknown),
    ];
    let options = MergeOptions::new().device_per_layer(true);
    let stack = [&layers[0], &layers[1], &layers[0], &layers[2]];
    let tree = merge(&stack, &options).unwrap();
    let origins: Vec<_> = tree.origins().iter().map(|origin| origin.layer).collect();
    assert_eq!(origins, [0, 1, 2, 3]);
    let three = tar("one", b'3');
    let tars: [&[u8]; 4] = [&one, &two, &one, &three];
    let dir = tempfile::tempdir().unwrap();
    let mounted = artifact::mount(dir.path(), &artifact::bootstrap(&tree), &tars).unwrap();
    for (name, byte) in [("one", b'3'), ("two", b'2')] {
        assert_eq!(std::fs::read(mounted.path().join(name)).unwrap(), [byte; 600]);
    }
}
