//! A row: a script for the guest, and what must come of it.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use testkit::dump::{Ignore, Tree, diff};

use crate::guest::Disk;
use crate::reply::Reply;

/// What must come of a row's script.
#[derive(Clone, Debug)]
pub(crate) enum Expect {
    /// What is mounted on `/mnt` is this, in all of it.
    Shown(Arc<Tree>),
    /// The same of an overlayfs, but for what that counts in its own way: links.
    Stacked(Arc<Tree>),
    /// dm-verity finds what is wrong.
    Damaged(Damage),
    /// The script fails, nothing is mounted, and this is a part of what it, the kernel or dm-verity
    /// said.
    Refused(&'static str),
}

/// What is to come of a device whose bytes do not match their root hash.
#[derive(Clone, Debug)]
pub(crate) struct Damage {
    /// A part of what the kernel logs.
    pub(crate) said: String,
    /// It is mounted, and this is shown: what can't be read has no digest. Without it nothing is mounted.
    pub(crate) rest: Option<Arc<Tree>>,
}

/// A row for all kernels.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Commands for a shell, which ends at the first that fails.
    pub(crate) script: String,
    /// Disks that the guest must have for it.
    pub(crate) disks: Vec<Disk>,
    expect: Expect,
    /// What other kernels do, by the start of their version.
    others: Vec<(&'static str, Expect)>,
    /// Whether dm-verity is below the mount.
    sealed: bool,
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, script: impl Into<String>, expect: Expect) -> Self {
        let (name, script) = (name.into(), script.into());
        Self { name, script, disks: Vec::new(), expect, others: Vec::new(), sealed: false }
    }

    /// What must be mounted is this.
    pub(crate) fn shown(
        name: impl Into<String>,
        script: impl Into<String>,
        tree: &Arc<Tree>,
    ) -> Self {
        Self::new(name, script, Expect::Shown(tree.clone()))
    }

    /// dm-verity is below, and must say that all it saw is right; or wrong, if it is damaged.
    pub(crate) fn sealed(mut self) -> Self {
        self.sealed = true;
        self
    }

    /// Another text in the commands.
    pub(crate) fn instead(mut self, of: &str, text: &str) -> Self {
        self.script = self.script.replace(of, text);
        self
    }

    /// Commands behind the others.
    pub(crate) fn then(mut self, commands: &str) -> Self {
        self.script.push_str(commands);
        self
    }

    /// Something else must come of it.
    pub(crate) fn expect(self, expect: Expect) -> Self {
        Self { expect, ..self }
    }

    /// Linux `release` does otherwise.
    pub(crate) fn but(mut self, release: &'static str, expect: Expect) -> Self {
        self.others.push((release, expect));
        self
    }

    /// A disk of sectors of 512 bytes; it is `/disks/SERIAL` in the guest.
    pub(crate) fn disk(self, serial: &str, file: &Path) -> Self {
        self.disk_of(serial, file, "raw", 512)
    }

    pub(crate) fn disk_of(
        mut self,
        serial: &str,
        file: &Path,
        format: &'static str,
        sector: u32,
    ) -> Self {
        let (serial, file) = (serial.to_owned(), PathBuf::from(file));
        self.disks.push(Disk { serial, file, format, sector });
        self
    }

    /// What is wrong with what came of it; nothing if all is as it must be.
    pub(crate) fn judge(&self, release: &str, reply: &Reply) -> Option<String> {
        let other = self.others.iter().find(|(known, _)| *known == release);
        let expect = other.map_or(&self.expect, |(_, expect)| expect);
        let wrong = self.wrong(expect, reply)?;
        let mut text = format!("{}: {wrong}\n{}", self.name, reply.describe());
        writeln!(text, "its script:\n{}", self.script.trim_end()).expect("a string takes all");
        Some(text)
    }

    fn wrong(&self, expect: &Expect, reply: &Reply) -> Option<String> {
        if !reply.undo.is_empty() {
            return Some(format!("could not be undone: {}", reply.undo));
        }
        let mounted = !reply.source.is_empty();
        if let Expect::Refused(why) = expect {
            let said = [&reply.out, &reply.log, &reply.verity];
            return match (mounted, said.iter().any(|said| said.contains(why))) {
                (true, _) => Some(format!("was mounted, and must be refused with {why:?}")),
                (_, true) if reply.status != 0 => None,
                _ => Some(format!("failed, but not with {why:?}")),
            };
        }
        if let Expect::Damaged(Damage { said, rest }) = expect {
            if !reply.log.contains(said) {
                return Some(format!("the kernel does not log {said:?}"));
            }
            match (rest, mounted) {
                (None, true) => return Some("was mounted, and must not be".to_owned()),
                (None, false) if reply.status == 0 => return Some("did not fail".to_owned()),
                (None, false) => return self.wrong_verity("C", None, reply),
                (Some(_), _) => {}
            }
        }
        if reply.status != 0 || !mounted {
            return Some(format!("is not mounted, its script ended with {}", reply.status));
        }
        let (word, tree, listed, why) = match expect {
            Expect::Damaged(Damage { rest: Some(tree), .. }) => {
                ("C", tree, 1, "Input/output error")
            }
            Expect::Shown(tree) | Expect::Stacked(tree) => ("V", tree, 0, ""),
            Expect::Refused(_) | Expect::Damaged(_) => unreachable!("nothing is shown, see above"),
        };
        if self.sealed
            && let Some(wrong) = self.wrong_verity(word, Some("/dev/mapper/"), reply)
        {
            return Some(wrong);
        }
        let mut shown = match Tree::from_text(&reply.entries) {
            Ok(shown) if reply.listed == Some(listed) && reply.error.contains(why) => shown,
            Ok(_) => return Some(format!("listed with {:?}: {:?}", reply.listed, reply.error)),
            Err(error) => return Some(error),
        };
        let mut ignore = Ignore::nothing();
        if matches!(expect, Expect::Stacked(_)) {
            shown.recount_links();
            ignore = ignore.dir_nlink();
        }
        let lines = diff(&shown, tree, &ignore);
        (!lines.is_empty()).then(|| format!("shown, and expected:\n{}", lines.join("\n")))
    }

    /// dm-verity says all is well (`V`) or corrupted (`C`), and the mount is of a device like this.
    fn wrong_verity(&self, word: &str, source: Option<&str>, reply: &Reply) -> Option<String> {
        let told = reply.verity.split_whitespace().any(|told| told == word);
        let below = source.is_none_or(|start| reply.source.starts_with(start));
        let (source, verity) = (&reply.source, &reply.verity);
        (!told || !below).then(|| format!("mounted {source:?}, dm-verity says {verity:?}"))
    }
}

/// A row that is not as it must be has to be found.
#[test]
fn judging_can_fail() {
    let node = |text: &str| Arc::new(Tree::from_text(text).unwrap());
    let entries = "x dir 755 0 0 0 0 0 0 0 - - x 2\n";
    let good = Reply {
        source: "/dev/mapper/a".to_owned(),
        listed: Some(0),
        entries: entries.to_owned(),
        verity: "a: 0 16 verity V\n".to_owned(),
        ..Reply::default()
    };
    let wrong = |row: &Row, reply: &Reply, why: &str| {
        let found = row.judge("6.1", reply).unwrap_or_default();
        assert!(found.contains(why), "{why}: {found:?}");
    };
    let row = Row::shown("row", "true", &node(entries)).sealed();
    assert_eq!(row.judge("6.1", &good), None);
    let other = Row::shown("row", "true", &node(&entries.replace("755", "700")));
    wrong(&other, &good, "mode");
    wrong(&row, &Reply { source: String::new(), ..good.clone() }, "not mounted");
    wrong(&row, &Reply { source: "/dev/loop0".to_owned(), ..good.clone() }, "dm-verity");
    wrong(&row, &Reply { verity: good.verity.replace('V', "C"), ..good.clone() }, "dm-verity");
    wrong(&row, &Reply { listed: Some(1), error: "why".to_owned(), ..good.clone() }, "why");
    wrong(&row, &Reply { entries: "x dir".to_owned(), ..good.clone() }, "too few fields");
    wrong(&row, &Reply { undo: "left: a".to_owned(), ..good.clone() }, "left: a");
    let refused = row.clone().expect(Expect::Refused("unknown"));
    wrong(&refused, &good, "was mounted");
    let failed = Reply { status: 32, source: String::new(), ..good.clone() };
    wrong(&refused, &failed, "not with");
    let damage = |rest| Expect::Damaged(Damage { said: "block 7 is".to_owned(), rest });
    let damaged = row.clone().but("6.1", damage(Some(node(entries))));
    let told = Reply {
        log: "data block 7 is corrupted\n".to_owned(),
        verity: good.verity.replace('V', "C"),
        listed: Some(1),
        error: "Input/output error in 1 files\n".to_owned(),
        ..good.clone()
    };
    assert_eq!(damaged.judge("6.1", &told), None);
    wrong(&damaged, &Reply { log: String::new(), ..told.clone() }, "does not log");
    wrong(&damaged, &Reply { verity: good.verity.clone(), ..told.clone() }, "dm-verity");
    wrong(
        &damaged,
        &Reply { listed: Some(0), error: String::new(), ..told.clone() },
        "listed with",
    );
    wrong(&damaged, &Reply { error: "no memory".to_owned(), ..told.clone() }, "no memory");
    wrong(&damaged, &Reply { entries: String::new(), ..told.clone() }, "shown, and expected");
    wrong(&damaged, &Reply { status: 1, ..told.clone() }, "ended with 1");
    let hidden = row.clone().but("6.1", damage(None));
    wrong(&hidden, &told, "was mounted");
    let unmounted = Reply { source: String::new(), ..told };
    wrong(&hidden, &unmounted, "did not fail");
    let unmounted = Reply { status: 32, ..unmounted };
    assert_eq!(hidden.judge("6.1", &unmounted), None);
    wrong(&hidden, &Reply { verity: String::new(), ..unmounted }, "dm-verity");
    assert_eq!(refused.judge("6.1", &Reply { log: "unknown\n".to_owned(), ..failed }), None);
}
