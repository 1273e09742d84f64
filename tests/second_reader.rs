//! The crate `erofs-rs` reads our disks and bootstraps as the kernel does.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use erofs_rs::EroFS;
use erofs_rs::backend::SliceImage;
use erofs_tarfs::image;
use erofs_tarfs::layout::{self, BodyForm, Placement};
use erofs_tarfs::tree::{MergeOptions, Tree, merge};
use testkit::dump::{Kind, Node};
use testkit::stacks::Stack;
use testkit::{artifact, ours};

/// What the two views share: owner, time, links, size, and content.
type Seen = (u16, u32, u32, (i64, u32), u64, Option<Vec<u8>>, usize);

fn expected(node: &Node) -> Seen {
    let size = node.size;
    (node.mode, node.uid, node.gid, node.mtime, size, node.target.clone(), node.xattrs.len())
}

fn seen(
    fs: &EroFS<SliceImage<'_>>,
    blobs: &BTreeMap<Vec<u8>, Option<[u8; 32]>>,
) -> BTreeMap<Vec<u8>, Seen> {
    let mut out = BTreeMap::new();
    for entry in fs.walk_dir("/").unwrap() {
        let entry = entry.unwrap();
        let path = entry.dir_entry.path();
        let path = path.as_bytes().strip_prefix(b"/").unwrap_or(path.as_bytes()).to_vec();
        if path.is_empty() {
            continue;
        }
        let inode = entry.inode;
        let target = inode.is_symlink().then(|| fs.read_link_inode(inode).unwrap().into_vec());
        if inode.is_file() {
            let mut content = Vec::new();
            fs.open_inode_file(inode).unwrap().read_to_end(&mut content).unwrap();
            let digest: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(&content).into();
            assert_eq!(blobs[&path], Some(digest), "{path:?}");
        }
        let size = if inode.is_dir() || inode.device().is_some() { 0 } else { inode.data_size() };
        let xattrs = fs.xattrs_inode(inode).unwrap().len();
        let mode = inode.permissions().mode() as u16 & 0o7777;
        out.insert(
            path,
            (mode, inode.uid(), inode.gid(), inode.modified_unix(), size, target, xattrs),
        );
    }
    out
}

#[test]
fn erofs_rs_reads_the_same_trees() {
    for seed in 0..60 {
        let stack = Stack::random(seed);
        let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
        let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
        let blob = |tag: &[u8]| {
            let layer = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == tag);
            layer.unwrap().tar.as_slice()
        };
        let blobs: Vec<&[u8]> = tree.devices().iter().map(|device| blob(&device.tag)).collect();
        let dump = ours::dump(&tree, &blobs).0;
        let digests = dump.iter().map(|(path, node)| (path.clone(), node.sha256)).collect();
        let want: BTreeMap<Vec<u8>, Seen> = dump
            .iter()
            .filter(|(path, _)| !path.is_empty())
            .map(|(path, node)| (path.clone(), expected(node)))
            .collect();
        assert!(dump.values().any(|node| node.kind != Kind::Dir) || dump.len() < 9);
        for placement in [Placement::default(), Placement::DataFirst] {
            let disk = artifact::disk(&tree, placement, &blobs);
            let fs = EroFS::new(SliceImage::new(&disk)).unwrap();
            assert_eq!(seen(&fs, &digests), want, "seed {seed} {placement:?}");
        }
        for (bodies, compact) in
            [(BodyForm::Plain, false), (BodyForm::Chunks, false), (BodyForm::Plain, true)]
        {
            let mut options = layout::Options::default();
            (options.bodies, options.compact) = (bodies, compact);
            let bootstrap = image::bootstrap(&layout::plan(&tree, &options).unwrap());
            let devices = blobs.iter().map(|blob| SliceImage::new(blob)).collect();
            let fs = EroFS::new_with_devices(SliceImage::new(&bootstrap), devices).unwrap();
            assert_eq!(seen(&fs, &digests), want, "seed {seed} {bodies:?}, compact {compact}");
        }
    }
}
