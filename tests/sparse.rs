//! Sparse files by the kernel: holes, odd pieces, and holes and tables beyond 4 GiB.

use std::fs::File;
use std::os::unix::fs::FileExt;

use erofs_tarfs::layout::DiskOrder;
use erofs_tarfs::tree::{MergeOptions, merge};
use testkit::dump::{Ignore, diff, dump};
use testkit::mount::Erofs;
use testkit::tarball::{SparseForm, TarBuilder};
use testkit::{artifact, ours};

const FORMS: [SparseForm; 4] =
    [SparseForm::OldGnu, SparseForm::Pax00, SparseForm::Pax01, SparseForm::Pax10];

#[test]
fn pieces_on_the_grid_and_off_it() {
    let dir = tempfile::tempdir().unwrap();
    let (block, odd) = ([5; 1024], [6; 100]);
    for form in FORMS {
        let tar = TarBuilder::new()
            .sparse(form, "aligned", 20_000, &[(512, &block), (8192, &block), (19_968, &[7; 32])])
            .sparse(form, "odd", 9_000, &[(100, &odd), (700, &block), (5_000, &odd)])
            .sparse(form, "hole", 70_000, &[])
            .sparse(form, "tail", 4_096, &[(512, &odd)])
            .file("after", b"x")
            .finish();
        let tree = ours::layer(&tar);
        let expected = ours::dump(&tree, &[&tar]);
        let whole = |size: usize, pieces: &[(usize, &[u8])]| {
            let mut bytes = vec![0; size];
            for (at, piece) in pieces {
                bytes[*at..][..piece.len()].copy_from_slice(piece);
            }
            bytes
        };
        let files = [
            ("aligned", whole(20_000, &[(512, &block), (8192, &block), (19_968, &[7; 32])])),
            ("odd", whole(9_000, &[(100, &odd), (700, &block), (5_000, &odd)])),
            ("hole", whole(70_000, &[])),
            ("tail", whole(4_096, &[(512, &odd)])),
            ("after", b"x".to_vec()),
        ];
        for placement in [None, Some(DiskOrder::default()), Some(DiskOrder::DataFirst)] {
            let mount = if let Some(placement) = placement {
                let disk = artifact::disk(&tree, placement, &[&tar]);
                Erofs::new(artifact::file(dir.path(), "disk", &disk).unwrap()).mount().unwrap()
            } else {
                artifact::mount(dir.path(), &artifact::bootstrap(&tree), &[&tar]).unwrap()
            };
            let lines = diff(&dump(mount.path()).unwrap(), &expected, &Ignore::nothing());
            assert!(lines.is_empty(), "{form:?} {placement:?}: {}", lines.join("\n"));
            for (name, bytes) in &files {
                let read = std::fs::read(mount.path().join(name)).unwrap();
                assert!(read == *bytes, "{form:?} {placement:?}: {name}");
            }
        }
    }
}

/// "holes and chunk tables beyond 4 GiB in an input image: kept"
#[test]
fn holes_beyond_4_gib_survive_an_image_and_a_merge() {
    let dir = tempfile::tempdir().unwrap();
    let gib = 1u64 << 30;
    let tar = TarBuilder::new()
        .sparse(SparseForm::Pax10, "big", 9 * gib + 5, &[(gib, &[1; 4096]), (6 * gib, &[6; 4096])])
        .finish();
    let layer = artifact::read(&artifact::bootstrap(&ours::layer(&tar)));
    let tree = merge(&[&layer], &MergeOptions::default()).unwrap();
    let mount = artifact::mount(dir.path(), &artifact::bootstrap(&tree), &[&tar]).unwrap();
    let big = File::open(mount.path().join("big")).unwrap();
    assert_eq!(big.metadata().unwrap().len(), 9 * gib + 5);
    for (at, byte) in [
        (0, 0),
        (gib, 1),
        (gib + 4096, 0),
        (5 * gib, 0),
        (6 * gib, 6),
        (6 * gib + 4096, 0),
        (9 * gib, 0),
    ] {
        let mut read = [9];
        big.read_exact_at(&mut read, at).unwrap();
        assert_eq!(read, [byte], "at {at}");
    }
}

/// A few runs in 80 GiB: neither a chunk table of many megabytes, nor much that is carried.
#[test]
fn few_runs_in_a_long_file() {
    const LONG: u64 = 80 << 30;
    let dir = tempfile::tempdir().unwrap();
    let block: Vec<u8> = (0..1_000_000u32).map(|at| (at / 512) as u8 | 1).collect();
    let runs = [
        (0, &block[..4096]),
        ((20 << 30) + 512, &block[..]),
        ((20 << 30) + 1_049_088, &block[512..1024]),
        (LONG - 700, &block[..700]),
    ];
    let runs: Vec<(u64, &[u8])> = runs.into_iter().collect();
    for form in [SparseForm::OldGnu, SparseForm::Pax10] {
        let mut runs = runs.clone();
        // Each but the last is whole blocks, as GNU tar writes them.
        runs[1].1 = &block[..999_936];
        runs[3].0 = LONG - 512;
        runs[3].1 = &block[..512];
        let tar = TarBuilder::new().sparse(form, "long", LONG, &runs).file("after", b"x").finish();
        let tree = ours::layer(&tar);
        let bootstrap = artifact::bootstrap(&tree);
        assert!(bootstrap.len() < 8 << 20, "{form:?}: {} bytes", bootstrap.len());
        let mounted = artifact::mount(dir.path(), &bootstrap, &[&tar]).unwrap();
        let file = File::open(mounted.path().join("long")).unwrap();
        assert_eq!(file.metadata().unwrap().len(), LONG);
        let read = |at: u64, len: usize| {
            let mut bytes = vec![9; len];
            file.read_exact_at(&mut bytes, at).unwrap();
            bytes
        };
        for (at, bytes) in &runs {
            assert!(read(*at, bytes.len()) == **bytes, "{form:?}: the run at {at}");
            let end = at + bytes.len() as u64;
            if end < LONG {
                assert!(read(end, 512).iter().all(|byte| *byte == 0), "{form:?}: behind {end}");
            }
            if *at > 0 {
                assert!(read(at - 512, 512).iter().all(|byte| *byte == 0), "{form:?}: before {at}");
            }
        }
        assert!(read(LONG / 2, 1 << 20).iter().all(|byte| *byte == 0));
    }
}
