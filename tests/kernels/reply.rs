//! What a guest says: a word and a text a line, as `guest.sh` writes it.

use std::collections::BTreeMap;

/// What came of one row. Texts are of whole lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    /// How the script ended.
    pub(crate) status: i32,
    /// What it printed.
    pub(crate) out: String,
    /// What is mounted on `/mnt`.
    pub(crate) source: String,
    /// How the lister ended, if the script went well.
    pub(crate) listed: Option<i32>,
    /// What the lister complained of.
    pub(crate) error: String,
    /// What it listed.
    pub(crate) entries: String,
    /// What dm-verity said behind that.
    pub(crate) verity: String,
    /// What could not be undone.
    pub(crate) undo: String,
    /// What the kernel logged.
    pub(crate) log: String,
}

impl Reply {
    /// For a person.
    pub(crate) fn describe(&self) -> String {
        let Self { status, out, source, listed, error, verity, log, .. } = self;
        format!("status {status}, mounted {source:?}, listed {listed:?}\n{out}{error}{verity}{log}")
    }
}

/// What the booted kernel says that it is, and what came of the rows by their names.
pub(crate) fn parse(said: &str) -> (String, BTreeMap<String, Reply>) {
    let (mut version, mut replies) = (String::new(), BTreeMap::new());
    let mut row = String::new();
    for line in said.lines() {
        let (word, text) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "kernel" => text.clone_into(&mut version),
            "row" => {
                text.clone_into(&mut row);
                replies.insert(row.clone(), Reply::default());
            }
            "done" => {}
            _ => put(replies.get_mut(&row).expect("a row comes first"), word, text),
        }
    }
    (version, replies)
}

fn put(reply: &mut Reply, word: &str, text: &str) {
    let lines = match word {
        "status" => return reply.status = text.parse().unwrap(),
        "listed" => return reply.listed = Some(text.parse().unwrap()),
        "out" => &mut reply.out,
        "source" => return text.clone_into(&mut reply.source),
        "error" => &mut reply.error,
        "entry" => &mut reply.entries,
        "verity" => &mut reply.verity,
        "undo" => &mut reply.undo,
        "log" => &mut reply.log,
        _ => panic!("the guest said {word:?} {text:?}"),
    };
    lines.push_str(text);
    lines.push('\n');
}
