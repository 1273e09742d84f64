//! Tars for benchmarks, the same bytes each time.
#![allow(dead_code, clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

use std::io::{self, Write};

use erofs_tarfs::tree::{LayerBuilder, LayerOptions, Tree};

/// A tar of `files` files of 0 to 4096 bytes, `per_directory` in each directory.
pub(crate) fn write_files(
    files: usize,
    per_directory: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    let body = [b'x'; 4096];
    let mut random = 1u64;
    for file in 0..files {
        let dir = file / per_directory;
        if file % per_directory == 0 {
            out.write_all(&header(&format!("usr/share/d{dir:04}/"), b'5', 0, 0))?;
        }
        // Knuth's MMIX generator.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let size = (random >> 33) % 4097;
        let path = format!("usr/share/d{dir:04}/file-{file:07}.dat");
        out.write_all(&header(&path, b'0', size, random >> 48))?;
        out.write_all(&body[..size as usize])?;
        out.write_all(&[0; 512][..(size.wrapping_neg() % 512) as usize])?;
    }
    out.write_all(&[0; 1024])
}

/// A tar of `entries` entries, empty files and their directories, `per_directory` in each.
pub(crate) fn write_names(
    entries: usize,
    per_directory: usize,
    prefix: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    for entry in 0..entries {
        let (dir, name) = (entry / per_directory, entry % per_directory);
        let header = match name {
            0 => header(&format!("{prefix}d{dir:05}/"), b'5', 0, 0),
            _ => header(&format!("{prefix}d{dir:05}/name-{name:04}"), b'0', 0, entry as u64),
        };
        out.write_all(&header)?;
    }
    out.write_all(&[0; 1024])
}

/// A layer of empty files, 100 a directory; layers have directories of their own, or the same.
pub(crate) fn small_layer(entries: usize, number: usize, shared: bool) -> Tree {
    let options = LayerOptions::new().tag(number.to_string().into_bytes());
    let mut builder = Pushed(LayerBuilder::new(options));
    let prefix = format!("l{}/", if shared { 0 } else { number });
    write_names(entries, 100, &prefix, &mut builder).unwrap();
    builder.0.finish().unwrap().tree
}

struct Pushed(LayerBuilder);

impl Write for Pushed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A ustar header, its time `late` seconds after the others'.
pub(crate) fn header(path: &str, flag: u8, size: u64, late: u64) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, path);
    put(100, if flag == b'5' { "0000755\0" } else { "0000644\0" });
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{size:011o}\0"));
    put(136, &format!("{:011o}\0", 1_700_000_000 + late));
    put(148, "        ");
    put(257, "ustar\x0000root");
    put(297, "root");
    header[156] = flag;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// Random bytes, as splitmix64 has them. `out` is a multiple of 8 bytes.
pub(crate) fn fill(seed: u64, out: &mut [u8]) {
    let mut state = seed;
    for word in out.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
}
