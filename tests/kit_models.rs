//! The kit's two models of a stack of layers agree, and a difference between them would be seen.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Instant;

use testkit::dump::{Ignore, diff, dump};
use testkit::fixtures;
use testkit::layer::{self, Attr, Op, What};
use testkit::model;
use testkit::mount;
use testkit::oci;
use testkit::oracle::{self, Verdict};
use testkit::stacks::{Layer, Stack};

fn stack(layers: impl IntoIterator<Item = Vec<Op>>) -> Stack {
    Stack { seed: 0, layers: layers.into_iter().map(Layer::plain).collect() }
}

fn ops<const N: usize>(ops: [(&str, What); N]) -> Vec<Op> {
    ops.into_iter().map(|(path, what)| Op::new(path, what)).collect()
}

fn file(content: &str) -> What {
    What::File(content.into())
}

/// How overlayfs and the naive merge differ, but for what overlayfs cannot know.
fn disagreement(stack: &Stack, scratch: &std::path::Path) -> Vec<String> {
    let merged =
        stack.overlay_dump(scratch).unwrap_or_else(|error| panic!("{error}\n{}", stack.describe()));
    diff(
        &merged.tree,
        &stack.naive(),
        &Ignore::nothing().dir_nlink().attributes_of(merged.unknowable),
    )
}

#[test]
fn overlayfs_and_the_naive_merge_agree() {
    let scratch = mount::tmpfs().unwrap();
    let start = Instant::now();
    let count = std::env::var("TARFS_STACKS").map_or(50, |count| count.parse().unwrap());
    for seed in 0..count {
        let stack = Stack::random(seed);
        let lines = disagreement(&stack, scratch.path());
        assert!(lines.is_empty(), "{}\n{}", lines.join("\n"), stack.describe());
    }
    println!("{:?} a stack", start.elapsed() / count as u32);
}

/// The rules one by one: what is left of the lower layer when the upper one comes over it.
#[test]
fn the_rules_by_name() {
    let scratch = mount::tmpfs().unwrap();
    let lower = || {
        ops([
            ("a", What::Dir),
            ("a/x", file("x")),
            ("a/d", What::Dir),
            ("a/d/y", file("y")),
            ("f", file("f")),
        ])
    };
    type Case = (&'static str, Vec<(&'static str, What)>, &'static [&'static str]);
    let cases: [Case; 13] = [
        ("nothing", vec![], &["", "a", "a/d", "a/d/y", "a/x", "f"]),
        ("whiteout", vec![("a/x", What::Whiteout)], &["", "a", "a/d", "a/d/y", "f"]),
        ("whiteout of a directory", vec![("a", What::Whiteout)], &["", "f"]),
        (
            "whiteout after",
            vec![("f", file("2")), ("f", What::Whiteout)],
            &["", "a", "a/d", "a/d/y", "a/x", "f"],
        ),
        ("whiteout before", vec![("a", What::Whiteout), ("a", What::Dir)], &["", "a", "f"]),
        (
            "whiteout of an implied one",
            vec![("a/z", file("z")), ("a", What::Whiteout)],
            &["", "a", "a/z", "f"],
        ),
        ("opaque", vec![("a/z", file("z")), ("a", What::Opaque)], &["", "a", "a/z", "f"]),
        ("opaque root", vec![("", What::Opaque), ("n", file("n"))], &["", "n"]),
        ("file over directory", vec![("a", file("a"))], &["", "a", "f"]),
        ("directory over file", vec![("f", What::Dir)], &["", "a", "a/d", "a/d/y", "a/x", "f"]),
        (
            "implied over file",
            vec![("f/n", file("n"))],
            &["", "a", "a/d", "a/d/y", "a/x", "f", "f/n"],
        ),
        ("device 0:0", vec![("a/d", What::Char(0, 0))], &["", "a", "a/x", "f"]),
        (
            "whiteout of nothing",
            vec![("n/m", What::Whiteout)],
            &["", "a", "a/d", "a/d/y", "a/x", "f", "n"],
        ),
    ];
    for (name, upper, expected) in cases {
        let upper = upper.into_iter().map(|(path, what)| Op::new(path, what)).collect();
        let stack = stack([lower(), upper]);
        assert_eq!(disagreement(&stack, scratch.path()), [""; 0], "{name}");
        let naive = stack.naive();
        let expected: Vec<_> = expected.iter().map(|path| path.as_bytes()).collect();
        assert_eq!(naive.paths().collect::<Vec<_>>(), expected, "{name}");
    }
}

/// As umoci has it for a directory that a file replaces: the file, and whiteouts below it.
#[test]
fn markers_below_a_file_do_nothing() {
    let scratch = mount::tmpfs().unwrap();
    for reversed in [false, true] {
        let mut upper = ops([
            ("d", file("d")),
            ("d/x", What::Whiteout),
            ("d/e/y", What::Whiteout),
            ("d", What::Opaque),
        ]);
        if reversed {
            upper.reverse();
        }
        let stack = stack([ops([("d/x", file("x")), ("d/e/y", file("y"))]), upper]);
        assert_eq!(disagreement(&stack, scratch.path()), [""; 0]);
        assert_eq!(stack.naive().paths().collect::<Vec<_>>(), [&b""[..], b"d"]);
    }
}

/// Directory, file, directory: what the lowest had does not come back.
#[test]
fn three_layers_hide_for_good() {
    let scratch = mount::tmpfs().unwrap();
    let stack =
        stack([ops([("d/x", file("x"))]), ops([("d", file("d"))]), ops([("d/y", file("y"))])]);
    assert_eq!(disagreement(&stack, scratch.path()), [""; 0]);
    assert_eq!(stack.naive().paths().collect::<Vec<_>>(), [&b""[..], b"d", b"d/y"]);
}

#[test]
fn implied_directories_keep_lower_attributes() {
    let scratch = mount::tmpfs().unwrap();
    let attr = Attr { uid: 7, mtime: (9, 5), ..Attr::of(0o1700) };
    let dir = Op { path: b"d".into(), what: What::Dir, attr: attr.clone() };
    let stack = stack([vec![dir], ops([("d/x", file("x"))])]);
    let d = stack.naive().0.remove(&b"d"[..]).unwrap();
    assert_eq!((d.mode, d.uid, d.mtime), (0o1700, 7, (9, 5)));
    let merged = stack.overlay_dump(scratch.path()).unwrap();
    assert!(merged.unknowable.contains(&b"d"[..]), "overlayfs has the upper ones");
    assert_eq!(merged.tree.get("d").unwrap().mode, 0o755);
}

#[test]
fn a_wrong_model_is_noticed() {
    let scratch = mount::tmpfs().unwrap();
    let mut noticed = 0;
    for seed in 0..20 {
        let whole = Stack::random(seed);
        let mut less = whole.clone();
        for layer in &mut less.layers {
            layer.ops.retain(|op| op.what != What::Whiteout);
        }
        let merged = whole.overlay_dump(scratch.path()).unwrap();
        let ignore = Ignore::nothing().dir_nlink().attributes_of(merged.unknowable);
        noticed += usize::from(!diff(&merged.tree, &less.naive(), &ignore).is_empty());
    }
    assert!(noticed >= 10, "whiteouts made a difference in {noticed} stacks of 20");
}

#[test]
fn stacks_have_one_of_everything() {
    let all: Vec<Stack> = (0..50).map(Stack::random).collect();
    let ops = || all.iter().flat_map(|stack| &stack.layers).flat_map(|layer| &layer.ops);
    let count = |is: fn(&What) -> bool| ops().filter(|op| is(&op.what)).count();
    assert!(count(|what| matches!(what, What::Dir)) > 100);
    assert!(count(|what| matches!(what, What::File(_))) > 100);
    assert!(count(|what| matches!(what, What::Symlink(_))) > 50);
    assert!(count(|what| matches!(what, What::Hardlink(_))) > 30);
    assert!(count(|what| matches!(what, What::Char(..))) > 30);
    assert!(count(|what| matches!(what, What::Block(..))) > 30);
    assert!(count(|what| matches!(what, What::Fifo)) > 30);
    assert!(count(|what| matches!(what, What::Whiteout)) > 50);
    assert!(count(|what| matches!(what, What::Opaque)) > 20);
    assert!(ops().any(|op| op.path.is_empty() && op.what == What::Opaque));
    assert_eq!(Stack::random(3).layers[0].tar, all[3].layers[0].tar);
}

/// GNU tar does not put a file where it has put a directory with something in it.
fn replaces_a_directory(ops: &[Op]) -> bool {
    let mut dirs = BTreeSet::new();
    ops.iter().any(|op| {
        dirs.extend(layer::ancestors(&op.path));
        match op.what {
            What::Dir => {
                dirs.insert(&op.path);
                false
            }
            _ => dirs.contains(&op.path[..]),
        }
    })
}

fn twice<T: Ord + Clone>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    all.filter(|one| !seen.insert(one.clone())).collect()
}

/// The tars say what the operations say, as far as GNU tar, which knows no whiteouts, can tell.
#[test]
fn gnu_tar_reads_the_random_layers() {
    let Some(gnu_tar) = oracle::gnu_tar() else { return };
    let scratch = mount::tmpfs().unwrap();
    let tar = scratch.path().join("tar");
    for seed in 0..100 {
        for (number, layer) in Stack::random(seed).layers.iter().enumerate() {
            let plain: Vec<Op> = layer
                .ops
                .iter()
                .filter(|op| !op.what.is_marker() && op.what != What::Char(0, 0))
                .cloned()
                .collect();
            if plain.is_empty() || replaces_a_directory(&plain) {
                continue;
            }
            let ours = tempfile::tempdir_in(scratch.path()).unwrap();
            let theirs = tempfile::tempdir_in(scratch.path()).unwrap();
            let lower = model::extract(&plain, &ours.path().join("root")).unwrap();
            fs::write(&tar, &Layer::varied(plain.clone(), seed).tar).unwrap();
            let mut command = Command::new(&gnu_tar);
            command.args([
                "-x",
                "-p",
                "--numeric-owner",
                "--xattrs",
                "--xattrs-include=*",
                "--warning=none",
                "--delay-directory-restore",
                "-f",
            ]);
            Verdict::of(command.arg(&tar).arg("-C").arg(theirs.path())).expect_ok("tar -x");
            let (ours, theirs) = (dump(&lower.dir).unwrap(), dump(theirs.path()).unwrap());
            // Of a directory listed twice it restores the attributes in the wrong order.
            let dirs = plain.iter().filter(|op| op.what == What::Dir).map(|op| op.path.clone());
            // It has the caller's idea of a directory that is not listed, does not know overlayfs,
            // and reads no xattrs of libarchive.
            let ignore = Ignore::nothing()
                .attributes_of(lower.implied)
                .attributes_of(twice(dirs))
                .xattrs("");
            let lines = diff(&ours, &theirs, &ignore.nlink());
            assert!(lines.is_empty(), "seed {seed}, layer {number}: {}", lines.join("\n"));
        }
    }
}

#[test]
fn umoci_takes_the_small_image() {
    let Some(umoci) = oracle::tool("umoci", "apt-get install umoci") else { return };
    let dir = tempfile::tempdir().unwrap();
    let layers = oci::small_image();
    let tars: Vec<_> = layers.iter().map(|layer| &layer.tar).collect();
    oci::write_layout(&dir.path().join("oci"), &tars).unwrap();
    let mut command = Command::new(umoci);
    command
        .args(["unpack", "--image"])
        .arg(dir.path().join("oci:latest"))
        .arg(dir.path().join("bundle"));
    Verdict::of(&mut command).expect_ok("umoci unpack");
    let theirs = dump(dir.path().join("bundle/rootfs")).unwrap();
    let stack = Stack { seed: 0, layers };
    let scratch = mount::tmpfs().unwrap();
    assert_eq!(disagreement(&stack, scratch.path()), [""; 0]);
    let ours = stack.naive();
    let ours: Vec<_> = ours.paths().collect();
    let theirs: Vec<_> = theirs.paths().collect();
    assert_eq!(ours, theirs);
}

/// What the kit rests on, and what a layer's disk as an overlay lower has to know.
#[test]
fn overlayfs_has_two_gaps() {
    let scratch = mount::tmpfs().unwrap();
    let at = |path: &str| scratch.path().join(path);
    let lowers = [at("lower"), at("upper")];
    let [lower, upper] =
        [vec![file_at("below")], vec![file_at("above"), Op::new("", What::Opaque)]]
            .into_iter()
            .zip(&lowers)
            .map(|(ops, dir)| model::extract(&ops, dir).unwrap())
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
    let mounted = mount::overlay(&[&lower.dir, &upper.dir]).unwrap();
    assert!(mounted.path().join("below").exists(), "an opaque root hides nothing");
    drop(mounted);

    let only = model::extract(&ops([("d/gone", What::Whiteout)]), &at("only")).unwrap();
    let listed = || {
        let mounted = mount::overlay(&[&only.dir]).unwrap();
        fs::read_dir(mounted.path().join("d")).unwrap().count()
    };
    assert_eq!(listed(), 0);
    rustix::fs::lremovexattr(only.dir.join("d"), "trusted.overlay.origin").unwrap();
    assert_eq!(listed(), 1, "without the origin, a whiteout is listed and cannot be found");
}

fn file_at(path: &str) -> Op {
    Op::new(path, file(path))
}

/// The real image has what it was built for.
#[test]
fn the_real_image_is_there() {
    let Some(image) = fixtures::real_image() else { return };
    assert_eq!(image.layers.len(), 4);
    let tree = dump(&image.rootfs).unwrap();
    assert!(tree.0.len() > 5000, "{} paths", tree.0.len());
    assert!(tree.get("srv/www").unwrap().xattrs.contains_key(&b"system.posix_acl_access"[..]));
    assert!(
        tree.get("usr/local/bin/capable").unwrap().xattrs.contains_key(&b"security.capability"[..])
    );
    assert!(tree.get("usr/share/nginx/README").is_some());
    assert!(tree.get("usr/share/doc").is_none());
}
