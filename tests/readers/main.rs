//! Readers × forms: what others show of our images is what is in them, or an error, never other
//! bytes. It is known that they show others of `--plain-bodies` and `--compact` bootstraps, which are
//! for kernels, as the help says, and two of them in place of holes in any bootstrap.
//!
//! `examples/go/crosscheck` has the row of go-erofs.

mod concatenated;
mod dump_cat;
mod erofs_rs;
mod forms;
mod fsck;
mod fuse;
mod grub;
mod linux;
mod mkfs_merge;
mod table;

use testkit::oci;
use testkit::stacks::{Layer, Stack};
use testkit::tarball::{SparseForm, TarBuilder};

/// Random stacks, and before them one with longer files and one written by hand.
fn stacks(random: u64) -> Vec<Stack> {
    let long: Vec<u8> = (0..300_001_u32).map(|at| (at.wrapping_mul(at) >> 7) as u8).collect();
    let tar = TarBuilder::new()
        .file("long", &long)
        .file("block", &long[..4096])
        .file("blocks", &long[..70_000])
        .file("after", b"x");
    let small = Stack { seed: u64::MAX, layers: oci::small_image() };
    [alone(tar), small].into_iter().chain((0..random).map(Stack::random)).collect()
}

/// Sparse files: of whole blocks, and with pieces off the grid.
fn sparse() -> Vec<Stack> {
    let (piece, long) = ([5; 1024], [9; 65_536]);
    let tar = TarBuilder::new()
        .file("whole", [8; 6000])
        .sparse(SparseForm::Pax01, "long", 196_608, &[(0, &long), (131_072, &long)])
        .sparse(SparseForm::Pax10, "grid", 200_000, &[(512, &piece), (199_168, &[7; 832])])
        .sparse(SparseForm::OldGnu, "odd", 9_000, &[(100, &[6; 100]), (8_000, &piece[..1000])]);
    vec![alone(tar)]
}

/// Sparse files that end with a hole.
fn open_ended() -> Vec<Stack> {
    let tar = TarBuilder::new()
        .sparse(SparseForm::Pax10, "tail", 20_000, &[(512, &[5; 1024])])
        .sparse(SparseForm::Pax10, "hole", 70_000, &[]);
    vec![alone(tar)]
}

/// Attributes that many inodes have, so that the image has them once, in several blocks; each inode has
/// others of its own too. The upper layer's directories have overlayfs' mark, as they hold whiteouts.
fn labelled() -> Vec<Stack> {
    let label = |of: usize| format!("system_u:object_r:type_{}_t:s0\0", of % 7);
    let mut lower = TarBuilder::new();
    let mut upper = TarBuilder::new();
    for at in 0..60 {
        let long = vec![b'a' + (at % 5) as u8; 100 + 90 * (at % 5)];
        lower = lower
            .dir(format!("d{at}"), 0o755)
            .xattr("security.selinux", label(at))
            .file(format!("d{at}/file"), format!("file {at}"))
            .xattr("security.selinux", label(at + 1))
            .xattr("user.long", long)
            .file(format!("d{at}/own"), b"")
            .xattr("security.selinux", label(at))
            .xattr("user.own", format!("{at}"));
        if at % 3 == 0 {
            let dir = format!("d{at}");
            upper = upper.dir(&dir, 0o700).xattr("security.selinux", label(at));
            upper = upper.whiteout(format!("{dir}/own")).file(format!("{dir}/new"), b"new");
        }
    }
    let layers = [lower, upper].map(|tar| Layer { ops: Vec::new(), tar: tar.finish() });
    vec![Stack { seed: 2 << 32, layers: layers.into() }]
}

fn alone(tar: TarBuilder) -> Stack {
    Stack { seed: 1 << 32, layers: vec![Layer { ops: Vec::new(), tar: tar.finish() }] }
}
