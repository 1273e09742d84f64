//! What is an image's own: how much of its file, and file data in blocks of the image itself.

mod read_kit;

use core::convert::Infallible;

use erofs_tarfs::format::Compat;
use erofs_tarfs::read::{Image, TreeOptions};
use read_kit::{B, Raw, index};

/// Nydus counts the blocks of the devices in the superblock, and none of the image.
#[test]
fn blocks_that_are_not_the_images_own() {
    let rafs = |devices: &[(u32, u32)], blocks| {
        let mut raw = Raw::new(8, devices);
        raw.superblock().blocks_lo.set(blocks);
        raw.superblock().feature_compat.set(Compat::RAFS.bits());
        raw.0
    };
    let len = 8 * 512;
    for (bytes, end) in [
        (rafs(&[], 0), len),
        (rafs(&[(2, 1024)], 2), len),
        (rafs(&[(900, 1024)], 900), len),
        // A disk: what follows the last device is no part of it.
        (rafs(&[(2, 4)], 2), 6 * 512),
    ] {
        let image = Image::new(&bytes).unwrap();
        assert_eq!((image.own_bytes(), image.end(len)), (None, end));
    }
    let ours = Raw::new(8, &[(2, 1024)]).0;
    let image = Image::new(&ours).unwrap();
    assert_eq!((image.own_bytes(), image.end(len + 512)), (Some(len), len));
}

#[test]
fn own_data_is_a_device_or_carried() {
    let mut raw = Raw::new(10, &[(100, 64)]);
    let table = [index(0, 0, 6), index(0, 1, 5), index(0, 0, 8)].concat();
    raw.chunks(5, 2 * 512 + 7, 0x20, &table);
    raw.put(6 * B, &[1; 512]);
    raw.put(8 * B, &[2; 512]);
    raw.dir(4, 4, &[("f", 5)]);
    let bytes = raw.0;
    let image = Image::new(&bytes).unwrap();
    let tree = image.tree(&TreeOptions::default()).unwrap();
    assert_eq!(tree.devices().len(), 2);
    let tree = image.tree(&TreeOptions::new().carry_own_data(true)).unwrap();
    assert_eq!(tree.devices().len(), 1);
    let file = tree.file(tree.lookup(b"f").unwrap()).unwrap();
    let mut read = [9; 1100];
    let mut of_device = |device: usize, offset: u64, buf: &mut [u8]| {
        assert_eq!((device, offset, buf.len()), (0, 5 * 512, 512));
        buf.fill(3);
        Ok::<(), Infallible>(())
    };
    let mut at = 0;
    while at < 1031 {
        at += file.read_at(at as u64, &mut read[at..], &mut of_device).unwrap();
    }
    assert!(read[..512] == [1; 512] && read[512..1024] == [3; 512] && read[1024..1031] == [2; 7]);
}
