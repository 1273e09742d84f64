//! The device mapper's tables as a script that makes the devices.

use super::{Error, FileExtents, dm_linear};
use crate::verity::{Sealed, Word};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

/// A shell script that makes `/dev/mapper/NAME` of a disk over files as they lie: loop devices of the
/// files, [a linear table](dm_linear) over them, and, with `sealed`, dm-verity over that.
///
/// `files` are named from the directory of the script on, or from the root; extents call them by their
/// index. A file that is there twice has one loop device. The script's argument is NAME, `tarfs` if
/// there is none.
///
/// ```
/// use erofs_tarfs::outputs::{FileExtents, dm_script};
///
/// // A disk whose first 4096 bytes are in a file, from byte 0 on; 512 zeros follow.
/// let mut disk = FileExtents::default();
/// disk.push(4096, 0, 0)?;
/// disk.push_zeros(512)?;
/// let script = dm_script(&["a layer.tar"], disk, None)?;
/// assert!(script.contains("loop 'a layer.tar'\nd0=$loop\n"));
/// assert!(script.contains("0 8 linear $d0 0\n8 1 zero\n")); // in sectors of 512 bytes
/// # Ok::<(), erofs_tarfs::outputs::Error>(())
/// ```
///
/// # Errors
/// Those of [`dm_linear`], which name the file.
///
/// # References
/// `dmsetup(8)`, `losetup(8)`; Linux `Documentation/admin-guide/device-mapper/verity.rst`.
pub fn dm_script<F: AsRef<str>>(
    files: &[F],
    extents: FileExtents<usize>,
    sealed: Option<&Sealed>,
) -> Result<String, Error> {
    let mut text = String::from(HEAD);
    let mut variables: Vec<String> = Vec::with_capacity(files.len());
    let mut first = BTreeMap::new();
    for (index, file) in files.iter().map(AsRef::as_ref).enumerate() {
        let device = *first.entry(file).or_insert(index);
        let mut variable = String::from("$d");
        add(&mut variable, format_args!("{device}"));
        variables.push(variable);
        if device == index {
            add(&mut text, format_args!("loop {}\nd{index}=$loop\n", Word(file)));
        }
    }
    let table = dm_linear(&extents.map(|index| variables[index].as_str()));
    let table = table.map_err(|error| match error {
        Error::Sectors { offset, bytes, file } => {
            // The error names the file, not the variable of its loop device.
            let index = variables.iter().position(|variable| Some(variable) == file.as_ref());
            let file = index.map(|index| files[index].as_ref().to_string());
            Error::Sectors { offset, bytes, file }
        }
        error => error,
    })?;
    let lower = if sealed.is_some() { "$name-data" } else { "$name" };
    add(
        &mut text,
        format_args!("dmsetup create --readonly \"{lower}\" <<TABLE\n{table}TABLE\n{MAKE_NODES}"),
    );
    if let Some(sealed) = sealed {
        let mut device = String::from("/dev/mapper/");
        device.push_str(lower);
        let table = sealed.table_line(&device, &device);
        add(
            &mut text,
            format_args!(
                "dmsetup create --readonly \"$name\" --table \"{table}\" || {{\n\
                 \x20 dmsetup remove \"{lower}\"\n  exit 1\n}}\n{MAKE_NODES}"
            ),
        );
    }
    Ok(text)
}

fn add(text: &mut String, more: core::fmt::Arguments<'_>) {
    let done = text.write_fmt(more);
    debug_assert!(done.is_ok(), "writing to a string");
}

/// Makes the nodes in /dev/mapper where no udev does.
const MAKE_NODES: &str = "dmsetup mknodes\n";

const HEAD: &str = "\
#!/bin/sh
# Makes /dev/mapper/NAME over files as they lie: sh THIS-FILE [NAME]
# `dmsetup remove NAME`, and NAME-data where there is one, ends it; loop devices go with it.
set -eu
name=${1:-tarfs}
cd \"$(dirname \"$0\")\"
loops=
# Those in use are kept until their user is gone.
trap '[ -z \"$loops\" ] || losetup --detach $loops' EXIT
loop() {
  loop=$(losetup --find --show --read-only -- \"$1\")
  loops=\"$loops $loop\"
}
";
