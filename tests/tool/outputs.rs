//! Outputs: none takes the place of what is read, links stay links, standard output is a stream.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::oci::write_layout;
use testkit::tarball::TarBuilder;

use crate::run::{Image, Ran, digest, json, ok, run, tool};

/// All files below a directory, by path: their bytes, and their inodes.
fn files(dir: &Path) -> BTreeMap<PathBuf, (u64, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut todo = vec![dir.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let found = fs::symlink_metadata(&path).unwrap();
            if found.is_dir() {
                todo.push(path);
            } else if found.is_symlink() {
                let target = fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes();
                all.insert(path, (0, target));
            } else {
                let bytes = fs::read(&path).unwrap();
                all.insert(path, (found.ino(), bytes));
            }
        }
    }
    all
}

/// A `docker save` of layers.
fn archive(layers: &[&[u8]]) -> Vec<u8> {
    let mut archive = TarBuilder::new();
    let (mut names, mut ids) = (Vec::new(), Vec::new());
    for (index, layer) in layers.iter().enumerate() {
        names.push(format!("\"{index}/layer.tar\""));
        ids.push(format!("\"sha256:{}\"", digest(layer)));
        archive = archive.file(format!("{index}/layer.tar"), layer);
    }
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    let manifest = format!(r#"[{{"Config":"c.json","Layers":[{}]}}]"#, names.join(","));
    archive.file("c.json", config).file("manifest.json", manifest).finish()
}

/// Files of each kind that a command reads, in one directory.
struct Inputs {
    image: Image,
    layout: PathBuf,
    /// DISK=ROOT of a sealed layer.
    sealed: String,
}

impl Inputs {
    fn new() -> Self {
        let image = Image::new();
        let path = |name: &str| image.path(name).into_os_string();
        for index in 0..2 {
            let tar = path(&format!("{index}.tar"));
            ok(["layer".into(), "-o".into(), path(&format!("{index}.erofs")), tar.clone()]);
            ok(["layer".into(), "--disk".into(), "-o".into(), path(&format!("{index}.disk")), tar]);
        }
        let seal = ["layer", "--disk", "--verity", "--json", "-o"].map(OsString::from);
        let report = ok(seal.into_iter().chain([path("sealed.disk"), path("0.tar")]));
        let root = json(&report)[0]["verity"]["root_hash"].as_str().unwrap().to_owned();
        let sealed = format!("{}={root}", image.path("sealed.disk").display());
        // A bootstrap whose tars lie in a directory of their own, named by their digests.
        fs::create_dir(image.path("tars")).unwrap();
        for layer in &image.stack.layers[..2] {
            fs::write(image.path("tars").join(digest(&layer.tar)), &layer.tar).unwrap();
        }
        ok(["merge".into(), "-o".into(), path("merged.erofs"), path("0.tar"), path("1.tar")]);
        // One whose tag says nothing of the content.
        let words = ["layer", "--blob-id", "a tag", "-o"].map(OsString::from);
        ok(words.into_iter().chain([path("tagged.erofs"), path("2.tar")]));
        fs::rename(image.path("2.tar"), image.path("tagged.tar")).unwrap();
        let layers: Vec<&[u8]> = image.stack.layers.iter().map(|layer| &layer.tar[..]).collect();
        fs::write(image.path("docker.tar"), archive(&layers)).unwrap();
        let zst = zstd::encode_all(layers[3], 1).unwrap();
        fs::write(image.path("3.tar.zst"), zst).unwrap();
        let layout = image.path("layout");
        write_layout(&layout, &layers).unwrap();
        Self { image, layout, sealed }
    }

    /// Commands that lack their output, and the files that they read or need.
    fn commands(&self) -> Vec<(Vec<OsString>, Vec<PathBuf>)> {
        let path = |name: &str| self.image.path(name);
        let mut all: Vec<(Vec<OsString>, Vec<PathBuf>)> = Vec::new();
        let mut layouts = Vec::new();
        for name in ["index.json", "oci-layout"] {
            layouts.extend(Some(self.layout.join(name)).filter(|path| path.exists()));
        }
        let blobs = fs::read_dir(self.layout.join("blobs/sha256")).unwrap();
        layouts.extend(blobs.map(|entry| entry.unwrap().path()));
        let layers: Vec<(Vec<OsString>, Vec<PathBuf>)> = vec![
            (vec![path("0.tar").into(), path("1.tar").into()], vec![path("0.tar"), path("1.tar")]),
            (vec![path("3.tar.zst").into()], vec![path("3.tar.zst")]),
            (
                vec![path("0.erofs").into(), path("1.erofs").into()],
                ["0.erofs", "1.erofs", "0.tar", "1.tar"].map(path).to_vec(),
            ),
            (vec![path("tagged.erofs").into()], ["tagged.erofs", "tagged.tar"].map(path).to_vec()),
            (vec![path("1.disk").into()], vec![path("1.disk")]),
            (
                ["--tars".into(), path("tars").into(), path("merged.erofs").into()].into(),
                vec![
                    path("merged.erofs"),
                    path("0.tar"), // the same bytes, which will do as well
                    path("tars").join(digest(&self.image.stack.layers[0].tar)),
                    path("tars").join(digest(&self.image.stack.layers[1].tar)),
                ],
            ),
            (
                vec![format!("docker-archive:{}", path("docker.tar").display()).into()],
                vec![path("docker.tar")],
            ),
            (vec![format!("oci:{}:latest", self.layout.display()).into()], layouts.clone()),
            (vec![format!("oci:{}", self.layout.display()).into()], layouts),
        ];
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        for (args, inputs) in &layers {
            for command in [&["merge"][..], &["merge", "--disk"]] {
                all.push(([words(command), args.clone()].concat(), inputs.clone()));
            }
            for mode in
                ["image_block", "image_block_with_verity", "image_verity_only", "layer_block"]
            {
                let single = args.len() == 1 && !inputs.contains(&path("docker.tar"));
                if mode == "layer_block" && (!single || args[0].to_string_lossy().contains("oci:"))
                {
                    continue;
                }
                let command = words(&["export", "--mode", mode]);
                all.push(([command, args.clone()].concat(), inputs.clone()));
            }
            for form in ["vmdk", "dm-linear"] {
                let command = words(&["export", "--mode", "image_block", "--form", form]);
                all.push(([command, args.clone()].concat(), inputs.clone()));
            }
            let gpt = words(&["export", "--mode", "layer_block", "--gpt"]);
            all.push(([gpt, args.clone()].concat(), inputs.clone()));
        }
        let mut sealed = words(&["export", "--mode", "image_verity_only", "--sealed"]);
        sealed.extend([(&self.sealed).into(), path("sealed.disk").into()]);
        all.push((sealed, vec![path("sealed.disk")]));
        for options in [&[][..], &["--disk"], &["--disk", "--placement", "data-first", "--verity"]]
        {
            for input in ["0.tar", "3.tar.zst"] {
                let command = [words(&["layer"]), words(options), vec![path(input).into()]];
                all.push((command.concat(), vec![path(input)]));
            }
        }
        all
    }
}

/// Names of a file: its own, a detour, a hard link, a symbolic link, a link to that.
fn names(input: &Path, links: &Path) -> Vec<PathBuf> {
    let (hard, soft, chain) = (links.join("hard"), links.join("soft"), links.join("chain"));
    for link in [&hard, &soft, &chain] {
        let _ = fs::remove_file(link);
    }
    fs::hard_link(input, &hard).unwrap();
    symlink(input, &soft).unwrap();
    symlink("soft", &chain).unwrap();
    let dir = input.parent().unwrap();
    let detour = dir.join("..").join(dir.file_name().unwrap()).join(input.file_name().unwrap());
    vec![input.to_owned(), detour, hard, soft, chain]
}

#[track_caller]
fn refused(dir: &Path, args: &[OsString]) {
    let before = files(dir);
    let ran = run(args);
    assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
    assert!(files(dir) == before, "{args:?} changed something: {}", ran.stderr);
}

#[test]
fn no_output_takes_the_place_of_an_input() {
    let inputs = Inputs::new();
    let dir = inputs.image.dir.path();
    let links = inputs.image.path("links");
    fs::create_dir(&links).unwrap();
    let mut count = 0;
    for (command, read) in inputs.commands() {
        for input in &read {
            // All names of one input of each command, and the name itself of the others.
            let all = names(input, &links);
            let some = if input == &read[count % read.len()] { &all[..] } else { &all[..1] };
            for name in some {
                count += 1;
                refused(dir, &[&command[..], &["-o".into(), name.into()]].concat());
            }
        }
    }
    assert!(count > 200, "{count} of them");
}

#[test]
fn no_side_output_takes_the_place_of_an_input() {
    let inputs = Inputs::new();
    let dir = inputs.image.dir.path();
    let path = |name: &str| inputs.image.path(name);
    let os = |words: &[&dyn AsRef<OsStr>]| -> Vec<OsString> {
        words.iter().map(|word| word.as_ref().to_owned()).collect()
    };
    // The file of metadata of a form over tars.
    fs::copy(path("0.tar"), path("x.metadata")).unwrap();
    let export = ["export", "--mode", "image_block", "--form", "vmdk", "-o"].map(OsString::from);
    refused(dir, &[&export[..], &os(&[&path("x"), &path("x.metadata")])].concat());
    // The uncompressed tar, which is named by its tag.
    let layer =
        os(&[&"layer", &"--blob-id", &"3.tar.zst", &"-o", &path("new"), &path("3.tar.zst")]);
    refused(dir, &layer);
    // A disk that is named by its tag, in a directory of outputs.
    let disks = path("disks");
    fs::create_dir(&disks).unwrap();
    let disk = disks.join(format!("{}.disk", digest(&inputs.image.stack.layers[1].tar)));
    fs::copy(path("1.disk"), &disk).unwrap();
    for form in ["raw", "vmdk"] {
        let words = ["export", "--mode", "layer_block", "--form", form, "-o"].map(OsString::from);
        // Of two layers the first could be written; but all or none.
        let layers = os(&[&disks, &path("0.tar"), &disk]);
        if form == "raw" {
            refused(dir, &[&words[..], &layers].concat());
        }
    }
    for image in ["0.disk", "0.erofs", "tagged.erofs"] {
        let svg = os(&[&"inspect", &path(image), &"--svg"]);
        refused(dir, &[&svg[..], &os(&[&path(image)])].concat());
    }
    refused(dir, &os(&[&"inspect", &path("0.erofs"), &"--svg", &path("0.tar")]));
    refused(dir, &os(&[&"inspect", &path("tagged.erofs"), &"--svg", &path("tagged.tar")]));
    refused(dir, &os(&[&"inspect", &path("0.disk"), &path("1.disk"), &"--svg", &path("1.disk")]));
    refused(dir, &os(&[&"verity", &"format", &path("0.disk"), &"--hash", &path("0.disk")]));
    refused(dir, &os(&[&"verity", &"format", &path("0.erofs"), &"--hash", &path("0.tar")]));
}

/// A tar that is unpacked beside the output may be there already, and be a layer too.
#[test]
fn a_tar_that_is_there_already_stays() {
    let image = Image::new();
    let tar = &image.stack.layers[0].tar;
    let kept = image.path(&digest(tar));
    fs::write(&kept, tar).unwrap();
    let before = fs::metadata(&kept).unwrap().ino();
    let zst = image.path("a.tar.zst");
    fs::write(&zst, zstd::encode_all(&tar[..], 1).unwrap()).unwrap();
    let out = image.path("out");
    ok(["merge".as_ref(), "-o".as_ref(), out.as_os_str(), kept.as_os_str(), zst.as_os_str()]);
    assert_eq!(fs::metadata(&kept).unwrap().ino(), before);
    assert!(fs::read(&kept).unwrap() == *tar);
}

#[test]
fn links_are_followed_to_files_and_stay_links() {
    let image = Image::new();
    let tar = image.tars[0].as_os_str();
    let (real, link) = (image.path("elsewhere/real"), image.path("link"));
    fs::create_dir(image.path("elsewhere")).unwrap();
    fs::write(&real, "old").unwrap();
    symlink("elsewhere/real", &link).unwrap();
    let layer = |out: &Path| run(["layer".as_ref(), "-o".as_ref(), out.as_os_str(), tar]);
    assert_eq!(layer(&link).code, 0);
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("elsewhere/real"));
    let plain = image.path("plain");
    assert_eq!(layer(&plain).code, 0);
    assert!(fs::read(&real).unwrap() == fs::read(&plain).unwrap());
    assert_eq!(fs::read_dir(image.path("elsewhere")).unwrap().count(), 1);

    for (target, code) in
        [("nowhere", 1), ("/dev/null", 1), (".", 1), ("loop", 1), ("/proc/self/fd/2", 2)]
    {
        let link = image.path("loop");
        let _ = fs::remove_file(&link);
        symlink(target, &link).unwrap();
        let ran = layer(&link);
        assert_eq!(ran.code, code, "{target}: {}", ran.stderr);
        assert_eq!(fs::read_link(&link).unwrap(), Path::new(target), "{target}");
    }
    // What names files beside it is where it is.
    for form in ["vmdk", "dm-linear"] {
        let words = ["export", "--mode", "image_block", "--form", form, "-o"].map(OsStr::new);
        let ran = run(words.into_iter().chain([link.as_os_str(), tar]));
        assert_eq!(ran.code, 2, "{}", ran.stderr);
    }
}

/// Runs the tool in a directory, its standard output a new file; that file's bytes.
pub(crate) fn to_file(dir: &Path, args: &[&str]) -> (Ran, Vec<u8>) {
    let path = dir.join("stdout");
    let mut command = Command::new(tool());
    let output = command.args(args).current_dir(dir).stdout(File::create(&path).unwrap()).output();
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    (Ran::from(output.unwrap()), bytes)
}

#[test]
fn standard_output_is_a_stream() {
    let image = Image::new();
    let dir = image.dir.path();
    let zst = zstd::encode_all(&image.stack.layers[0].tar[..], 1).unwrap();
    fs::write(image.path("0.tar.zst"), zst).unwrap();
    fs::write(image.path("data"), vec![7; 100_000]).unwrap();
    symlink("/proc/self/fd/1", image.path("a-link")).unwrap();
    let count = || fs::read_dir(dir).unwrap().count();
    for args in [
        &["layer", "0.tar"][..],
        &["layer", "--disk", "0.tar"],
        &["layer", "--disk", "0.tar.zst"],
        &["layer", "--index-only", "0.tar.zst"],
        &["layer", "--disk", "--verity", "--placement", "data-first", "--json", "0.tar"],
        &["merge", "0.tar", "1.tar"],
        &["merge", "--disk", "--json", "0.tar.zst", "1.tar"],
        &["export", "--mode", "image_block_with_verity", "0.tar", "1.tar"],
        &["export", "--mode", "image_verity_only", "0.tar", "1.tar"],
        &["export", "--mode", "layer_block", "0.tar"],
        &["export", "--mode", "layer_block", "--gpt", "0.tar", "1.tar"],
    ] {
        let before = count();
        let (ran, report) = to_file(dir, &[args, &["-o", "plain"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let expected = fs::read(image.path("plain")).unwrap();
        fs::remove_file(image.path("plain")).unwrap();
        assert!(!report.is_empty());
        for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "a-link"] {
            let args = [args, &["-o", name]].concat();
            let (ran, bytes) = to_file(dir, &args);
            assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
            assert!(bytes == expected, "{args:?}");
            // What is said of it does not mix with it.
            assert!(ran.stderr.starts_with("-: ") || ran.stderr.starts_with("{\"path\":\"-\""));
            let piped = Command::new(tool()).args(&args).current_dir(dir).output().unwrap();
            assert!(piped.stdout == expected, "{args:?} into a pipe");
        }
        assert_eq!(count(), before, "{args:?}: no file is made");
    }
    let (ran, tree) = to_file(dir, &["verity", "format", "--hash", "-", "data"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ok([
        "verity",
        "format",
        "--hash",
        dir.join("tree").to_str().unwrap(),
        dir.join("data").to_str().unwrap(),
    ]);
    assert!(tree == fs::read(image.path("tree")).unwrap());
    assert!(fs::symlink_metadata("/dev/stdout").unwrap().is_symlink());

    for args in [
        &["layer", "0.tar.zst"][..],
        &["merge", "0.tar.zst", "1.tar"],
        &["export", "--mode", "image_block", "--form", "vmdk", "0.tar"],
        &["export", "--mode", "image_block", "--form", "dm-linear", "0.tar"],
        &["export", "--mode", "layer_block", "0.tar", "1.tar"],
        &["export", "--mode", "layer_block", "--form", "vmdk", "0.tar", "1.tar"],
        &["export", "--mode", "layer_verity_only", "0.tar", "1.tar"],
    ] {
        for name in ["-", "/dev/stdout"] {
            let before = count();
            let (ran, bytes) = to_file(dir, &[args, &["-o", name]].concat());
            assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
            assert_eq!((bytes.len(), count()), (0, before), "{args:?}");
        }
    }
    assert_eq!(to_file(dir, &["inspect", "--svg", "-", "tree"]).0.code, 2);

    // Standard input that is a file, which the output would replace.
    let input = image.path("1.tar");
    let before = fs::read(&input).unwrap();
    let mut command = Command::new(tool());
    let command = command.args(["layer", "--disk", "-o"]).arg(&input).arg("-");
    let status = command.stdin(File::open(&input).unwrap()).status().unwrap();
    assert_eq!(status.code(), Some(2));
    assert!(fs::read(&input).unwrap() == before);
    // Standard output that is a file which is read.
    let input = image.path("1.tar");
    let append = File::options().append(true).open(&input).unwrap();
    let before = fs::read(&input).unwrap();
    let mut command = Command::new(tool());
    let command = command.args(["layer", "-o", "-"]).arg(&input).stdout(append);
    assert_eq!(command.status().unwrap().code(), Some(2));
    assert!(fs::read(&input).unwrap() == before);
}
