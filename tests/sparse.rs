//! Sparse files by the kernel: holes, odd pieces, and holes and tables beyond 4 GiB.

use std::fs::File;
use std::os::unix::fs::FileExt;

use erofs_tarfs::layout::Placement;
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
        for placement in [None, Some(Placement::default()), Some(Placement::DataFirst)] {
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
