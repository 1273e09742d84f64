//! The library's [`Export`] makes what the tool makes, in each mode; and nothing where it fails.

#[path = "tool/run.rs"]
#[allow(dead_code, reason = "the tests of the tool use all of it")]
mod run;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use erofs_tarfs::export::{self, ExportOptions, Form, Mode, Partitioning, Product};
use erofs_tarfs::io::{Backing, Error, Export, NamedFile, Step, index_file};
use erofs_tarfs::layout::{Artifact, DiskOrder, LayoutOptions};
use erofs_tarfs::outputs::{Architecture, Volume};
use erofs_tarfs::tree::LayerOptions;
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::Params;
use run::{Image, ok, run};

/// Options of the library, and the same as words of the tool.
fn variants() -> Vec<(ExportOptions, Vec<&'static str>, bool)> {
    let data_first = ExportOptions::new()
        .layout(LayoutOptions::new().artifact(Artifact::Disk(DiskOrder::DataFirst)))
        .verity(Params::containerd());
    let large = ExportOptions::new()
        .layout(LayoutOptions::disk().block_size(BlockSize::B4096))
        .verity(Params::containerd_4k());
    vec![
        (ExportOptions::default(), vec![], false),
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
            let export = Export::new(mode).options(options.clone()).tars(tars);
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
            assert_eq!(made[0].sealed().is_some(), mode.product() != Product::Disk);
            // The same root without a disk.
            let hashed = Export::new(mode).options(options.clone()).tars(tars).hash();
            match made[0].sealed() {
                Some(sealed) => assert_eq!(hashed.unwrap(), std::slice::from_ref(sealed), "{mode}"),
                None => {
                    let error = export::Error::NoTree;
                    assert!(matches!(hashed, Err(Error::Export { error: e, .. }) if e == error));
                }
            }
            if let Some(sealed) = made[0].sealed().filter(|_| mode.name().ends_with("verity")) {
                let (path, root) = (made[0].path.to_str().unwrap(), sealed.root().to_string());
                ok(["verity", "verify", path, &root]);
            }
        }
    }
}

/// Forms and partitions of the library, and the same as words of the tool.
fn forms() -> Vec<(Form, Option<Partitioning>, Vec<&'static str>)> {
    let x86 = Architecture::named("x86-64").unwrap();
    let root = Partitioning::Volume(Volume::Root, x86);
    let data = Some(Partitioning::Data);
    vec![
        (Form::Vmdk, None, vec!["--form", "vmdk"]),
        (Form::DmLinear, None, vec!["--form", "dm-linear"]),
        (Form::Raw, data, vec!["--gpt"]),
        (Form::Vmdk, data, vec!["--form", "vmdk", "--gpt"]),
        (Form::Raw, Some(root), vec!["--gpt=dps", "--platform", "linux/amd64"]),
        (Form::DmLinear, Some(root), vec!["--form", "dm-linear", "--gpt=dps"]),
    ]
}

#[test]
fn each_form_makes_the_bytes_that_the_tool_makes() {
    let image = Image::new();
    for (number, (form, partitioning, words)) in forms().into_iter().enumerate() {
        for mode in Mode::ALL {
            let volume = matches!(partitioning, Some(Partitioning::Volume(..)));
            let tars = if mode.is_by_layer() { &image.tars[..1] } else { &image.tars[..] };
            let ours = image.path(&format!("{number}-{mode}-ours"));
            let theirs = image.path(&format!("{number}-{mode}-theirs"));
            // Forms name their files by where they lie, so both are called alike.
            let name = format!("out.{}", form.extension(mode.product()));
            for directory in [&ours, &theirs] {
                fs::create_dir(directory).unwrap();
            }
            let export = Export::new(mode).form(form).tars(tars);
            let export = match partitioning {
                Some(partitioning) => export.partitions(partitioning),
                None => export,
            };
            let made = export.write(ours.join(&name));
            let (mode_name, out) = (mode.to_string(), theirs.join(&name));
            let mut args = vec!["export", "--mode", &mode_name, "-o", out.to_str().unwrap()];
            args.extend(&words);
            args.extend(tars.iter().map(|tar| tar.to_str().unwrap()));
            if mode.product() == Product::HashTree {
                let why = made.unwrap_err();
                assert!(
                    matches!(why, Error::Export { error: export::Error::NoDisk, .. }),
                    "{mode}: {why}"
                );
                assert_eq!(run(args).code, 2);
                assert!(contents(&ours).is_empty());
                continue;
            }
            let made = made.unwrap().remove(0);
            ok(args);
            let (ours, theirs) = (contents(&ours), contents(&theirs));
            assert!(ours.keys().eq(theirs.keys()), "{mode}: {:?} {:?}", ours.keys(), theirs.keys());
            assert!(ours == theirs, "{mode}, {words:?}");
            assert_eq!(made.gpt.is_some(), partitioning.is_some());
            assert_eq!(made.copied.is_some(), form == Form::Raw);
            let partitions = made.gpt.as_ref().map_or(0, |gpt| gpt.partitions().len());
            let sealed = made.sealed().is_some();
            assert_eq!(
                partitions,
                if partitioning.is_none() { 0 } else { 1 + usize::from(volume && sealed) }
            );
            match form.is_over_files() {
                false => assert!(made.files.is_empty()),
                true => assert_eq!(made.files[0], format!("{name}.metadata")),
            }
        }
    }
}

/// Whatever is cancelled, and whenever, leaves nothing and says so.
#[test]
fn what_is_cancelled_leaves_nothing() {
    let image = Image::new();
    for step in [Step::Reading, Step::Writing, Step::Hashing] {
        for form in [Form::Raw, Form::Vmdk] {
            if (step, form) == (Step::Writing, Form::Vmdk) {
                continue; // It writes no disk.
            }
            let (cancel, out) = (AtomicBool::new(false), image.path("cancelled"));
            let export = Export::new(Mode::ImageBlockWithVerity).form(form).cancel(&cancel);
            let export = export.observer(|at, _| {
                if at == step {
                    cancel.store(true, Ordering::Relaxed);
                }
            });
            // No digests are kept of a layer that is given as a tree, so its disk is read again.
            let file = NamedFile::open(&image.tars[0]).unwrap();
            let layer = index_file(&file, LayerOptions::default(), &mut |_| {}).unwrap();
            let export = match step {
                Step::Hashing => export.layer(layer.tree, vec![file.into()], vec![]),
                _ => export.tars(&image.tars),
            };
            let failed = export.write(&out).unwrap_err();
            assert!(matches!(failed, Error::Cancelled), "{step:?} {form:?}: {failed}");
            let names = fs::read_dir(image.dir.path()).unwrap();
            let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
            let left = names.iter().any(|name| name.to_string_lossy().starts_with(".tarfs"));
            assert!(!left && !out.exists(), "{names:?}");
        }
    }
}

/// Layers that are read by a function, as a program with its own store would have them.
#[test]
fn layers_need_not_be_files() {
    let image = Image::new();
    let bytes = fs::read(&image.tars[0]).unwrap();
    let file = NamedFile::open(&image.tars[0]).unwrap();
    let layer = index_file(&file, LayerOptions::default(), &mut |_| {}).unwrap();
    let thread = std::thread::current().id();
    let read = |offset: u64, buf: &mut [u8]| {
        assert_eq!(std::thread::current().id(), thread);
        buf.copy_from_slice(&bytes[offset as usize..][..buf.len()]);
        Ok(())
    };
    for mode in Mode::ALL {
        let of_reader = image.path("reader");
        let backings = vec![Backing::reader("a layer", read)];
        let export = Export::new(mode).layer(&layer.tree, backings, vec![]);
        export.write(&of_reader).unwrap();
        let of_file = image.path("file");
        let file = file.try_clone().unwrap();
        Export::new(mode).layer(&layer.tree, vec![file.into()], vec![]).write(&of_file).unwrap();
        assert!(fs::read(of_reader).unwrap() == fs::read(of_file).unwrap(), "{mode}");
    }
    let out = image.path("over");
    let backings = vec![Backing::reader("a layer", read)];
    let export = Export::new(Mode::LayerBlock).form(Form::Vmdk);
    let failed = export.layer(&layer.tree, backings, vec![]).write(&out).unwrap_err();
    assert_eq!(
        failed.to_string(),
        "a layer: is no file that is found by its name, as those have to be that a disk is over"
    );
    let fails = |_: u64, _: &mut [u8]| Err(std::io::Error::other("gone"));
    let backings = vec![Backing::reader("a layer", fails)];
    let export = Export::new(Mode::LayerVerityOnly).layer(&layer.tree, backings, vec![]);
    let failed = export.write(&out).unwrap_err().to_string();
    assert!(failed.starts_with("a layer: cannot read at offset "), "{failed}");
    assert!(!out.exists());
}

#[test]
fn what_fails_leaves_nothing() {
    let image = Image::new();
    let tar = &image.tars[0];
    let out = image.path("out");
    let export = |mode| Export::new(mode).tar(tar);
    // Data blocks that Linux would not mount.
    let options = ExportOptions::new().verity(Params::containerd_4k());
    let failed = export(Mode::ImageBlockWithVerity).options(options).write(&out).unwrap_err();
    assert!(matches!(
        failed,
        Error::Export { error: export::Error::DataBlock { data_block: 4096, block: 512 }, .. }
    ));
    // No disk.
    let options = ExportOptions::new().layout(LayoutOptions::new());
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
    assert!(matches!(failed, Err(Error::Count { devices: 1, given: 0, .. })));
    // Two layers, of which the second can't be made: not even the directory is left.
    let cut = image.path("cut.tar");
    fs::write(&cut, &before[..before.len() - 2048]).unwrap();
    let kept = NamedFile::open(&cut).unwrap();
    let layer = index_file(&file, LayerOptions::default(), &mut |_| {}).unwrap();
    let second = vec![kept.into()];
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
    let (read, written, hashed) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let export = Export::new(Mode::ImageBlockWithVerity).observer(|step, bytes| {
        let sum = match step {
            Step::Reading => &read,
            Step::Writing => &written,
            _ => &hashed,
        };
        sum.fetch_add(bytes, Ordering::Relaxed);
    });
    let made = export.tar(&image.tars[0]).write(&out).unwrap().remove(0);
    assert_eq!(fs::metadata(&out).unwrap().len(), made.bytes);
    let filesystem = made.disks[0].filesystem_bytes;
    assert_eq!(read.load(Ordering::Relaxed), fs::metadata(&image.tars[0]).unwrap().len());
    assert_eq!(written.load(Ordering::Relaxed), filesystem);
    assert!(hashed.load(Ordering::Relaxed) >= filesystem);
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
