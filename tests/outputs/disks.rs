//! Disks to be said in all forms: of small layers, on files.

use std::path::{Path, PathBuf};

use erofs_tarfs::image::{self, DiskPlan};
use erofs_tarfs::io::verity::{HashingOptions, seal};
use erofs_tarfs::io::{Mapped, NamedFile, write_metadata_at};
use erofs_tarfs::layout::{self, Artifact, DiskOrder, Layout};
use erofs_tarfs::outputs::{FileExtents, Held};
use erofs_tarfs::tree::{MergeOptions, Tree, merge};
use erofs_tarfs::verity::{self, Geometry, Params, Sealed};
use tempfile::TempDir;
use testkit::stacks::Stack;
use testkit::{artifact, oci, ours};

/// The four small layers.
pub(crate) fn stack() -> Stack {
    Stack { seed: 0, layers: oci::small_image() }
}

/// A tree, and the tars of its devices.
pub(crate) struct Source {
    pub(crate) tree: Tree,
    pub(crate) tars: Vec<Vec<u8>>,
}

impl Source {
    fn new(tree: Tree, stack: &Stack) -> Self {
        let tar = |tag: &[u8]| {
            let layer = stack.layers.iter().find(|layer| ours::tag(&layer.tar) == tag);
            layer.unwrap().tar.clone()
        };
        let tars = tree.devices().iter().map(|device| tar(&device.tag)).collect();
        Self { tree, tars }
    }

    /// All layers merged.
    pub(crate) fn image() -> Self {
        let stack = stack();
        let layers: Vec<Tree> = stack.layers.iter().map(|layer| ours::layer(&layer.tar)).collect();
        let tree = merge(&layers.iter().collect::<Vec<_>>(), &MergeOptions::default()).unwrap();
        Self::new(tree, &stack)
    }

    /// Each layer.
    pub(crate) fn layers() -> Vec<Self> {
        let stack = stack();
        stack.layers.iter().map(|layer| Self::new(ours::layer(&layer.tar), &stack)).collect()
    }

    pub(crate) fn layout(&self, placement: DiskOrder) -> Layout<'_> {
        layout::plan(&self.tree, &artifact::options(Artifact::Disk(placement))).unwrap()
    }

    /// The bytes of the disk, put together by the kit.
    pub(crate) fn bytes(&self, layout: &Layout<'_>, plan: &DiskPlan) -> Vec<u8> {
        let tars: Vec<&[u8]> = self.tars.iter().map(Vec::as_slice).collect();
        artifact::assemble(layout, plan, &tars)
    }
}

/// Files that disks are over, called by their index.
pub(crate) struct Files {
    pub(crate) dir: TempDir,
    pub(crate) files: Vec<NamedFile>,
}

impl Files {
    pub(crate) fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    pub(crate) fn below(dir: &Path) -> Self {
        Self { dir: TempDir::with_prefix_in("tarfs-outputs-", dir).unwrap(), files: Vec::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A new file; its index.
    pub(crate) fn add(&mut self, name: &str, bytes: &[u8]) -> usize {
        let name = format!("{}-{name}", self.files.len());
        let path = artifact::file(self.dir.path(), &name, bytes).unwrap();
        let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        self.files.push(NamedFile::new(path, file));
        self.files.len() - 1
    }

    /// The name of a file, without its directory.
    pub(crate) fn name(&self, index: usize) -> &str {
        let name = self.files[index].path().file_name();
        name.and_then(std::ffi::OsStr::to_str).unwrap()
    }

    /// Puts metadata, at an odd place, and tars into files. Answers the disk over them, and its
    /// bytes.
    pub(crate) fn disk(
        &mut self,
        source: &Source,
        place: DiskOrder,
    ) -> (FileExtents<usize>, Vec<u8>) {
        let (layout, at) = (source.layout(place), 1536);
        let plan = image::disk(&layout);
        let metadata = self.add("metadata", b"not this");
        let len = write_metadata_at(&layout, &self.files[metadata], at).unwrap();
        assert_eq!(len, layout.metadata_bytes());
        let first = self.files.len();
        for tar in &source.tars {
            self.add("tar", tar);
        }
        let extents = FileExtents::of_disk(&plan, &layout, |held| match held {
            Held::Metadata => (metadata, at),
            Held::Device(index) => (first + index, 0),
        });
        (extents.unwrap(), source.bytes(&layout, &plan))
    }

    /// Seals a disk over the files; the tree goes into a file of its own.
    pub(crate) fn seal(&mut self, extents: &mut FileExtents<usize>, bytes: &mut Vec<u8>) -> Sealed {
        let params = Params::nydus();
        extents.push_zeros(params.data_padding(extents.bytes())).unwrap();
        let geometry = |place| Geometry::new(&params, extents.bytes(), place).unwrap();
        let own = geometry(verity::HashPlacement::OwnFile);
        let behind = geometry(verity::HashPlacement::BehindData);
        let tree = self.add("tree", &vec![0; own.end() as usize]);
        let data = Mapped::new(extents, &self.files).unwrap();
        let file = self.files[tree].file();
        let root = seal(&data, file, own, &HashingOptions::default()).unwrap().root();
        extents.push_tree(&behind, tree, 0).unwrap();

        // The same, of the bytes.
        bytes.resize(behind.data_bytes() as usize, 0);
        let whole = std::sync::Mutex::new(vec![0; behind.end() as usize]);
        whole.lock().unwrap()[..bytes.len()].copy_from_slice(bytes);
        let sealed = seal(&bytes[..], &whole, behind, &HashingOptions::default()).unwrap();
        assert_eq!(sealed.root(), root);
        *bytes = whole.into_inner().unwrap();
        sealed
    }

    /// A disk in a file, written from the files that it is over.
    pub(crate) fn written(&self, extents: &FileExtents<usize>, name: &str) -> PathBuf {
        let path = self.path(name);
        let file = std::fs::File::create_new(&path).unwrap();
        let mut told = 0;
        let mapped = Mapped::new(extents, &self.files).unwrap();
        mapped.write(&NamedFile::new(&path, file), &mut |bytes| told += bytes).unwrap();
        assert_eq!(told, extents.bytes());
        path
    }
}

/// All that is in a file.
#[track_caller]
pub(crate) fn holds(path: &Path, bytes: &[u8]) {
    let found = std::fs::read(path).unwrap();
    assert_eq!(found.len(), bytes.len(), "{path:?}");
    if let Some(at) = found.iter().zip(bytes).position(|(a, b)| a != b) {
        panic!("{path:?} differs at byte {at}");
    }
}

/// Both placements, and one with long gaps.
pub(crate) const PLACEMENTS: [DiskOrder; 3] = [
    DiskOrder::MetadataFirst { align: 4096 },
    DiskOrder::MetadataFirst { align: 256 << 10 },
    DiskOrder::DataFirst,
];
