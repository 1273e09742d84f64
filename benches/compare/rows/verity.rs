//! A file sealed with dm-verity, the tree written to another.

use super::judge::{found, same_root, timed};
use crate::bench::Bench;
use crate::done::Done;
use crate::format::bytes;
use crate::inputs;
use crate::measure::{Work, race};
use crate::report::Row;

/// As go-dmverity's user has it.
const SALT: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const THREADS: [&str; 3] = ["one thread", "one thread, --map", "two threads"];

pub(super) fn run(bench: &Bench, rows: &mut Vec<Row>) -> Done {
    let size = size(bench);
    let data = inputs::large(&bench.dir, size)?;
    let (tree, peer_tree) = (bench.out("tree"), bench.out("peer-tree"));
    let ours = |threads: &str, data_block: &str, hash_block: &str, salt: &str| {
        let mut work = bench.tools.tarfs(["verity", "format", "--data-block-size", data_block]);
        work = work.args(["--hash-block-size", hash_block, "--salt", salt]);
        work = work.args(["--threads", threads, "--hash"]).out(&tree).arg(&data);
        work.label = format!("tarfs --threads {threads}");
        work
    };
    // As `THREADS` says.
    let all_of_ours = |data_block: &str, hash_block: &str, salt: &str| {
        let [one, mapped, two] =
            ["1", "1", "2"].map(|threads| ours(threads, data_block, hash_block, salt));
        vec![one, mapped.arg("--map"), two]
    };
    let theirs = |work: Work, data_block: &str, hash_block: &str, salt: &str| {
        let work = work.args(["format", "--no-superblock", "--data-block-size", data_block]);
        let work = work.args(["--hash-block-size", hash_block, "--salt", salt]).arg(&data);
        work.out(&peer_tree)
    };

    for (data_block, one, two) in [("512", 5.0, 10.0), ("4096", 3.0, 6.0)] {
        let mut works = all_of_ours(data_block, "4096", "-");
        let peer = bench.tools.veritysetup.work([]);
        works.extend(peer.map(|peer| theirs(peer, data_block, "4096", "-")));
        let runs = race(&works, &bench.plan)?;
        same_root(&runs)?;
        for (at, (threads, bar)) in THREADS.into_iter().zip([one, one, two]).enumerate() {
            let what = format!("verity {data_block}/4096, {}, {threads}", bytes(size));
            let peer = found(&runs, 3, "veritysetup");
            rows.push(timed(("verity", what), &runs[at], peer, 1.0 / bar));
        }
    }

    let mut works = all_of_ours("512", "512", SALT);
    let peer = bench.tools.go_dmverity.work([]);
    works.extend(peer.map(|peer| theirs(peer, "512", "512", SALT)));
    let runs = race(&works, &bench.plan)?;
    same_root(&runs)?;
    for (at, threads) in THREADS.into_iter().enumerate() {
        let what = format!("verity 512/512, {}, {threads}", bytes(size));
        rows.push(timed(("verity", what), &runs[at], found(&runs, 3, "go-dmverity"), 1.0 / 13.0));
    }
    Ok(())
}

/// How many bytes large inputs have.
pub(super) fn size(bench: &Bench) -> u64 {
    if bench.quick { 16 << 20 } else { 4 << 30 }
}
