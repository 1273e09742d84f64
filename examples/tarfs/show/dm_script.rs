//! The script of `--form dm-linear`.

use std::collections::BTreeMap;
use std::path::Path;

use erofs_tarfs::outputs::{self, Extents, dm_linear};
use erofs_tarfs::verity::Sealed;

use crate::cli::quote;

/// For each file the index at which it is named first.
pub(crate) fn first_of_each(files: &[String]) -> Vec<usize> {
    let mut seen = BTreeMap::new();
    let indexes = files.iter().enumerate();
    indexes.map(|(index, file)| *seen.entry(file).or_insert(index)).collect()
}

/// A script that makes a device: loop devices of the files, a linear table over them, and one of
/// dm-verity over that.
pub(crate) fn text(
    files: &[String],
    extents: Extents<usize>,
    sealed: Option<&Sealed>,
) -> Result<String, outputs::Error> {
    let mut text = String::from(SCRIPT_HEAD);
    // One loop device for a file, however often it is there.
    let first = first_of_each(files);
    for (index, file) in files.iter().enumerate() {
        if first[index] == index {
            text += &format!("loop {}\nd{index}=$loop\n", quote::word(Path::new(file)));
        }
    }
    let variables: Vec<String> = first.iter().map(|index| format!("$d{index}")).collect();
    let table = dm_linear(&extents.map(|index| variables[index].as_str()));
    let table = table.map_err(|error| match error {
        outputs::Error::Sectors { offset, bytes, file } => {
            // Errors name the file, not the variable that stands for it in the script.
            let index = variables.iter().position(|variable| Some(variable) == file.as_ref());
            let file = index.map(|index| files[index].clone());
            outputs::Error::Sectors { offset, bytes, file }
        }
        error => error,
    })?;
    let lower = if sealed.is_some() { "$name-data" } else { "$name" };
    text += &format!("dmsetup create --readonly \"{lower}\" <<TABLE\n{table}TABLE\n{MAKE_NODES}");
    if let Some(sealed) = sealed {
        let device = format!("/dev/mapper/{lower}");
        let table = sealed.table_line(&device, &device);
        text += &format!(
            "dmsetup create --readonly \"$name\" --table \"{table}\" || {{\n\
             \x20 dmsetup remove \"{lower}\"\n  exit 1\n}}\n{MAKE_NODES}"
        );
    }
    Ok(text)
}

/// Makes the device nodes where no udev does.
const MAKE_NODES: &str = "dmsetup mknodes\n";

const SCRIPT_HEAD: &str = "\
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
