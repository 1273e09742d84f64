//! What a tar may cost: memory, and bytes of the image, by what is said in few bytes and counts often.

use erofs_tarfs::limits::Limits;
use erofs_tarfs::tree::{Error, LayerBuilder, LayerOptions, Tree, merge};
use erofs_tarfs::{image, layout};
use testkit::counting::{Counting, peak};
use testkit::tarball::TarBuilder;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Entries that take from what was said before them.
const COUNT: usize = 300;
/// What there may be in any case.
const FREE: usize = 1 << 20;

fn tree(tar: &[u8], options: LayerOptions) -> Result<Tree, Error> {
    let mut builder = LayerBuilder::new(options.keep_pending(true));
    tar.chunks(65536).try_for_each(|piece| builder.push(piece))?;
    Ok(builder.finish()?.tree)
}

/// Length of the image that a tar gives, merged with another layer as a snapshotter does it.
fn image_of(tar: &[u8], options: &LayerOptions) -> Result<usize, Error> {
    let trees = [
        tree(&TarBuilder::new().file("f", b"").finish(), options.clone())?,
        tree(tar, options.clone())?,
    ];
    let merged = match merge(&[&trees[0], &trees[1]], &Default::default()) {
        Ok(merged) => merged,
        // Of links into nowhere there is no image.
        Err(_) => return Ok(0),
    };
    drop(trees);
    let Ok(layout) = layout::plan(&merged, &layout::LayoutOptions::default()) else { return Ok(0) };
    let mut bytes = image::head(&layout).len();
    let done: Result<(), std::convert::Infallible> = image::body(&layout, &mut |piece| {
        bytes += piece.len();
        Ok(())
    });
    done.unwrap();
    Ok(bytes)
}

/// Holds a tar to the bars, if it is taken; says whether it is.
fn hold(name: &str, tar: &[u8], options: &LayerOptions) -> bool {
    let (made, memory) = peak(|| image_of(tar, options));
    let (len, taken) = (tar.len(), made.is_ok());
    assert!(memory <= 4 * len + FREE, "{name}: {memory} bytes of memory for a tar of {len}");
    let image = made.unwrap_or(0);
    assert!(image <= 2 * len + FREE, "{name}: an image of {image} bytes for a tar of {len}");
    taken
}

/// `COUNT` entries of one kind.
fn entries(mut tar: TarBuilder, kind: u8) -> TarBuilder {
    for n in 0..COUNT {
        tar = match kind {
            b'1' => tar.hardlink(format!("h{n}"), "f"),
            b'2' => tar.symlink(format!("s{n}"), "f"),
            b'5' => tar.dir(format!("d{n}"), 0o755),
            _ => tar.file(format!("f{n}"), b""),
        };
    }
    tar
}

/// Records that say much.
const KEYS: [&str; 9] = [
    "path",
    "linkpath",
    "uname",
    "comment",
    "SCHILY.xattr.user.a",
    "LIBARCHIVE.xattr.user.b",
    "SCHILY.acl.access",
    "SCHILY.acl.default",
    "RHT.security.selinux",
];

/// A value of a record, of about so many bytes, that its reader takes.
fn value(key: &str, len: usize) -> Vec<u8> {
    match key {
        "path" | "linkpath" => b"a/".repeat(len / 2),
        "SCHILY.acl.access" | "SCHILY.acl.default" => {
            let users = (0..len / 14).map(|n| format!("u:{n:07}:rwx,"));
            ["u::rwx,".to_owned()].into_iter().chain(users).collect::<String>()
                + "g::r--,o::r--,m::rwx"
        }
        .into_bytes(),
        "LIBARCHIVE.xattr.user.b" => vec![b'A'; len / 4 * 4],
        _ => vec![b'v'; len],
    }
}

fn by_records() -> (usize, usize) {
    let (mut all, mut taken) = (0, 0);
    for key in KEYS {
        for len in [16, 900, 4_000, 60_000] {
            for kind in [b'0', b'1', b'2', b'5'] {
                let value = value(key, len);
                let name = format!("global {key} of {len} bytes, entries of type {}", kind as char);
                let tar = TarBuilder::new().global(&[(key.as_bytes(), &value)]);
                taken +=
                    usize::from(hold(&name, &entries(tar, kind).finish(), &LayerOptions::new()));
                all += 1;
            }
        }
    }
    (all, taken)
}

fn by_paths() -> (usize, usize) {
    let (mut all, mut taken) = (0, 0);
    // With the allowance that does not grow with the tar out of the way.
    let options = LayerOptions::new().limits(Limits::new().max_implied(1_000));
    for depth in [1, 3, 4, 5, 30, 300, 3_000, 30_000] {
        for kind in [b'0', b'1', b'2', b'5'] {
            for shared in [true, false] {
                let mut tar = TarBuilder::new();
                for n in 0..COUNT {
                    let deep = "a/".repeat(depth);
                    let top = if shared { 0 } else { n };
                    let path = format!("{top}/{deep}{n}");
                    tar = match kind {
                        b'1' => tar.hardlink(&path, path.replace('a', "b")),
                        b'2' => tar.symlink(&path, "x"),
                        b'5' => tar.dir(&path, 0o755),
                        _ => tar.file(&path, b""),
                    };
                }
                let name = format!(
                    "paths of {depth} directories, shared: {shared}, type {}",
                    kind as char
                );
                taken += usize::from(hold(&name, &tar.finish(), &options));
                all += 1;
            }
        }
    }
    (all, taken)
}

/// The error of a tar, by the default limits.
fn refused(tar: TarBuilder) -> String {
    tree(&tar.finish(), LayerOptions::new()).unwrap_err().to_string()
}

/// One test, for the counters are one.
#[test]
fn none_costs_more_than_in_proportion() {
    let (records, of_records) = by_records();
    let (paths, of_paths) = by_paths();
    println!("{records} by records, {of_records} taken; {paths} by paths, {of_paths} taken");
    assert!(records + paths > 200);
    // What honest tars have is taken: the bars were not held by refusing all.
    assert!(of_records > records / 2 && of_paths > paths / 3);

    // What stops the others says which limit it is.
    let long = b"a/".repeat(30_000);
    for key in [&b"path"[..], b"linkpath"] {
        let error = refused(entries(TarBuilder::new().global(&[(key, &long)]), b'0'));
        assert!(error.contains("max_global_path_bytes"), "{error}");
    }
    for key in [&b"SCHILY.xattr.user.a"[..], b"SCHILY.acl.access", b"RHT.security.selinux"] {
        let error = refused(entries(TarBuilder::new().global(&[(key, &long)]), b'0'));
        assert!(error.contains("max_global_xattr_bytes"), "{error}");
    }
    let deep = |depth, count| {
        let below = "a/".repeat(depth);
        refused((0..count).fold(TarBuilder::new(), |tar, n| tar.file(format!("{n}/{below}f"), b"")))
    };
    let error = deep(32_000, 1);
    assert!(
        error.ends_with("32002 names in its path are over the limit max_depth of 4096"),
        "{error}"
    );
    // 17 of 4,001 are over 65,536 and 4 for each entry.
    let error = deep(4_000, 20);
    let says = "are over the limit max_implied of 65536";
    assert!(error.ends_with(says) && error.contains("entry \"16/a/a"), "{error}");
}
