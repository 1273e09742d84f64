//! The commands that mount an image as it is, its tars as devices.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::io::NamedFile;

use super::words;
use crate::cli::fail::Done;

/// Options that mount(2) takes: a page, less its end.
const MAX_OPTIONS: usize = 4095;
/// Bytes of a value that fsconfig(2) takes, as mount(8) has called it since util-linux 2.39.
const MAX_VALUE: usize = 255;
/// An option that names a loop device, with its comma.
const LOOP_OPTION: usize = ",device=/dev/loop100".len();

/// The files themselves, and the same through loop devices.
pub(crate) fn commands(
    file: &NamedFile,
    tars: &[NamedFile],
    mount_point: &Path,
) -> Done<Vec<String>> {
    let mut options = String::from("ro");
    if file.is_range() && tars.is_empty() {
        options.push_str(&format!(",loop,offset={},sizelimit={}", file.start(), file.bytes()?));
    }
    for tar in tars {
        options.push_str(",device=");
        options.push_str(&words::text(tar.path())?);
    }
    let direct = format!(
        "mount -t erofs -o {} {} {}",
        words::shown(Path::new(&options)),
        words::shown(file.path()),
        words::shown(mount_point)
    );
    if tars.is_empty() {
        // mount(8) makes the loop device itself.
        return Ok(vec![direct]);
    }
    // mount(8) makes a loop device of the image, but none of the tars: so all by hand.
    let mut lines = vec![words::attach("image", file)?];
    let (mut devices, mut all) = (String::from("ro"), String::from("$image"));
    for (index, tar) in tars.iter().enumerate() {
        let name = format!("tar{}", index + 1);
        lines.push(words::attach(&name, tar)?);
        devices.push_str(&format!(",device=${name}"));
        all.push_str(&format!(" ${name}"));
    }
    lines.push(format!("mount -t erofs -o {devices} $image {}", words::shown(mount_point)));
    lines.push(format!("losetup --detach {all}  # when they are unmounted"));
    if tars.len() * LOOP_OPTION > MAX_OPTIONS {
        let why = "so many devices want util-linux 2.39, which passes them one by one";
        lines.push(format!("# Before that all options are one text of 4095 bytes: {why}."));
    }
    // A comma would end the option.
    let fits = |tar: &NamedFile| {
        let name = tar.path().as_os_str().as_bytes();
        name.len() <= MAX_VALUE && !name.contains(&b',')
    };
    // And a line break would end the comment, and begin a command. Of a partition there is no file.
    let files = tars.iter().chain([file]).all(|file| !file.is_range());
    if files && tars.iter().all(fits) && !direct.contains('\n') {
        lines.push("# With Linux 6.12 and util-linux 2.41, the files themselves:".to_owned());
        lines.push(format!("#   {direct}"));
    }
    Ok(lines)
}
