//! containerd's sidecars, `layer.erofs.dmverity`: written beside what is sealed, and read.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::oracle::{self, Verdict};
use testkit::tarball::TarBuilder;

use crate::run::{Image, Place, Ran, json, ok, run};

/// A sidecar as containerd reads it: root hash and place of the superblock.
fn read(path: &str) -> (String, u64) {
    let text = fs::read_to_string(path).unwrap();
    let fields: Value = serde_json::from_str(&text).unwrap();
    let (root, offset) = (&fields["roothash"], &fields["hashoffset"]);
    let (root, offset) = (root.as_str().unwrap().to_owned(), offset.as_u64().unwrap());
    // Its own text, which Go's `json.MarshalIndent` makes.
    assert_eq!(text, format!("{{\n  \"roothash\": \"{root}\",\n  \"hashoffset\": {offset}\n}}"));
    (root, offset)
}

/// Opens a sealed file as containerd does: the parameters are those of the superblock.
#[track_caller]
fn opens(disk: &str) {
    let (root, offset) = read(&format!("{disk}.dmverity"));
    let Some(veritysetup) = oracle::tool("veritysetup", "apt-get install cryptsetup-bin") else {
        return;
    };
    let mut command = Command::new(veritysetup);
    command.args(["verify", disk, disk, &root, &format!("--hash-offset={offset}")]);
    Verdict::of(&mut command).expect_ok("veritysetup verify");
    let said = ok(["verity", "verify", "--sidecar", disk]);
    assert!(said.contains("verified") && said.contains(&root), "{said}");
    ok(["verity", "verify", "--sidecar", disk, &root]);
}

fn verify(sidecar: &str, data: &str) -> Ran {
    run(["verity", "verify", &format!("--sidecar={sidecar}"), data])
}

#[track_caller]
fn refused(ran: &Ran, code: i32, word: &str) {
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
}

/// Where it is that a byte of the data is another one: the sidecar stays.
#[track_caller]
fn sees_a_change(disk: &str) {
    let file = OpenOptions::new().read(true).write(true).open(disk).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 5000).unwrap();
    file.write_all_at(&[!byte[0]], 5000).unwrap();
    refused(&run(["verity", "verify", "--sidecar", disk]), 1, "data block");
    file.write_all_at(&byte, 5000).unwrap();
}

#[test]
fn every_command_that_seals_writes_one() {
    let image = Image::new();
    let place = Place::new();
    for (number, preset, block) in [(0, "containerd", "512"), (1, "containerd-4k", "4096")] {
        let options = ["--preset", preset, "--block-size", block, "--sidecar", "-o"];
        let tar = image.tars[number].to_str().unwrap();
        for (kind, more) in [("first", "metadata-first"), ("last", "data-first")] {
            let disk = place.text(&format!("{preset}.{kind}"));
            let args = [&["layer", "--disk", "--verity", "--placement", more][..], &options];
            let said = ok([&args.concat()[..], &[&disk, tar]].concat());
            assert!(said.contains(&format!("sidecar: {disk}.dmverity\n")), "{said}");
            opens(&disk);
            sees_a_change(&disk);
        }
        let disk = place.text(&format!("{preset}.image"));
        let args = [&["export", "--json", "--mode", "image_block_with_verity"][..], &options];
        let report = json(&ok(image.over_tars(&[&args.concat()[..], &[&disk]].concat())));
        assert_eq!(report[0]["verity"]["sidecar"], format!("{disk}.dmverity"));
        opens(&disk);

        // Several disks, into a directory that is not there, one of them twice.
        let dir = place.text(&format!("{preset}.dir"));
        let args = [&["export", "--json", "--mode", "layer_block_with_verity"][..], &options];
        let mut words = image.over_tars(&[]);
        words.push(image.tars[0].as_os_str());
        let args = [args.concat(), vec![&dir]].concat();
        let words = args.iter().map(AsRef::as_ref).chain(words);
        let report = json(&ok(words.collect::<Vec<_>>()));
        assert_eq!(report.len(), 5);
        report.iter().for_each(|disk| opens(disk["path"].as_str().unwrap()));
        let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.filter(|name| Path::new(name).extension().unwrap() == "disk").count(), 4);
    }
    // A disk that is there is sealed in place.
    let disk = place.text("sealed-later");
    ok(["layer", "--disk", "-o", &disk, image.tars[0].to_str().unwrap()]);
    ok(["verity", "format", "--preset", "containerd", "--sidecar", &disk]);
    opens(&disk);
    assert_eq!(fs::read(&disk).unwrap(), fs::read(place.text("containerd.first")).unwrap());
    // To another name.
    let other = place.text("other");
    let data = place.put("data", &[7; 10_000]);
    let named = format!("--sidecar={other}");
    ok(["verity", "format", "--preset", "containerd-4k", &named, &data]);
    assert!(read(&other).1 == 12_288 && !Path::new(&format!("{data}.dmverity")).exists());
    assert_eq!(verify(&other, &data).code, 0);
}

/// containerd's `enable_tar_index`: an index by mkfs.erofs, the tar behind it, and the tree behind both. The
/// filesystem counts blocks of the index alone.
#[test]
fn of_layers_of_containerd_with_a_tar_index() {
    let Some(mkfs) = oracle::erofs_tool("mkfs.erofs") else { return };
    let Some(veritysetup) = oracle::tool("veritysetup", "apt-get install cryptsetup-bin") else {
        return;
    };
    let place = Place::new();
    let tar = TarBuilder::new().file("f", [7; 300_000]).file("g", b"g").finish();
    for (mode, block) in [("--tar=i", 512), ("--tar=f", 4096)] {
        let layer = place.text(mode);
        let tarred = place.put("layer.tar", &tar);
        let mut command = Command::new(&mkfs);
        command.args([mode, "--aufs", "--quiet", "-b4096", &layer]);
        command.stdin(File::open(tarred).unwrap());
        Verdict::of(&mut command).expect_ok("mkfs.erofs");
        let mut bytes = fs::read(&layer).unwrap();
        if mode == "--tar=i" {
            bytes.extend(&tar);
        }
        bytes.resize(bytes.len().next_multiple_of(block), 0);
        fs::write(&layer, &bytes).unwrap();
        let (offset, zeros) = (bytes.len(), "00".repeat(32));
        let mut command = Command::new(&veritysetup);
        command.args(["format", &layer, &layer, &format!("--salt={zeros}")]);
        command.args([format!("--hash-offset={offset}"), format!("--data-block-size={block}")]);
        command.arg(format!("--hash-block-size={block}"));
        command.arg(format!("--data-blocks={}", offset / block));
        let said = Verdict::of(&mut command);
        said.expect_ok("veritysetup format");
        let root = said.output.lines().find_map(|line| line.strip_prefix("Root hash:")).unwrap();
        let text =
            format!("{{\n  \"roothash\": \"{}\",\n  \"hashoffset\": {offset}\n}}", root.trim());
        fs::write(format!("{layer}.dmverity"), text).unwrap();
        opens(&layer);
        sees_a_change(&layer);
    }
}

/// As Kata takes one: no superblock, and the salt in the sidecar, or of zeros.
#[test]
fn without_a_superblock() {
    let place = Place::new();
    for (salt, field) in [("0a0b", r#","salt":"0A0b""#), (&"00".repeat(32), "")] {
        let data = place.put("data", &[7; 409_600]);
        let args = ["verity", "format", "--json", "--preset", "nydus", "--data-block-size", "4096"];
        let report = json(&ok([&args[..], &["--salt", salt, &data]].concat())).remove(0);
        let (root, offset) = (&report["root_hash"], &report["hash_offset"]);
        let sidecar = format!(r#"{{"roothash":{root},"hashoffset":{offset}{field}}}"#);
        let sidecar = place.put("sidecar", sidecar.as_bytes());
        assert_eq!(verify(&sidecar, &data).code, 0, "{}", verify(&sidecar, &data).stderr);
        sees_another(&data, &sidecar);
    }
}

#[track_caller]
fn sees_another(data: &str, sidecar: &str) {
    let mut bytes = fs::read(data).unwrap();
    bytes[5000] ^= 1;
    fs::write(data, bytes).unwrap();
    assert_eq!(verify(sidecar, data).code, 1);
}

#[test]
fn a_root_hash_is_never_taken_unasked() {
    let place = Place::new();
    let data = place.put("data", &[7; 10_000]);
    ok(["verity", "format", "--preset", "containerd", "--sidecar", &data]);
    refused(&run(["verity", "verify", &data]), 2, "who can write the one may write the other");
    let other = "0".repeat(64);
    refused(&run(["verity", "verify", "--sidecar", &data, &other]), 1, "says the root hash");
    fs::remove_file(format!("{data}.dmverity")).unwrap();
    refused(&run(["verity", "verify", &data]), 2, "a root hash is wanted");
    refused(&run(["verity", "verify", "--sidecar", &data]), 1, "data.dmverity");
}

#[test]
fn sidecars_that_are_none() {
    let place = Place::new();
    let disk = place.put("data", &TarBuilder::new().file("f", [7; 30_000]).finish());
    let layer = place.text("layer.erofs");
    let args = ["layer", "--disk", "--verity", "--preset", "containerd", "--sidecar", "-o"];
    ok([&args[..], &[&layer, &disk]].concat());
    let (root, at) = read(&format!("{layer}.dmverity"));
    for (text, word) in [
        ("", "is no sidecar"),
        ("{}", "missing field"),
        ("[]", "is no sidecar"),
        ("{\"roothash\":\"ROOT\"}", "missing field `hashoffset`"),
        ("{\"roothash\":\"00\",\"hashoffset\":AT}", "64 hex digits"),
        ("{\"roothash\":\"ROOT\",\"hashoffset\":-1}", "is no sidecar"),
        ("{\"roothash\":\"ROOT\",\"hashoffset\":AT}x", "trailing"),
        ("{\"roothash\":\"ROOT\",\"roothash\":\"ROOT\",\"hashoffset\":AT}", "duplicate"),
        ("{\"roothash\":\"ROOT\",\"hashoffset\":AT,\"RootHash\":\"ROOT\"}", "in two ways"),
        ("{\"roothash\":\"ROOT\",\"hashoffset\":AT,\"rootha\u{17f}h\":\"ROOT\"}", "in two ways"),
        ("{\"roothash\":\"ROOT\",\"hashoffset\":AT,\"salt\":\"00\"}", "another salt"),
        ("{\"roothash\":\"ROOT\",\"hashoffset\":AT,\"salt\":\"0\"}", "salt"),
        ("{\"roothash\":\"ROOT\",\"hashoffset\":512}", "the filesystem ends at"),
        ("{\"roothash\":\"ROOT\",\"hashoffset\":1000000}", "lies inside the"),
        ("{\"roothash\":\"ROOT\",\"hashoffset\":4096000}", "there is no hash tree"),
        ("{\"roothash\":\"ROOT\",\"hashoffset\":18446744073709547520}", "do not fit"),
    ] {
        let text = text.replace("ROOT", &root).replace("AT", &at.to_string());
        let sidecar = place.put("sidecar", text.as_bytes());
        refused(&verify(&sidecar, &layer), 1, word);
    }
    let long = place.put("sidecar", &[b' '; 5000]);
    refused(&verify(&long, &layer), 1, "5000 bytes, and 4096 are the most");
    // What containerd does not know, it passes over.
    let more = format!("{{\"roothash\":\"{root}\",\"hashoffset\":{at},\"signature\":[1,{{}}]}}");
    let more = place.put("sidecar", more.as_bytes());
    assert_eq!(verify(&more, &layer).code, 0);
}

/// A superblock over a part of the data: what lies between would be read unchecked.
#[test]
fn a_tree_over_a_part_of_the_data() {
    let Some(veritysetup) = oracle::tool("veritysetup", "apt-get install cryptsetup-bin") else {
        return;
    };
    let place = Place::new();
    let data = place.put("data", &[7; 40_960]);
    let mut command = Command::new(veritysetup);
    command.args(["format", &data, &data, "--hash-offset=40960", "--data-blocks=8"]);
    let said = Verdict::of(&mut command);
    said.expect_ok("veritysetup format");
    let root = said.output.lines().find_map(|line| line.strip_prefix("Root hash:")).unwrap();
    let text = format!("{{\"roothash\":\"{}\",\"hashoffset\":40960}}", root.trim());
    let sidecar = place.put("sidecar", text.as_bytes());
    refused(&verify(&sidecar, &data), 1, "32768 bytes");
}

#[test]
fn where_containerd_could_not_use_one() {
    let image = Image::new();
    let place = Place::new();
    let (out, tar) = (place.text("out"), image.tars[0].to_str().unwrap());
    let layer = ["layer", "--disk", "-o", &out];
    let export = ["export", "-o", &out, "--preset", "containerd", "--sidecar", "--mode"];
    let data = place.put("data", &[7; 10_000]);
    for (words, word) in [
        ([&layer[..], &["--verity", "--sidecar", tar]].concat(), "superblock"),
        ([&layer[..], &["--sidecar", tar]].concat(), "--verity"),
        ([&export[..], &["image_block", tar]].concat(), "a mode that makes one"),
        ([&export[..], &["image_verity_only", tar]].concat(), "behind it"),
        ([&export[..], &["image_block_with_verity", "--gpt", tar]].concat(), "no --gpt"),
        ([&export[..], &["image_block_with_verity", "--form=vmdk", tar]].concat(), "no --form"),
        (
            [&export[..], &["layer_block_with_verity", "--sidecar=x", tar, tar]].concat(),
            "cannot be used multiple times",
        ),
        (vec!["verity", "format", "--hash", &out, "--sidecar", &data], "behind its data"),
        (vec!["verity", "verify", "--sidecar", "--hash", &out, &data], "cannot be used with"),
        (
            vec!["layer", "--disk", "--verity", "--preset=containerd", "--sidecar", "-o-", tar],
            "no name",
        ),
        (
            vec![
                "layer",
                "--disk",
                "--verity",
                "--preset=containerd",
                "--sidecar=-",
                "-o",
                &out,
                tar,
            ],
            "a sidecar is a file",
        ),
    ] {
        refused(&run(&words), 2, word);
        assert!(!Path::new(&out).exists(), "{words:?}");
    }
    // Trees of another algorithm, and of format 0, it does not open, whatever their superblocks say.
    let sealing = [&layer[..], &["--verity", "--preset=containerd", "--sidecar"]].concat();
    let exporting = [&export[..], &["image_block_with_verity"]].concat();
    let formatting = ["verity", "format", "--preset", "containerd", "--sidecar"].to_vec();
    for (command, input) in [(sealing, tar), (exporting, tar), (formatting, &data)] {
        for other in [&["--hash-algorithm=sha512"][..], &["--hash-format=0", "--salt=ab"]] {
            let words = [&command[..], other, &[input]].concat();
            refused(&run(&words), 2, "hash trees of SHA-256 in format 1 alone");
            let sidecars = [format!("{out}.dmverity"), format!("{data}.dmverity")];
            assert!(sidecars.iter().all(|file| !Path::new(file).exists()), "{words:?}");
            assert!(!Path::new(&out).exists(), "{words:?}");
        }
        assert_eq!(fs::read(&data).unwrap(), [7; 10_000]);
    }
    let several = ["export", "-o", &out, "--preset", "containerd", "--sidecar=x", "--mode"];
    refused(&run([&several[..], &["layer_block_with_verity", tar, &data]].concat()), 1, "tar");
}

/// A sidecar takes no place of what is read, and is gone where the disk can't get its name.
#[test]
fn both_or_none() {
    let image = Image::new();
    let place = Place::new();
    let tar = image.tars[0].to_str().unwrap();
    let layer = ["layer", "--disk", "--verity", "--preset", "containerd"];
    let out = place.text("out");
    let named = format!("--sidecar={tar}");
    let ran = run([&layer[..], &[&named, "-o", &out, tar]].concat());
    refused(&ran, 2, "is an input and the output");
    let named = format!("--sidecar={out}");
    let ran = run([&layer[..], &[&named, "-o", &out, tar]].concat());
    refused(&ran, 2, "the name of two outputs");
    assert!(!Path::new(&out).exists());
    // The sidecar's name is that of a directory.
    fs::create_dir(format!("{out}.dmverity")).unwrap();
    refused(&run([&layer[..], &["--sidecar", "-o", &out, tar]].concat()), 1, "regular file");
    assert!(!Path::new(&out).exists());
}

/// A sidecar may go to another file system than its disk.
#[test]
fn elsewhere() {
    let image = Image::new();
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let (out, other) = (image.path("disk"), elsewhere.path().join("x.dmverity"));
    let named = format!("--sidecar={}", other.display());
    let (out, tar) = (out.to_str().unwrap(), image.tars[0].to_str().unwrap());
    let mode = ["export", "--mode", "layer_block_with_verity", "--preset", "containerd"];
    ok([&mode[..], &["-o", out, &named, tar]].concat());
    let verified = verify(other.to_str().unwrap(), out);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
}
