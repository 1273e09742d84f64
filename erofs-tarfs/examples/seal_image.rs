//! Merges tars, lowest first, into one disk with a dm-verity hash tree behind it, and prints the root
//! hash and the commands that mount it.
//!
//! `cargo run -p erofs-tarfs --example seal_image -- image.disk base.tar app.tar`

use erofs_tarfs::{export::Mode, io::Export};

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let mut args = std::env::args().skip(1);
    let disk = args.next().ok_or("usage: seal_image DISK TAR...")?;
    let made = Export::new(Mode::ImageBlockWithVerity).tars(args).write(&disk)?;
    if let Some(sealed) = made[0].sealed() {
        println!("{}\n{}", sealed.root(), sealed.open_command(&disk, "image", &disk));
        println!("mount -t erofs -o ro /dev/mapper/image /mnt");
    }
    Ok(())
}
