//! What [`Export`] refuses, so that no input is lost, no hash tree is of other bytes, and nothing is
//! left behind.

#[path = "tool/run.rs"]
#[allow(dead_code, reason = "the tests of the tool use all of it")]
mod run;

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use erofs_tarfs::export::{self, Form, Mode};
use erofs_tarfs::io::{Backing, Error, Export, NamedFile, Output, Step, index_file};
use erofs_tarfs::tree::{LayerOptions, Tree};
use erofs_tarfs::verity::{Leaves, Params};
use run::Image;

fn tree(tar: &Path) -> Tree {
    let file = NamedFile::open(tar).unwrap();
    index_file(&file, LayerOptions::default(), &mut |_| {}).unwrap().tree
}

/// What is in a directory that only the tests put there.
fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn no_input_is_written_over() {
    let image = Image::new();
    let bytes = fs::read(&image.tars[0]).unwrap();
    // The tar has the name that the metadata of a form gets.
    let tar = image.path("x.vmdk.metadata");
    fs::write(&tar, &bytes).unwrap();
    let vmdk = Export::new(Mode::LayerBlock).form(Form::Vmdk).tar(&tar);
    let failed = vmdk.write(image.path("x.vmdk")).unwrap_err();
    assert!(matches!(&failed, Error::IsInput { file } if *file == tar), "{failed}");
    // The tar is a range of the file.
    let whole = image.path("whole");
    fs::write(&whole, [&[0; 1024][..], &bytes].concat()).unwrap();
    let range = NamedFile::open(&whole).unwrap().range(1024, bytes.len() as u64).unwrap();
    let export = Export::new(Mode::LayerBlock).layer(tree(&tar), vec![range.into()], vec![]);
    let failed = export.write(&whole).unwrap_err();
    assert!(matches!(failed, Error::IsInput { .. }), "{failed}");
    assert!(fs::read(&tar).unwrap() == bytes && fs::read(&whole).unwrap()[1024..] == bytes);
    // Nor is what is no file.
    fs::create_dir(image.path("y.vmdk.metadata")).unwrap();
    let vmdk = Export::new(Mode::LayerBlock).form(Form::Vmdk).tar(&tar);
    let failed = vmdk.write(image.path("y.vmdk")).unwrap_err();
    assert!(matches!(failed, Error::NotRegular { .. }), "{failed}");
}

#[test]
fn forms_name_no_file_that_is_not_there() {
    let image = Image::new();
    let tar = image.path("gone.tar");
    fs::copy(&image.tars[0], &tar).unwrap();
    let (file, of) = (NamedFile::open(&tar).unwrap(), tree(&tar));
    for other in [false, true] {
        match other {
            false => fs::remove_file(&tar).unwrap(),
            // Another file of that name.
            true => drop(fs::copy(&image.tars[1], &tar).unwrap()),
        }
        for form in [Form::Vmdk, Form::DmLinear] {
            let file = file.try_clone().unwrap();
            let export = Export::new(Mode::LayerBlock).form(form);
            let failed = export.layer(&of, vec![file.into()], vec![]).write(image.path("out"));
            let failed = failed.unwrap_err();
            assert!(matches!(&failed, Error::NoFile { name } if *name == tar), "{failed}");
        }
    }
    assert!(!image.path("out").exists() && !image.path("out.metadata").exists());
}

/// A tar that is written to while it is exported: the tree would be of other bytes than the disk.
#[test]
fn what_changes_meanwhile_is_refused() {
    let image = Image::new();
    for mode in Mode::ALL {
        let (tar, done) = (image.path("changing.tar"), AtomicBool::new(false));
        fs::copy(&image.tars[0], &tar).unwrap();
        // The clock of the file system moves in ticks.
        std::thread::sleep(std::time::Duration::from_millis(20));
        let export = Export::new(mode).tar(&tar).observer(|step, _| {
            if step != Step::Reading && !done.swap(true, Ordering::Relaxed) {
                let mut file = OpenOptions::new().append(true).open(&tar).unwrap();
                file.write_all(b"more").unwrap();
            }
        });
        let failed = export.write(image.path("out")).unwrap_err();
        assert!(matches!(&failed, Error::Changed { file } if *file == tar), "{mode}: {failed}");
        assert!(!image.path("out").exists());
    }
}

/// Whichever call of the observer it is, the last too.
#[test]
fn every_cancellation_is_heard() {
    let image = Image::new();
    let layers = [tree(&image.tars[0])];
    let file = NamedFile::open(&image.tars[0]).unwrap();
    for mode in Mode::ALL {
        for form in [Form::Raw, Form::Vmdk] {
            let calls = AtomicU64::new(0);
            let run = |stop_at: u64| {
                let cancel = AtomicBool::new(false);
                calls.store(0, Ordering::Relaxed);
                let file = file.try_clone().unwrap();
                let export = Export::new(mode).form(form).cancel(&cancel).observer(|_, _| {
                    if calls.fetch_add(1, Ordering::Relaxed) + 1 == stop_at {
                        cancel.store(true, Ordering::Relaxed);
                    }
                });
                let made = export.layer(&layers[0], vec![file.into()], vec![]);
                made.write(image.path("out"))
            };
            let Ok(_) = run(u64::MAX) else { continue };
            let all = calls.load(Ordering::Relaxed);
            for path in ["out", "out.metadata"] {
                let _ = fs::remove_file(image.path(path));
            }
            for stop_at in [1, all] {
                if all == 0 {
                    continue;
                }
                let failed = run(stop_at).unwrap_err();
                assert!(matches!(failed, Error::Cancelled), "{mode} {form:?} {stop_at}: {failed}");
                assert!(!image.path("out").exists());
            }
        }
    }
    // Before anything is read.
    let cancel = AtomicBool::new(true);
    let export = Export::new(Mode::LayerBlock).form(Form::Vmdk).cancel(&cancel);
    let failed = export.layer(&layers[0], vec![file.into()], vec![]).write(image.path("out"));
    assert!(matches!(failed, Err(Error::Cancelled)));
}

/// While it works a directory of outputs is not there, so a kill leaves nothing; nor does an error
/// where they get their names.
#[test]
fn a_directory_of_outputs_is_made_last() {
    let image = Image::new();
    let tars = [&image.tars[0], &image.tars[0]];
    let out = image.path("disks");
    let export = Export::new(Mode::LayerBlock).tars(tars).observer(|_, _| assert!(!out.exists()));
    let before = names(image.dir.path());
    let made = export.make(&out).unwrap();
    assert_eq!(names(image.dir.path()), before);
    drop(made);
    assert_eq!(names(image.dir.path()), before);
    let made = Export::new(Mode::LayerBlock).tars(tars).write(&out).unwrap();
    assert_eq!((made.len(), names(&out).len()), (2, 1));

    // Somebody was faster: what is there stays, and a directory is in nobody's place.
    for (name, theirs) in [("joined", "theirs"), ("refused", "")] {
        let out = image.path(name);
        let made = Export::new(Mode::LayerBlock).tars(tars).make(&out).unwrap();
        let done = made.finish_with(|outputs| {
            let disk = outputs[0].path().to_owned();
            Output::finish(outputs).unwrap();
            fs::create_dir_all(if theirs.is_empty() { &disk } else { &out }).unwrap();
            fs::write(out.join("theirs"), theirs).unwrap();
            Ok(())
        });
        assert_eq!(names(&out).len(), 2);
        match theirs {
            "" => assert!(matches!(done, Err(Error::NotRegular { .. })), "{done:?}"),
            _ => assert!(done.unwrap()[0].path.is_file()),
        }
    }
    assert!(names(image.dir.path()).iter().all(|name| !name.starts_with(".tarfs-")));
}

/// Names that others have, and that look like ours, stay.
#[test]
fn names_for_a_moment_are_ones_that_nobody_has() {
    let image = Image::new();
    let out = image.path("out");
    fs::write(&out, "old").unwrap();
    let pid = std::process::id();
    for count in 0..2000 {
        File::create(image.path(&format!(".tarfs-{pid}-{count}"))).unwrap();
    }
    Export::new(Mode::LayerBlock).tar(&image.tars[0]).write(&out).unwrap();
    assert_ne!(fs::read(out).unwrap(), b"old");
    let ours = |name: &&String| name.starts_with(".tarfs-");
    assert_eq!(names(image.dir.path()).iter().filter(ours).count(), 2000);
}

#[test]
fn parts_that_do_not_fit_together_are_refused() {
    let image = Image::new();
    let of = tree(&image.tars[0]);
    let file = || Backing::from(NamedFile::open(&image.tars[0]).unwrap());
    let out = image.path("out");
    let sealed = || Export::new(Mode::LayerBlockWithVerity);
    let failed = sealed().layer(&of, vec![file(), file()], vec![]).write(&out).unwrap_err();
    assert!(matches!(failed, Error::Count { what: "files", devices: 1, given: 2, .. }), "{failed}");
    let failed = sealed().layer(&of, vec![file()], vec![None, None]).write(&out).unwrap_err();
    assert!(matches!(failed, Error::Count { what: "digests kept", .. }), "{failed}");
    // Digests of a shorter tar.
    let mut leaves = Leaves::new(&Params::nydus());
    leaves.push(&[7; 1024]);
    let failed = sealed().layer(&of, vec![file()], vec![Some(Cow::Owned(leaves))]).write(&out);
    assert!(matches!(failed, Err(Error::Kept { layer: 0, device: 0, blocks: 2, .. })));
    let failed = sealed().write(&out).unwrap_err();
    assert!(matches!(failed, Error::Export { error: export::Error::NoLayer, .. }), "{failed}");
    let empty = image.path("empty.tar");
    File::create(&empty).unwrap();
    let failed = sealed().tar(&empty).write(&out).unwrap_err();
    assert!(matches!(&failed, Error::Empty { file } if *file == empty), "{failed}");
    assert!(!out.exists());
}
