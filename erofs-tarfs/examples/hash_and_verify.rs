//! Seals a file with dm-verity as Nydus does, tree behind the data, and verifies it again.
//!
//! `cargo run -p erofs-tarfs --example hash_and_verify -- image.disk`

use std::env;
use std::fs::OpenOptions;

use erofs_tarfs::io::verity::{self, HashingOptions};
use erofs_tarfs::verity::{Geometry, HashPlacement, Params};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let path = env::args().nth(1).ok_or("usage: hash_and_verify FILE")?;
    let file = OpenOptions::new().read(true).write(true).open(&path)?;
    let params = Params::nydus();

    // What does not fill a block would not be protected: zeros fill it up.
    let bytes = file.metadata()?.len();
    let bytes = bytes + params.data_padding(bytes);

    // Everything is known before anything is hashed.
    let geometry = Geometry::new(&params, bytes, HashPlacement::BehindData)?;
    println!("{} data blocks, tree at {}", geometry.data_blocks(), geometry.hash_offset());
    file.set_len(geometry.end())?;

    let sealed = verity::seal(&file, &file, geometry, &HashingOptions::default())?;
    println!("root hash {}", sealed.root());
    println!("{}", sealed.open_command(&path, "sealed", &path));

    verity::verify(&file, &file, &sealed, &HashingOptions::default())?;
    println!("every block verified");
    Ok(())
}
