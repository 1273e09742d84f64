//! The library's [`Export`] makes what the tool makes, in each mode; and nothing where it fails.

#[path = "tool/run.rs"]
#[allow(dead_code, reason = "the tests of the tool use all of it")]
mod run;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use erofs_tarfs::export::{self, Mode, Options, Product};
use erofs_tarfs::io::{Error, Export, NamedFile, Step, index_file};
use erofs_tarfs::layout::{Artifact, Placement};
use erofs_tarfs::tree::LayerOptions;
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::Params;
use run::{Image, ok, run};

/// Options of the library, and the same as words of the tool.
fn variants() -> Vec<(Options, Vec<&'static str>, bool)> {
    let mut data_first = Options::default();
    data_first.layout.artifact = Artifact::Disk(Placement::DataFirst);
    data_first.verity = Params::containerd();
    let mut large = Options::default();
    large.layout.block_size = BlockSize::B4096;
    large.verity = Params::containerd_4k();
    vec![
        (Options::default(), vec![], false),
        (data_first, vec!["--placement", "data-first", "--preset", "containerd"], true),
        (large, vec!["--block-size", "4096", "--preset", "containerd-4k"], true),
    ]
}

/// A file, or all files of a directory by their names.
fn contents(path: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    if path.is_file() {
        return BTreeMap::from([(PathBuf::new(), fs::read(path).unwrap())]);
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into(), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn each_mode_makes_the_bytes_that_the_tool_makes() {
    let image = Image::new();
    for (number, (options, words, has_preset)) in variants().into_iter().enumerate() {
        for mode in Mode::ALL {
            // A layer with a link into a lower one is no image by itself.
            let tars = if mode.is_by_layer() { &image.tars[..1] } else { &image.tars[..] };
            let (ours, theirs) = (
                image.path(&format!("{number}-{mode}-ours")),
                image.path(&format!("{number}-{mode}-theirs")),
            );
            if mode.is_by_layer() {
                fs::create_dir(&ours).unwrap();
                fs::create_dir(&theirs).unwrap();
            }
            let mut export = Export::new(mode).options(options.clone());
            for tar in tars {
                export = export.tar(tar).unwrap();
            }
            let made = export.write(&ours).unwrap();
            assert_eq!(made.len(), 1);
            let name = mode.to_string();
            let mut args = vec!["export", "--mode", &name, "-o", theirs.to_str().unwrap()];
            // What has no effect is refused.
            let skip = if has_preset && mode.product() == Product::Disk { 2 } else { 0 };
            args.extend(&words[..words.len() - skip]);
            args.extend(tars.iter().map(|tar| tar.to_str().unwrap()));
            ok(args);
            let (ours, theirs) = (contents(&ours), contents(&theirs));
            assert!(ours.keys().eq(theirs.keys()), "{mode}: {:?} {:?}", ours.keys(), theirs.keys());
            assert!(ours == theirs, "{mode}, {words:?}");
            assert_eq!(made[0].bytes, ours.values().next().unwrap().len() as u64);
            assert_eq!(made[0].sealed.is_some(), mode.product() != Product::Disk);
            if let Some(sealed) =
                made[0].sealed.as_ref().filter(|_| mode.name().ends_with("verity"))
            {
                let (path, root) = (made[0].path.to_str().unwrap(), sealed.root().to_string());
                ok(["verity", "verify", path, &root]);
            }
        }
    }
}

#[test]
fn what_fails_leaves_nothing() {
    let image = Image::new();
    let tar = &image.tars[0];
    let out = image.path("out");
    let export = |mode| Export::new(mode).tar(tar).unwrap();
    // Data blocks that Linux would not mount.
    let mut options = Options::default();
    options.verity = Params::containerd_4k();
    let failed = export(Mode::ImageBlockWithVerity).options(options).write(&out).unwrap_err();
    assert!(matches!(
        failed,
        Error::Export { error: export::Error::DataBlock { data_block: 4096, block: 512 }, .. }
    ));
    // No disk.
    let mut options = Options::default();
    options.layout.artifact = Artifact::Bootstrap;
    let failed = export(Mode::ImageBlock).options(options).write(&out).unwrap_err();
    assert!(matches!(failed, Error::Export { error: export::Error::Bootstrap, .. }), "{failed}");
    // The tar itself.
    let before = fs::read(tar).unwrap();
    let failed = export(Mode::ImageBlock).write(tar).unwrap_err();
    assert!(matches!(failed, Error::IsInput { .. }), "{failed}");
    assert!(fs::read(tar).unwrap() == before);
    // A device without a file.
    let file = NamedFile::open(tar).unwrap();
    let layer = index_file(&file, LayerOptions::default(), &mut |_| {}).unwrap();
    let failed = Export::new(Mode::LayerBlock).layer(layer.tree, vec![], vec![]).write(&out);
    assert!(matches!(failed, Err(Error::MissingSource { .. })));
    // Two layers, of which the second can't be made: not even the directory is left.
    let cut = image.path("cut.tar");
    fs::write(&cut, &before[..before.len() - 2048]).unwrap();
    let kept = NamedFile::open(&cut).unwrap();
    let layer = index_file(&file, LayerOptions::default(), &mut |_| {}).unwrap();
    let second = vec![kept];
    let failed = export(Mode::LayerBlock).layer(layer.tree, second, vec![]).write(&out);
    assert!(failed.is_err());
    assert!(!out.exists());
    let names = fs::read_dir(image.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().starts_with(".tarfs")));
}

#[test]
fn what_had_the_name_is_replaced_and_each_step_is_told_of() {
    let image = Image::new();
    let out = image.path("out");
    fs::write(&out, "old").unwrap();
    let (written, hashed) = (AtomicU64::new(0), AtomicU64::new(0));
    let export = Export::new(Mode::ImageBlockWithVerity).observer(|step, bytes| {
        let sum = if step == Step::Writing { &written } else { &hashed };
        sum.fetch_add(bytes, Ordering::Relaxed);
    });
    let made = export.tar(&image.tars[0]).unwrap().write(&out).unwrap().remove(0);
    assert_eq!(fs::metadata(&out).unwrap().len(), made.bytes);
    assert_eq!(written.load(Ordering::Relaxed), made.disk_bytes);
    assert!(hashed.load(Ordering::Relaxed) >= made.disk_bytes);
    assert_eq!(run(["verity", "verify", out.to_str().unwrap(), &"0".repeat(64)]).code, 1);
}

/// The README's program, as `examples/seal_image.rs`: what it prints is what veritysetup verifies.
#[test]
fn the_program_of_the_readme_seals_an_image() {
    let image = Image::new();
    let out = image.path("image.disk");
    let mut command = std::process::Command::new(env!("CARGO"));
    command
        .args(["run", "--quiet", "-p", "erofs-tarfs", "--example", "seal_image", "--"])
        .arg(&out)
        .args(&image.tars);
    let ran: run::Ran = command.output().unwrap().into();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let root = ran.stdout.lines().next().unwrap();
    ok(["verity", "verify", out.to_str().unwrap(), root]);
    let open = ran.stdout.lines().nth(1).unwrap();
    let Some(veritysetup) = testkit::oracle::tool("veritysetup", "apt-get install cryptsetup-bin")
    else {
        return;
    };
    // The same line, to verify in place of opening: without the name of the device.
    let words: Vec<_> = open.split(' ').filter(|word| *word != "image").collect();
    let verify = words.iter().skip(1).map(|word| if *word == "open" { "verify" } else { word });
    let verdict =
        testkit::oracle::Verdict::of(std::process::Command::new(veritysetup).args(verify));
    verdict.expect_ok(open);
}
