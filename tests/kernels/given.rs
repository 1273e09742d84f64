//! The layers of the rows, and what must be seen of them, as this machine's kernel shows it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use testkit::dump::{Tree, dump};
use testkit::layer::What;
use testkit::stacks::Stack;

use crate::layers::{self, LARGE};
use crate::row::Row;
use crate::run::{Image, json, mounted, ok, tool};

/// What goes to the guests, under the same paths.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(TempDir::with_prefix("tarfs-kernels-").unwrap());
        fs::copy(env!("CARGO_BIN_EXE_helper"), folder.path().join("helper")).unwrap();
        fs::copy(tool(), folder.path().join("tarfs")).unwrap();
        fs::write(folder.path().join("guest"), include_str!("guest.sh")).unwrap();
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A mount of files as they are, without loop devices.
    pub(crate) fn of_files(&self, command: &str) -> String {
        format!("{} {command}\n", self.path().join("helper").display())
    }

    pub(crate) fn put_scripts(&self, rows: &[Row]) {
        let dir = self.path().join("rows");
        fs::create_dir(&dir).unwrap();
        for (number, row) in rows.iter().enumerate() {
            fs::write(dir.join(script_name(number, row)), &row.script).unwrap();
        }
    }
}

/// What a row's script is called: guests run them in this order.
pub(crate) fn script_name(number: usize, row: &Row) -> String {
    format!("{number:03}-{}", plain(&row.name))
}

/// A name without what is special to a shell or to the device mapper.
fn plain(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-")
}

/// Layers, as tars in the folder.
pub(crate) struct Given {
    image: Image,
    /// What must be seen of all layers merged.
    pub(crate) merged: Arc<Tree>,
    /// And of each alone, in the rich image.
    pub(crate) layers: Vec<Arc<Tree>>,
}

impl Given {
    /// One of everything.
    pub(crate) fn rich(folder: &Folder) -> Self {
        let mut given = Self::new(folder, Stack { seed: 0, layers: layers::rich() });
        for index in 0..given.image.tars.len() {
            let out = given.path(&format!("layer-{index}-as-shown-here"));
            ok(["layer", "--disk", "-o", out.to_str().unwrap(), given.tar(index)]);
            let shown = mounted(&out);
            given.image.expect_layer(index, &shown);
            given.layers.push(Arc::new(dump(shown.path()).unwrap()));
        }
        given
    }

    pub(crate) fn new(folder: &Folder, stack: Stack) -> Self {
        let mut dir = TempDir::with_prefix_in("image-", folder.path()).unwrap();
        // It goes with the folder.
        dir.disable_cleanup(true);
        let tars = stack.layers.iter().enumerate().map(|(index, layer)| {
            let path = dir.path().join(format!("{index}.tar"));
            fs::write(&path, &layer.tar).unwrap();
            path
        });
        let tars = tars.collect();
        let image = Image { dir, stack, tars };
        let mut given = Self { image, merged: Arc::default(), layers: Vec::new() };
        let (disk, _) = given.export("image_block", "as-shown-here", &[]);
        let shown = mounted(&disk);
        given.image.expect_merged(&shown);
        given.merged = Arc::new(dump(shown.path()).unwrap());
        given
    }

    /// A file of a name, as far as it is letters and digits.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.image.path(&plain(name))
    }

    /// The tar of a layer.
    pub(crate) fn tar(&self, index: usize) -> &str {
        self.image.tars[index].to_str().unwrap()
    }

    /// The content of a layer's tar.
    pub(crate) fn bytes(&self, index: usize) -> &[u8] {
        &self.image.stack.layers[index].tar
    }

    /// The content of a file that is like nothing else in the image.
    pub(crate) fn large_file(&self) -> &[u8] {
        match &self.image.stack.layers[LARGE].ops[0].what {
            What::File(content) => content,
            what => panic!("{what:?}"),
        }
    }

    /// A command line with the tars at its end.
    pub(crate) fn over_tars<'a>(&'a self, args: &'a [&'a str]) -> Vec<&'a OsStr> {
        self.image.over_tars(args)
    }

    /// `tarfs export` of all layers; the output and what was said of it.
    pub(crate) fn export(&self, mode: &str, name: &str, more: &[&str]) -> (PathBuf, Value) {
        let out = self.path(name);
        let args = ["export", "--mode", mode, "--json", "-o", out.to_str().unwrap()];
        let said = ok(self.over_tars(&[&args, more].concat()));
        (out, json(&said).remove(0))
    }

    /// The same of one layer.
    pub(crate) fn export_layer(
        &self,
        index: usize,
        mode: &str,
        name: &str,
        more: &[&str],
    ) -> (PathBuf, Value) {
        let out = self.path(name);
        let args = ["export", "--mode", mode, "--json", "-o", out.to_str().unwrap()];
        let said = ok([&args[..], more, &[self.tar(index)]].concat());
        (out, json(&said).remove(0))
    }
}
