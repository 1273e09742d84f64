//! Extended attributes that many inodes have are written once: what Linux and erofs-rs show of such
//! images is what was asked for, and the images are shorter by it.
//!
//! `tests/readers` and `examples/go/crosscheck` have more readers.

use erofs_tarfs::format::zerocopy::FromBytes;
use erofs_tarfs::format::{SUPERBLOCK_OFFSET, Superblock};
use erofs_tarfs::image;
use erofs_tarfs::layout::{self, Artifact, DiskOrder, LayoutOptions};
use erofs_tarfs::tree::{Attributes, Builder, InodeId, Node, Place, Tree, What, XattrSet};
use erofs_tarfs::units::BlockSize;
use testkit::dump::{Ignore, diff, dump};
use testkit::{artifact, erofs_rs, ours};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Empty files, each with the attributes of a row.
fn tree(rows: &[Pairs]) -> Tree {
    let mut builder = Builder::new();
    for (number, pairs) in rows.iter().enumerate() {
        let mut list: Vec<_> = pairs.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        let xattrs = builder.xattrs(&mut list).unwrap();
        let what = What::Regular { size: 0, place: Place::Device { device: 0, offset: 0 } };
        let node = Node { attributes: Attributes::default(), xattrs, what };
        let id = builder.add(node).unwrap();
        builder.link(InodeId::ROOT, format!("f{number:05}").as_bytes(), id).unwrap();
    }
    builder.finish().unwrap()
}

fn pair(name: &str, value: impl AsRef<[u8]>) -> (Vec<u8>, Vec<u8>) {
    (name.as_bytes().to_vec(), value.as_ref().to_vec())
}

fn label(of: usize) -> (Vec<u8>, Vec<u8>) {
    pair("security.selinux", format!("system_u:object_r:type_{of}_t:s0\0"))
}

fn is_sharing(image: &[u8]) -> bool {
    let (superblock, _) =
        Superblock::read_from_prefix(&image[SUPERBLOCK_OFFSET as usize..]).unwrap();
    superblock.xattr_blkaddr.get() != 0
}

/// Rows that are at a border, in each size of blocks, and in disks with the metadata behind.
#[test]
fn readers_show_them_in_all_their_places() {
    let borders = |block: usize| -> Vec<(&str, bool, Vec<Pairs>)> {
        // The entry of `user.v` takes 4 bytes and 1 of name.
        let of = |value: usize| vec![vec![pair("user.v", vec![b'v'; value])]; 5];
        let lengths = (1..120).flat_map(|len| vec![vec![pair("user.v", vec![b'v'; len])]; 4]);
        let many: Pairs =
            (0..300).map(|at| pair(&format!("user.name-{at:03}"), b"of many")).collect();
        vec![
            ("one of its own each", false, (0..50).map(|at| vec![label(at)]).collect()),
            ("the same twice", false, vec![vec![label(0)]; 2]),
            ("the same often", true, vec![vec![label(0)]; 500]),
            ("a name too short", false, vec![vec![pair("user.v", b"short")]; 50]),
            ("as long as a block", true, of(block - 5)),
            ("longer than a block", false, of(block - 4)),
            ("of all lengths, up to borders of blocks", true, lengths.collect()),
            ("more than an inode can refer to", true, vec![many; 5]),
            (
                "beside its own",
                true,
                (0..200)
                    .map(|at| {
                        vec![label(at % 3), pair("user.own", format!("{at}")), pair("user.z", b"")]
                    })
                    .collect(),
            ),
        ]
    };
    for block in [BlockSize::B512, BlockSize::B1024, BlockSize::B4096] {
        for (what, shares, rows) in borders(block.bytes() as usize) {
            let tree = tree(&rows);
            let want = ours::dump(&tree, &[]);
            for artifact in [Artifact::Bootstrap, Artifact::Disk(DiskOrder::DataFirst)] {
                let what = format!("{what}, {block:?}, {artifact:?}");
                let options = LayoutOptions::new().block_size(block).artifact(artifact);
                let layout = layout::plan(&tree, &options).unwrap();
                let image = artifact::assemble(&layout, &image::disk(&layout), &[]);
                assert_eq!(is_sharing(&image), shares, "{what}");
                let dir = tempfile::tempdir().unwrap();
                let mounted = artifact::mount(dir.path(), &image, &[]).unwrap();
                let linux = dump(mounted.path()).unwrap();
                let erofs_rs = erofs_rs::dump(&image, &[]).unwrap();
                for (shown, reader) in [(linux, "Linux"), (erofs_rs, "erofs-rs")] {
                    let wrong = diff(&shown, &want, &Ignore::nothing());
                    assert!(wrong.is_empty(), "{reader}, {what}:\n{}", wrong.join("\n"));
                }
                // What is read of it is the same tree, of which the same image is made.
                let back = artifact::read(&image);
                let again = layout::plan(&back, &options).unwrap();
                assert!(artifact::assemble(&again, &image::disk(&again), &[]) == image, "{what}");
            }
        }
    }
}

/// From a shared attribute on go-erofs 0.3.1 reads a whole block, which must be there. Nothing else is behind it where
/// each directory is short enough to be kept with its inode.
#[test]
fn a_block_is_behind_the_last_one() {
    for block in [BlockSize::B512, BlockSize::B4096] {
        let mut sharing = 0;
        // So many directories, one in the other, that the area ends anywhere in a block.
        for depth in 100..230 {
            let mut builder = Builder::new();
            let text = &label(0).1[..];
            let xattrs = builder.xattrs(&mut vec![(b"security.selinux", text)]).unwrap();
            let mut parent = InodeId::ROOT;
            for _ in 0..depth {
                let node =
                    Node { attributes: Attributes::default(), xattrs, what: What::Directory };
                let dir = builder.add(node).unwrap();
                builder.link(parent, b"d", dir).unwrap();
                parent = dir;
            }
            let tree = builder.finish().unwrap();
            for artifact in [Artifact::Bootstrap, Artifact::Disk(DiskOrder::DataFirst)] {
                let options = LayoutOptions::new().block_size(block).artifact(artifact);
                let layout = layout::plan(&tree, &options).unwrap();
                let image = artifact::assemble(&layout, &image::disk(&layout), &[]);
                // Where the image would be no shorter, nothing is shared.
                if !is_sharing(&image) {
                    continue;
                }
                sharing += 1;
                let at = image.windows(text.len()).rposition(|at| at == text).unwrap();
                // Its entry begins 4 bytes and the rest of its name before.
                let left = image.len() - (at - "selinux".len() - 4);
                let what = format!("{block:?}, {artifact:?}, {depth}");
                assert!(left >= block.bytes() as usize, "{what}: {left} bytes are left");
            }
        }
        assert!(sharing > 50, "{block:?}: {sharing} images share anything");
    }
}

/// A layer of a distribution with SELinux: each inode is shorter by the label, less 4 bytes.
#[test]
fn labels_cost_a_reference() {
    let bytes = |labels: usize| {
        let rows: Vec<Pairs> = (0..10_000).map(|at| vec![label(at % labels)]).collect();
        layout::plan(&tree(&rows), &LayoutOptions::new()).unwrap().metadata_bytes()
    };
    // An inode takes slots of 32 bytes. With a label of its own, behind a header of 12 bytes, it takes three,
    // with a reference two.
    let (own, shared) = (bytes(10_000), bytes(20));
    assert_eq!((own - shared).div_ceil(10_000), 32, "{own} and {shared}");
}

/// Our reader refuses images that have it read the same bytes too often. None of ours is one: what of
/// the attributes would be too much is with its inode.
#[test]
fn an_image_of_ours_is_never_too_much_to_read() {
    let names: Vec<String> = (0..250).map(|at| format!("user.name-{at:03}")).collect();
    let all: Pairs = names.iter().map(|name| pair(name, vec![b'v'; 480])).collect();
    let tree = tree(&vec![all; 1000]);
    let image = artifact::bootstrap(&tree);
    assert!(is_sharing(&image));
    let back = artifact::read(&image);
    assert!(artifact::bootstrap(&back) == image);
    assert_eq!(back.xattrs(back.lookup(b"f00000").unwrap()).count(), 250);
    // 1000 inodes with 125 KB each.
    assert!(image.len() > 100 << 20, "{}", image.len());
}

/// Inodes that fit in a block with all of theirs have nothing to gain by another block.
#[test]
fn a_tree_without_attributes_or_with_few_has_no_area() {
    let few = layout::plan(
        &tree(&vec![vec![label(0)]; 5]),
        &LayoutOptions::new().block_size(BlockSize::B4096),
    )
    .unwrap()
    .metadata_bytes();
    assert_eq!(few, 4096);
    let mut builder = Builder::new();
    builder.set(InodeId::ROOT, Attributes::default(), XattrSet::NONE);
    assert!(!is_sharing(&artifact::bootstrap(&builder.finish().unwrap())));
}
