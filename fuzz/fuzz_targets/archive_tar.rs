//! Entries of tars are what Go's `archive/tar`, by which containerd reads, reads of them: of tars that were
//! written by the generator of stacks, all; of tars with any changed bytes, if both take them.
//!
//! The first byte says which: even, and the bytes are the generator's choices; odd, and they are a tar.
#![no_main]

use std::env;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use erofs_tarfs_fuzz::{entries, sums, tars};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use testkit::stacks::Stack;

/// Where the two are known to differ; `examples/go/crosscheck/cases_test.go` has a row of each.
const FLAGS: [(u8, &str); 8] = [
    (b'g', "archive/tar hands global headers over, and applies none"),
    (b'X', "X is Solaris's name for x, as GNU tar reads it; archive/tar takes it for a file"),
    (b'D', "a directory whose body lists names; archive/tar takes it for a file"),
    (b'V', "a label is no file of the archive; archive/tar hands it over"),
    (b'M', "the rest of the file is in another archive"),
    (b'N', "an old form of long names, which archive/tar hands over"),
    (b'L', "with a pax path too, archive/tar prefers the long name; GNU tar the pax record, as we"),
    (b'K', "the same of targets"),
];

/// Bytes that say something which archive/tar reads otherwise, wherever they are.
const REASONS: [(&[u8], &str); 2] = [
    (b"LIBARCHIVE.", "archive/tar knows only the SCHILY keys"),
    (b"GNU.sparse.", "of maps that break a rule, archive/tar takes others than we"),
];

fuzz_target!(|input: &[u8]| {
    let Some((form, bytes)) = input.split_first() else { return };
    if form & 1 == 0 {
        for layer in Stack::chosen_for_go(bytes).layers {
            let theirs = theirs(&layer.tar).expect("a tar of the generator");
            assert_eq!(entries::of(&layer.tar).expect("a tar of the generator"), theirs);
        }
        return;
    }
    let mut tar = bytes.to_vec();
    sums::tar_headers(&mut tar);
    let flags = entries::flags(&tar);
    if FLAGS.iter().any(|(flag, _)| flags.contains(flag))
        || entries::known(&tar, &REASONS).is_some()
    {
        return;
    }
    let (Ok(ours), Some(theirs)) = (entries::of(&tar), theirs(&tar)) else { return };
    assert_eq!(ours, theirs);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max: usize, seed: u32| {
    match data.first() {
        Some(form) if form & 1 == 1 => tars::mutate_behind(1, data, size, max, seed, fuzzer_mutate),
        _ => fuzzer_mutate(data, size, max),
    }
});

/// What Go's reader says; nothing if it refuses the tar.
fn theirs(tar: &[u8]) -> Option<Vec<String>> {
    static GO: OnceLock<Mutex<Child>> = OnceLock::new();
    let go = GO.get_or_init(|| {
        // Built beside this program, by fuzz/check.
        let program = env::current_exe().expect("a program").with_file_name("archive_tar_go");
        let mut go = Command::new(program);
        Mutex::new(go.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the Go program"))
    });
    let mut go = go.lock().expect("one thread");
    let to = go.stdin.as_mut().expect("a pipe");
    to.write_all(&(tar.len() as u32).to_le_bytes()).expect("it reads");
    to.write_all(tar).expect("it reads");
    let from = go.stdout.as_mut().expect("a pipe");
    let mut length = [0; 4];
    from.read_exact(&mut length).expect("it answers");
    let mut said = vec![0; u32::from_le_bytes(length) as usize];
    from.read_exact(&mut said).expect("it answers");
    let said = String::from_utf8(said).expect("text");
    (!said.starts_with("error")).then(|| said.lines().map(str::to_owned).collect())
}
