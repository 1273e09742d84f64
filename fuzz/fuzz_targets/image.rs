//! Invariants: no image panics, whoever made it; what is read of one can be merged over itself and
//! laid out, or is refused.
#![no_main]

use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::{format, image, layout};
use erofs_tarfs_fuzz::merged;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((how, bytes)) = input.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if bytes.len() >= 1152 {
        bytes[1024..1028].copy_from_slice(&0xe0f5_e1e2_u32.to_le_bytes());
        format::seal(&mut bytes);
    }
    let Ok(found) = Image::new(&bytes) else { return };
    let devices = match how & 10 {
        2 => DevicesAt::InFile { tag: b"x".to_vec() },
        8 => DevicesAt::WholeFile { tag: b"x".to_vec(), bytes: bytes.len() as u64 },
        _ => DevicesAt::Separate,
    };
    let options = TreeOptions::new()
        .keep_layer_marks(how & 1 != 0)
        .carry_own_data(how & 4 != 0)
        .devices(devices);
    let Ok(tree) = found.tree(&options) else { return };
    let Some(tree) = merged(&[&tree, &tree]) else { return };
    let Ok(layout) = layout::plan(&tree, &layout::LayoutOptions::default()) else { return };
    assert_eq!(image::bootstrap(&layout).len() as u64, layout.metadata_bytes());
});
