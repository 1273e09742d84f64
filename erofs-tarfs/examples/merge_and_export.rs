//! Merges tars, lowest first, into one raw disk that the kernel mounts as it is.
//!
//! `cargo run -p erofs-tarfs --example merge_and_export -- image.disk base.tar app.tar`

use std::env;
use std::fs::File;

use erofs_tarfs::image;
use erofs_tarfs::io::{NamedFile, index_file, write_disk};
use erofs_tarfs::layout::{LayoutOptions, plan};
use erofs_tarfs::tree::{LayerOptions, MergeOptions, Tree, merge};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let mut args = env::args_os().skip(1);
    let disk = args.next().ok_or("usage: merge_and_export DISK TAR...")?;
    let tars = args.map(NamedFile::open).collect::<Result<Vec<_>, _>>()?;

    let mut layers = Vec::new();
    for tar in &tars {
        // A hard link to a file of a lower layer waits for the merge.
        let options = LayerOptions::new().keep_pending(true);
        layers.push(index_file(tar, options, &mut |_| {})?.tree);
    }
    let tree = merge(&layers.iter().collect::<Vec<&Tree>>(), &MergeOptions::default())?;
    // The same tar twice is one device, and a layer without data has none.
    let origins = tree.origins().iter();
    let sources: Result<Vec<_>, _> =
        origins.map(|origin| NamedFile::open(tars[origin.layer].path())).collect();

    let layout = plan(&tree, &LayoutOptions::disk())?;
    let plan = image::disk(&layout);
    let out = NamedFile::new(&disk, File::create(&disk)?);
    write_disk(&plan, &layout, &sources?, &out, &mut |_| {})?;
    println!("{} bytes in {} segments", plan.bytes, plan.segments.len());
    Ok(())
}
