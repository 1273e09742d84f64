//! Damaged images and tars go through the whole pipeline: an error or an image, never a panic.

use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::tree::{LayerBuilder, LayerOptions, MergeOptions, Tree, merge};
use erofs_tarfs::{format, image, layout};
use testkit::stacks::Stack;
use testkit::{artifact, ours};

/// splitmix64.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

fn damage(bytes: &mut [u8], from: usize, state: &mut u64) {
    for _ in 0..1 + random(state) % 3 {
        let at = from + random(state) as usize % (bytes.len() - from);
        bytes[at] = match random(state) % 3 {
            0 => random(state) as u8,
            1 => bytes[at] ^ 1 << (random(state) % 8),
            _ => 0xff,
        };
    }
}

/// What a tree is good for: merged over another, laid out, written.
fn through(tree: &Tree, lower: &Tree) -> bool {
    let Ok(tree) = merge(&[lower, tree], &MergeOptions::default()) else { return false };
    let Ok(layout) = layout::plan(&tree, &layout::LayoutOptions::default()) else { return false };
    let bytes = image::bootstrap(&layout);
    assert_eq!(bytes.len() as u64, layout.metadata_bytes());
    true
}

#[test]
fn damaged_images_end_in_an_error_or_an_image() {
    let mut state = 1;
    let (mut read, mut written) = (0, 0);
    for seed in 0..20 {
        let stack = Stack::random(seed);
        let lower = ours::layer(&stack.layers[0].tar);
        let whole = artifact::bootstrap(&ours::layer(&stack.layers[1].tar));
        for round in 0..400 {
            let mut bytes = whole.clone();
            damage(&mut bytes, if round % 4 == 0 { 1024 } else { 1280 }, &mut state);
            format::seal(&mut bytes);
            let Ok(image) = Image::new(&bytes) else { continue };
            let devices = match round % 4 {
                0 => DevicesAt::WholeFile { tag: b"x".to_vec(), bytes: bytes.len() as u64 },
                2 => DevicesAt::InFile { tag: b"x".to_vec() },
                _ => DevicesAt::Separate,
            };
            if let Ok(tree) = image.tree(&TreeOptions::new().devices(devices)) {
                read += 1;
                written += u32::from(through(&tree, &lower));
            }
        }
    }
    assert!(read > 1000 && written > 500, "the damage left nothing to test: {read}, {written}");
}

#[test]
fn damaged_tars_end_in_an_error_or_an_image() {
    let mut state = 2;
    let mut written = 0;
    for seed in 0..20 {
        let stack = Stack::random(seed);
        let lower = ours::layer(&stack.layers[0].tar);
        for _ in 0..300 {
            let mut tar = stack.layers[1].tar.clone();
            damage(&mut tar, 0, &mut state);
            // Wrong checksums end most tars: give each header its own again.
            for block in tar.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
                block[148..156].fill(b' ');
                let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
                block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
            let options = LayerOptions::new().keep_pending(true).resolve_dot_dot(true);
            let mut builder = LayerBuilder::new(options);
            if builder.push(&tar).is_err() {
                continue;
            }
            if let Ok(layer) = builder.finish() {
                written += u32::from(through(&layer.tree, &lower));
            }
        }
    }
    assert!(written > 500, "the damage left nothing to test: {written}");
}
