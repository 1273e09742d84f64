//! The commands that mount a sealed disk through dm-verity.

use std::path::Path;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::Sealed;

use super::words;
use crate::cli::fail::Done;
use crate::show::hash_tree_report;

/// Opens data with veritysetup, which makes loop devices of files itself, and mounts it; the hash tree is
/// in the same file if it is not given.
pub(crate) fn commands(
    data: &NamedFile,
    tree: Option<&NamedFile>,
    sealed: &Sealed,
    mount_point: &Path,
) -> Done<Vec<String>> {
    let mut lines = Vec::new();
    let mut devices = Vec::new();
    let mut device = |name: &str, file: &NamedFile| match file.is_range() {
        true => {
            lines.push(words::attach(name, file)?);
            devices.push(format!("${name}"));
            Ok(format!("${name}"))
        }
        false => words::text(file.path()),
    };
    let data = device("data", data)?;
    let hash = tree.map_or(Ok(data.clone()), |tree| device("tree", tree))?;
    let name = hash_tree_report::device_name(sealed);
    let open = sealed.open_command(&data, &name, &hash);
    let word = |word: &String| match devices.contains(word) {
        true => word.clone(),
        false => words::shown(Path::new(word)),
    };
    let words: Vec<_> = open.words().iter().map(word).collect();
    let mount_point = words::shown(mount_point);
    lines.push(words.join(" "));
    lines.push(format!("mount -t erofs -o ro /dev/mapper/{name} {mount_point}"));
    if !devices.is_empty() {
        let all = devices.join(" ");
        lines.push(format!("losetup --detach {all}  # when it is unmounted and closed"));
    }
    Ok(lines)
}
