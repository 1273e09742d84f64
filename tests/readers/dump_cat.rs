//! `dump.erofs --cat`: the bytes of one file.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;

use sha2::{Digest, Sha256};
use testkit::dump::Kind;
use testkit::oracle;

use crate::forms::Image;
use crate::table::Cell::{OtherBytes, Right};
use crate::table::{Shown, hold, row};
use crate::{open_ended, sparse, stacks};

#[test]
fn dump_cat() {
    let Some(tool) = oracle::erofs_tool("dump.erofs") else { return };
    let row = row([Right, Right, Right, Right, Right, Right, OtherBytes, OtherBytes, Right]);
    hold(
        "dump.erofs --cat",
        &row,
        &[stacks(2), sparse(), open_ended()].concat(),
        &|stack, form, dir| {
            let image = Image::of(stack, form);
            let files = image.write(dir, "image", form);
            let want = image.dump();
            let mut shown = want.clone();
            for (path, node) in shown.0.iter_mut().filter(|(_, node)| node.kind == Kind::File) {
                let mut option = OsString::from("--path=/");
                option.push(OsString::from_vec(path.clone()));
                let mut command = Command::new(&tool);
                command.arg("--cat").arg(option);
                for device in &files.devices {
                    command.arg(format!("--device={}", device.display()));
                }
                let output = command.arg(&files.image).output().unwrap();
                if !output.status.success() {
                    return Err(String::from_utf8_lossy(&output.stderr).into_owned());
                }
                node.size = output.stdout.len() as u64;
                node.sha256 = Some(Sha256::digest(&output.stdout).into());
            }
            Ok(Shown::all(shown, want))
        },
    );
}
