//! Rows that open a sealed disk.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use testkit::dump::Tree;

use super::preset::Preset;
use crate::row::Row;
use crate::run::ok;

/// How a device is opened: by the commands that are printed, or by the table of the report.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Commands,
    Table,
}

/// A disk that `tarfs` sealed.
pub(super) struct Sealed<'a> {
    pub(super) name: String,
    pub(super) disk: &'a Path,
    /// A file with the hash tree, if it is not behind the data.
    pub(super) hash: Option<&'a Path>,
    pub(super) preset: &'a Preset,
    /// What was said of the tree.
    pub(super) report: &'a Value,
    pub(super) tree: &'a Arc<Tree>,
}

impl Sealed<'_> {
    fn text(&self, key: &str) -> &str {
        self.report[key].as_str().unwrap()
    }

    fn row(&self, way: &str, script: String) -> Row {
        Row::shown(format!("{}, by {way}", self.name), script, self.tree).sealed()
    }

    pub(super) fn by(&self, way: Way) -> Row {
        match way {
            Way::Commands => self.by_commands(),
            Way::Table => self.by_table(),
        }
    }

    /// What `mount-args` prints, as it stands.
    fn by_commands(&self) -> Row {
        let mut args = vec!["mount-args", "--root", self.text("root_hash")];
        args.extend(&self.preset.options);
        args.extend(self.hash.iter().flat_map(|hash| ["--hash", hash.to_str().unwrap()]));
        args.push(self.disk.to_str().unwrap());
        let commands = ok(&args);
        if self.hash.is_none() {
            assert_eq!(commands.lines().next(), Some(self.text("veritysetup")), "{}", self.name);
        }
        self.row("veritysetup", commands)
    }

    /// The table of the report, with devices in the places of the files.
    fn by_table(&self) -> Row {
        let attach = |name: &str, file: &Path| {
            format!("{name}=$(losetup --find --show --read-only {})\n", file.display())
        };
        let mut script = attach("data", self.disk);
        let table = match self.hash {
            Some(hash) => {
                script += &attach("hash", hash);
                // Reports on trees alone do not know where the data is.
                let table = self.text("dm_table").replace(hash.to_str().unwrap(), "$hash");
                table.replace("DISK", "$data")
            }
            None => self.text("dm_table").replace(self.disk.to_str().unwrap(), "$data"),
        };
        script += &format!(
            "dmsetup create --readonly sealed --table \"{table}\"\n\
             mount -t erofs -o ro /dev/mapper/sealed /mnt\n"
        );
        self.row("its table", script)
    }
}
