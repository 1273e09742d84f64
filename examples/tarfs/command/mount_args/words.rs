//! Words of the commands that are printed.

use std::io::{self, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::io::NamedFile;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;

/// A loop device of a file, or of a partition.
pub(crate) fn attach(name: &str, file: &NamedFile) -> Done<String> {
    let range = match file.is_range() {
        true => format!("--offset {} --sizelimit {} ", file.start(), file.bytes()?),
        false => String::new(),
    };
    let path = shown(file.path());
    Ok(format!("{name}=$(losetup --find --show --read-only {range}{path})"))
}

/// A path as it stands in a command, which would name another file if it were no text.
pub(crate) fn text(path: &Path) -> Done<String> {
    // A name that begins as an option does would be one.
    let plain = |text: &str| match text.starts_with('-') {
        true => format!("./{text}"),
        false => text.to_owned(),
    };
    path.to_str()
        .map(plain)
        .ok_or_else(|| Fail::of(path, "has a name that is not UTF-8: no command is printed"))
}

/// A word of a command: as it is, and on a terminal so that nothing in it acts there. Of a command
/// nothing may be left out, however long it is.
pub(crate) fn shown(path: &Path) -> String {
    let quoted = quote::shell(path.as_os_str().as_bytes());
    // Not every shell knows the form that bash and `ls` have for what does not print.
    match io::stdout().is_terminal() && quoted.contains("$'") {
        true => quoted,
        false => quote::word(path),
    }
}
