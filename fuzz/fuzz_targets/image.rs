//! No image panics, whoever made it; read whole and read piece by piece it is the same, in everything that
//! can be asked; what is read of one can be merged over itself and laid out, or is refused.
#![no_main]

use erofs_tarfs::read::{DevicesAt, Error, Image, ReadFault, ReadImage, TreeOptions};
use erofs_tarfs::tree::Tree;
use erofs_tarfs::{format, image, layout};
use erofs_tarfs_fuzz::layers::merged;
use libfuzzer_sys::fuzz_target;

/// An image that is read piece by piece.
struct Pieces<'a>(&'a [u8]);

impl ReadImage for Pieces<'_> {
    fn len(&self) -> Result<u64, ReadFault> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFault> {
        buf.copy_from_slice(&self.0[offset as usize..][..buf.len()]);
        Ok(())
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((how, bytes)) = input.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if bytes.len() >= 1152 {
        bytes[1024..1028].copy_from_slice(&0xe0f5_e1e2_u32.to_le_bytes());
        format::seal(&mut bytes);
    }
    let pieces = Pieces(&bytes);
    let (found, over) = match (Image::new(&bytes), Image::over(&pieces)) {
        (Ok(found), Ok(over)) => (found, over),
        (found, over) => {
            assert_eq!(found.unwrap_err(), over.unwrap_err());
            return;
        }
    };
    same(&found, &over);
    let devices = match how & 10 {
        2 => DevicesAt::InFile { tag: b"x".to_vec() },
        8 => DevicesAt::WholeFile { tag: b"x".to_vec(), bytes: bytes.len() as u64 },
        _ => DevicesAt::Separate,
    };
    let options = TreeOptions::new()
        .keep_layer_marks(how & 1 != 0)
        .carry_own_data(how & 4 != 0)
        .devices(devices);
    let (tree, other) = (found.tree(&options), over.tree(&options));
    assert_eq!(tree.is_ok(), other.is_ok());
    let (Ok(tree), Ok(other)) = (tree, other) else { return };
    assert!(written(&tree) == written(&other));
    if let Some(tree) = merged(&[&tree, &tree]) {
        written(&tree);
    }
});

/// The image of a tree, if there can be one.
fn written(tree: &Tree) -> Option<Vec<u8>> {
    let layout = layout::plan(tree, &layout::LayoutOptions::default()).ok()?;
    let bytes = image::bootstrap(&layout);
    assert_eq!(bytes.len() as u64, layout.metadata_bytes());
    Some(bytes)
}

/// Compares all that can be asked of an image. Files on devices have zeros here.
fn same(image: &Image<'_>, over: &Image<'_>) {
    assert_eq!((image.devices(), image.checksum()), (over.devices(), over.checksum()));
    let (mut walk, mut read) = (image.walk(), over.walk());
    // Each name costs some of the image, so there is an end to them.
    for number in 0.. {
        let step = walk.next();
        assert_eq!((&step, walk.path()), (&read.next(), read.path()));
        let Some(step) = step else { return };
        let Ok(found) = step else { continue };
        let nid = found.inode.nid();
        assert_eq!(image.xattrs(nid), over.xattrs(nid));
        assert_eq!(image.entries(nid), over.entries(nid));
        assert_eq!(image.extents(nid), over.extents(nid));
        assert_eq!(image.read_link(nid), over.read_link(nid));
        let body = |image: &Image<'_>| {
            let mut buf = [0; 700];
            let mut device = |_, _, _: &mut [u8]| Ok::<_, Error>(());
            (image.read_at(nid, found.inode.size() / 2, &mut buf, &mut device), buf)
        };
        assert!(body(image) == body(over));
        if number < 16 {
            assert_eq!(image.lookup(walk.path()), over.lookup(walk.path()));
        }
    }
}
