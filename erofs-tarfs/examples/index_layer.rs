//! Indexes a tar and writes its bootstrap: EROFS metadata whose file data stays in the tar.
//!
//! `cargo run -p erofs-tarfs --example index_layer -- layer.tar layer.erofs`

use std::path::Path;
use std::{env, fs};

use erofs_tarfs::image;
use erofs_tarfs::io::{NamedFile, index_file};
use erofs_tarfs::layout::{self, plan};
use erofs_tarfs::tree::LayerOptions;

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let mut args = env::args_os().skip(1);
    let (Some(tar), Some(bootstrap)) = (args.next(), args.next()) else {
        return Err("usage: index_layer TAR BOOTSTRAP".into());
    };

    // The tag is a name for people: here the file's. What shows that two devices are one is
    // `LayerOptions::identity`, or the file itself.
    let name = Path::new(&tar).file_name().unwrap_or_default().as_encoded_bytes();
    let options = LayerOptions::new().tag(&name[..name.len().min(64)]);
    // Headers are read, bodies are passed over.
    let layer = index_file(&NamedFile::open(tar)?, options, &mut |_| {})?;
    println!("{} entries, {} inodes", layer.end.entries, layer.tree.inode_count());

    // Every offset is decided here; what follows only writes.
    let layout = plan(&layer.tree, &layout::LayoutOptions::default())?;
    fs::write(&bootstrap, image::bootstrap(&layout))?;

    // A mount binds devices by position, in this order.
    for device in layout.devices() {
        println!("device of {} blocks: {}", device.blocks, String::from_utf8_lossy(&device.tag));
    }
    Ok(())
}
