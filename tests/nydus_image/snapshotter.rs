//! What nydus-snapshotter v0.15.11 does in tarfs mode, with its own calls (`pkg/tarfs/tarfs.go`).

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use testkit::mount::{Erofs, Mounted};
use testkit::oracle::{self, Verity};
use testkit::ours::tag;
use testkit::program::Ran;

use crate::run::{Place, ok, run};

/// Its cache, and its files beside.
pub struct Snapshotter {
    pub place: Place,
}

/// A hash tree as the printed line tells it.
#[derive(Debug, PartialEq, Eq)]
pub struct Printed {
    pub data_blocks: u64,
    pub hash_offset: u64,
    pub root: String,
}

impl Snapshotter {
    pub fn new() -> Self {
        let place = Place::new();
        fs::create_dir(place.path("cache")).unwrap();
        Self { place }
    }

    /// What a blob is called: the digest of its compressed bytes, which are not those of the tar.
    pub fn id(tar: &[u8]) -> String {
        String::from_utf8(tag(&[b"compressed", tar].concat())).unwrap()
    }

    /// Where the tar of a blob lies.
    pub fn tar(&self, id: &str) -> PathBuf {
        self.place.path("cache").join(id)
    }

    /// A layer that is pulled: the tar goes through a pipe with a name, into the cache beside.
    pub fn pull(&self, name: &str, tar: &[u8]) -> Ran {
        let (id, fifo) = (Self::id(tar), self.place.path("layer_tar.fifo"));
        fs::write(self.tar(&id), tar).unwrap();
        mknodat(CWD, &fifo, FileType::Fifo, Mode::from(0o644), 0).unwrap();
        let ran = thread::scope(|scope| {
            scope.spawn(|| {
                // Who fails early does not read it all.
                let _ = OpenOptions::new().write(true).open(&fifo).unwrap().write_all(tar);
            });
            let (boot, cache) = (self.place.word(name), self.place.word("cache"));
            let words = ["create", "--type", "tar-tarfs", "--bootstrap", &boot, "--blob-id", &id];
            run(words.into_iter().chain(["--blob-dir", &cache, fifo.to_str().unwrap()]))
        });
        fs::remove_file(fifo).unwrap();
        ran
    }

    /// The layers of an image, pulled; the names of their bootstraps.
    pub fn pull_all<'t>(&self, tars: impl IntoIterator<Item = &'t [u8]>) -> Vec<String> {
        let tars = tars.into_iter().enumerate();
        let pull = |(number, tar): (usize, &[u8])| {
            let name = format!("layer{number}.boot");
            let ran = self.pull(&name, tar);
            assert_eq!((ran.code, &*ran.stdout), (0, ""), "{ran:?}");
            name
        };
        tars.map(pull).collect()
    }

    /// The bootstrap of an image of these layers, the lowest first.
    pub fn merge(&self, layers: &[String]) -> PathBuf {
        let boot = self.place.path("image.boot");
        let layers = layers.iter().map(|name| self.place.word(name));
        let words = ["merge".to_owned(), "--bootstrap".to_owned(), self.place.word("image.boot")];
        // Where readers of layers differ, it says what it did.
        let ran = run(words.into_iter().chain(layers));
        assert_eq!((ran.code, &*ran.stdout), (0, ""), "{ran:?}");
        boot
    }

    /// Mounts an image on the host: with a loop device for each layer whose blob ID is found in what
    /// `inspect` prints, the lowest first.
    pub fn mount(&self, boot: &Path, ids: &[String]) -> Mounted {
        let told = ok(["inspect", "-R blobs", boot.to_str().unwrap()]);
        let used = ids.iter().filter(|id| told.contains(&format!("\"blob_id\":\"{id}\"")));
        let devices: Vec<PathBuf> = used.map(|id| self.tar(id)).collect();
        Erofs::new(boot).devices(devices).mount_by_loop().unwrap()
    }

    /// The disk of a bootstrap, and what is printed of its hash tree.
    pub fn export(&self, boot: &Path, verity: bool) -> (PathBuf, Option<Printed>) {
        let (disk, cache) = (self.place.word("disk.tarfs.tmp"), self.place.word("cache"));
        let boot = boot.to_str().unwrap();
        let words = ["export", "--block", "--localfs-dir", &cache, "--bootstrap", boot];
        let words = words.into_iter().chain(["--output", &disk]);
        let told = ok(words.chain(verity.then_some("--verity")));
        if !verity {
            assert_eq!(told, "");
            return (disk.into(), None);
        }
        let before = "dm-verity options: --no-superblock --format=1 -s \"\" --hash=sha256 \
                      --data-block-size=512 --hash-block-size=4096 --data-blocks ";
        let rest = told.strip_prefix(before).unwrap_or_else(|| panic!("{told}"));
        let words: Vec<&str> = rest.split(' ').collect();
        let [data_blocks, "--hash-offset", hash_offset, root] = words[..] else { panic!("{told}") };
        let printed = Printed {
            data_blocks: data_blocks.parse().unwrap(),
            hash_offset: hash_offset.parse().unwrap(),
            root: root.trim_end().to_owned(),
        };
        (disk.into(), Some(printed))
    }
}

/// Whether `veritysetup` finds the tree that was printed.
pub fn verify(disk: &Path, printed: &Printed) {
    let verdict = oracle::veritysetup_verify(&Verity {
        data: disk,
        hash: disk,
        hash_offset: printed.hash_offset,
        data_blocks: printed.data_blocks,
        data_block_size: 512,
        hash_block_size: 4096,
        salt: "-",
        root: &printed.root,
    });
    if let Some(verdict) = verdict {
        verdict.expect_ok("veritysetup verify");
    }
}
