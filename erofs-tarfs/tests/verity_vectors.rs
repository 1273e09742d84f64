//! Roots and tree bytes of `data/verity.txt`, which veritysetup made: sizes around every level's
//! boundaries, up to gigabytes, all block sizes and salts.
//!
//! `TARFS_BLESS=1` runs veritysetup for each row and rewrites the file.

#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

mod verity_kit;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

use erofs_tarfs::verity::{
    Geometry, HashBytes, HashPlacement, Hasher, Leaves, Params, SuperblockMode, TreeDigest,
    Verifier,
};
use sha2::{Digest as _, Sha256};
use verity_kit::{Dir, UUID, root_of, run, salt, stream, veritysetup};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/verity.txt");

struct Row {
    params: Params,
    data_blocks: u64,
    hash_file_bytes: u64,
    root: String,
    hash_file_sha256: String,
}

impl Row {
    fn parse(line: &str) -> Self {
        let fields: Vec<_> = line.split(' ').collect();
        let [data, hash, blocks, salt_len, superblock, bytes, root, sha256] = fields[..] else {
            panic!("{line}");
        };
        let superblock = match superblock {
            "1" => SuperblockMode::Uuid(UUID.parse().unwrap()),
            _ => SuperblockMode::None,
        };
        let (data, hash) = (data.parse().unwrap(), hash.parse().unwrap());
        Self {
            params: Params::new(data, hash, &salt(salt_len.parse().unwrap()), superblock).unwrap(),
            data_blocks: blocks.parse().unwrap(),
            hash_file_bytes: bytes.parse().unwrap(),
            root: root.to_owned(),
            hash_file_sha256: sha256.to_owned(),
        }
    }

    fn data_bytes(&self) -> u64 {
        self.data_blocks * u64::from(self.params.data_block().bytes())
    }

    fn geometry(&self) -> Geometry {
        Geometry::new(&self.params, self.data_bytes(), HashPlacement::OwnFile).unwrap()
    }

    fn check(&self, hasher: Hasher, mut tree: HashBytes) {
        let sealed = hasher.finish(&mut tree).unwrap();
        assert_eq!(sealed.root().to_string(), self.root);
        assert_eq!(self.geometry().end(), self.hash_file_bytes);
        assert_eq!(tree.bytes.len() as u64, self.hash_file_bytes);
        assert_eq!(hex(&Sha256::digest(&tree.bytes)), self.hash_file_sha256);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(FILE).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(Row::parse).collect()
}

/// Leaves are hashed once for all rows with the same data block and salt, and serve each tree.
#[test]
fn trees_are_those_of_veritysetup() {
    if std::env::var_os("TARFS_BLESS").is_some() {
        bless();
    }
    let rows = rows();
    assert!(rows.len() > 300);
    let mut groups = BTreeMap::<_, Vec<&Row>>::new();
    for row in &rows {
        groups.entry((row.params.data_block(), row.params.salt())).or_default().push(row);
    }
    let mut jobs: Vec<_> = groups.into_values().collect();
    jobs.sort_by_key(|rows| rows.iter().map(|row| row.data_bytes()).max());
    let jobs = Mutex::new(jobs);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let job = jobs.lock().unwrap().pop();
                    match job {
                        Some(rows) => check_group(&rows),
                        None => break,
                    }
                }
            });
        }
    });
}

fn check_group(rows: &[&Row]) {
    let mut leaves = Leaves::new(&rows[0].params);
    let mut data = stream();
    let mut chunk = vec![0; 1 << 18];
    let longest = rows.iter().map(|row| row.data_bytes()).max().unwrap();
    while leaves.position() < longest {
        let len = (longest - leaves.position()).min(chunk.len() as u64) as usize;
        data.fill(&mut chunk[..len]);
        leaves.push(&chunk[..len]);
    }
    for row in rows {
        let mut hasher = Hasher::new(row.geometry());
        let mut tree = HashBytes::default();
        hasher.push_digests(&leaves.digests()[..row.data_blocks as usize * 32], &mut tree).unwrap();
        row.check(hasher, tree);
    }
}

/// The same from data in chunks that fit nothing; and the verifier agrees.
#[test]
fn small_trees_from_bytes() {
    let all = stream().bytes(17 << 20);
    let rows = rows();
    for row in rows.iter().filter(|row| row.data_bytes() <= all.len() as u64) {
        let data = &all[..row.data_bytes() as usize];
        let mut hasher = Hasher::new(row.geometry());
        let mut tree = HashBytes::default();
        for chunk in data.chunks(99_991) {
            hasher.push(chunk, &mut tree).unwrap();
        }
        let mut verifier = Verifier::new(row.geometry(), row.root.parse::<TreeDigest>().unwrap());
        row.check(hasher.clone(), tree.clone());
        let _ = hasher.finish(&mut tree).unwrap();
        verifier.verify_all(&mut &data[..], &mut &tree).unwrap();
    }
}

fn bless() {
    let program = veritysetup().expect("veritysetup makes the vectors");
    let dir = Dir::new("verity-bless");
    let data = dir.file("data");
    let rows = rows();
    write_data(&data, rows.iter().map(Row::data_bytes).max().unwrap());
    let old = fs::read_to_string(FILE).unwrap();
    let mut text = old
        .lines()
        .filter(|line| line.starts_with('#'))
        .fold(String::new(), |text, line| text + line + "\n");
    for row in rows {
        let hash = dir.file("hash");
        let (root, sha256, bytes) = bless_row(&program, &row, &data, &hash);
        let params = &row.params;
        writeln!(
            text,
            "{} {} {} {} {} {bytes} {root} {sha256}",
            params.data_block(),
            params.hash_block(),
            row.data_blocks,
            params.salt().len(),
            u8::from(params.superblock() != SuperblockMode::None),
        )
        .unwrap();
    }
    fs::write(FILE, text).unwrap();
}

fn bless_row(program: &Path, row: &Row, data: &str, hash: &str) -> (String, String, usize) {
    let _ = fs::remove_file(hash);
    let params = &row.params;
    let mut words = vec!["veritysetup".into(), "format".into(), data.into(), hash.into()];
    words.push(format!("--data-block-size={}", params.data_block()));
    words.push(format!("--hash-block-size={}", params.hash_block()));
    words.push(format!("--data-blocks={}", row.data_blocks));
    words.push(format!(
        "--salt={}",
        if params.salt().is_empty() { "-".into() } else { hex(params.salt()) }
    ));
    words.push(match params.superblock() {
        SuperblockMode::None => "--no-superblock".into(),
        _ => format!("--uuid={UUID}"),
    });
    let root = root_of(&run(program, &words));
    let bytes = fs::read(hash).unwrap();
    (root, hex(&Sha256::digest(&bytes)), bytes.len())
}

fn write_data(path: &str, bytes: u64) {
    let mut file = fs::File::create(path).unwrap();
    let (mut data, mut chunk, mut done) = (stream(), vec![0; 1 << 20], 0);
    while done < bytes {
        let len = (bytes - done).min(chunk.len() as u64) as usize;
        data.fill(&mut chunk[..len]);
        file.write_all(&chunk[..len]).unwrap();
        done += len as u64;
    }
}
