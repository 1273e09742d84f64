//! What of a tar is not taken as it stands: dropped and counted, or refused, as the switches say.

use std::fs;
use std::path::Path;

use serde_json::Value;
use testkit::oci::write_layout;
use testkit::tarball::{End, TarBuilder};

use crate::run::{Place, Ran, json, of_stdin, ok, run};

impl Place {
    /// All commands that make something of layers, with these options.
    fn each(&self, options: &[&str], layers: &[&str], mut seen: impl FnMut(&str, Ran, &Path)) {
        let out = self.path("out");
        let name = self.text("out");
        let merges = [
            &["merge", "--json", "-o", &name][..],
            &["merge", "--disk", "--json", "-o", &name],
            &["export", "--mode", "image_block", "--json", "-o", &name],
            &["export", "--mode", "image_block_with_verity", "--json", "-o", &name],
            &["export", "--mode", "image_verity_only", "--json", "-o", &name],
            &["export", "--mode", "image_block", "--form", "vmdk", "--json", "-o", &name],
        ];
        let layer = [
            &["layer", "--json", "-o", &name][..],
            &["layer", "--blob-id", "x", "--json", "-o", &name],
            &["layer", "--disk", "--json", "-o", &name],
            &["layer", "--disk", "--placement", "data-first", "--verity", "--json", "-o", &name],
            &["export", "--mode", "layer_block", "--json", "-o", &name],
            &["export", "--mode", "layer_block", "--form", "vmdk", "--json", "-o", &name],
        ];
        let layer = if layers.len() == 1 { &layer[..] } else { &[] };
        for words in merges.iter().chain(layer) {
            let _ = fs::remove_file(&out);
            seen(&words.join(" "), run([words, options, layers].concat()), &out);
        }
    }
}

/// A file with an attribute of macOS, one that has a place, and odd owners.
fn odd() -> Vec<u8> {
    let acl = "user::rw-\nuser:nobody-knows:rwx\ngroup::r--\nmask::rwx\nother::---\n";
    TarBuilder::new()
        .file("a", b"x")
        .xattr("com.apple.provenance", [1, 0])
        .xattr("user.k", "v")
        .file("b", b"x")
        .xattr("com.apple.quarantine", "q")
        .file("c", b"x")
        .pax("SCHILY.acl.access", acl)
        .file("d", b"x")
        .pax("uid", "4294967295")
        .finish()
}

fn counts(report: &Value) -> [u64; 4] {
    ["dropped_xattrs", "dropped_acls", "unset_owners", "skipped_types"]
        .map(|key| report[key].as_u64().unwrap())
}

#[test]
fn what_has_no_place_is_dropped_and_counted() {
    let place = Place::new();
    let tar = place.put("odd.tar", &odd());
    place.each(&[], &[&tar], |what, ran, out| {
        assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
        let lines: Vec<_> = ran.stderr.lines().collect();
        assert_eq!(lines.len(), 3, "{what}: {}", ran.stderr);
        for line in &lines {
            assert!(line.starts_with("tarfs: warning: ") && line.contains("odd.tar"), "{line}");
        }
        assert!(lines[0].contains("2 extended attributes"), "{what}: {}", lines[0]);
        assert!(lines[1].contains("1 access control list"), "{what}: {}", lines[1]);
        assert!(lines[2].contains("owner or group 4294967295 in 1 entry: 0"), "{}", lines[2]);
        let report = &json(&ran.stdout)[0];
        assert_eq!(counts(report), [2, 1, 1, 0], "{what}");
        if what.starts_with("merge --disk") || what.starts_with("layer --disk") {
            let shown = ok(["stat".as_ref(), out.as_os_str(), "a".as_ref()]);
            assert!(shown.contains("user.k") && !shown.contains("apple"), "{shown}");
        }
    });
    // Each layer has its own line, and the image the sum.
    let other = place.put("other.tar", &odd());
    place.each(&[], &[&tar, &other], |what, ran, _| {
        assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
        assert_eq!(ran.stderr.matches("other.tar").count(), 3, "{what}: {}", ran.stderr);
        assert_eq!(counts(&json(&ran.stdout)[0]), [4, 2, 2, 0], "{what}");
    });
    // Of partitions each has the counts of its layer.
    let (out, clean) = (place.text("gpt"), place.put("clean.tar", &TarBuilder::new().finish()));
    let words = ["export", "--mode", "layer_block", "--gpt", "--json", "-o", &out, &clean, &tar];
    let parts = &json(&ok(words))[0]["partitions"];
    assert_eq!(counts(&parts[0]["disk"]), [0; 4]);
    assert_eq!(counts(&parts[1]["disk"]), [2, 1, 1, 0]);
    // Streams, and what lists.
    for words in [
        &["layer", "--disk", "-o", &out, "-"][..],
        &["layer", "--index-only", "-o", &out, "-"],
        &["ls", "-"],
        &["stat", "-", "a"],
        &["cat", "-", "a"],
    ] {
        let ran = of_stdin(&odd(), words);
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains("2 extended attributes"), "{words:?}: {}", ran.stderr);
    }
    // An image of what was read so is that of these layers.
    ok(["merge", "--disk", "-o", &out, &tar]);
    let ran = run(["check", "--json", "--against", &tar, &out]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(counts(&json(&ran.stdout)[0]), [2, 1, 1, 0]);
}

#[test]
fn strict_refuses_it() {
    let place = Place::new();
    let tar = place.put("odd.tar", &odd());
    place.each(&["--strict"], &[&tar], |what, ran, out| {
        assert_eq!(ran.code, 1, "{what}");
        for part in ["odd.tar", "\"a\"", "at byte 1024", "com.apple.provenance", "--strict"] {
            assert!(ran.stderr.contains(part), "{what}: {part}: {}", ran.stderr);
        }
        assert!(!out.exists(), "{what}");
    });
    for (record, part) in [
        (("SCHILY.acl.access", "user:nobody-knows:rwx"), "1 access control list"),
        (("gid", "4294967295"), "owner or group 4294967295"),
    ] {
        let tar = TarBuilder::new().file("a", b"x").pax(record.0, record.1).finish();
        let tar = place.put("one.tar", &tar);
        place.each(&["--strict"], &[&tar], |what, ran, out| {
            assert_eq!(ran.code, 1, "{what}");
            assert!(ran.stderr.contains(part), "{what}: {}", ran.stderr);
            assert!(ran.stderr.contains("--strict") && !out.exists(), "{what}: {}", ran.stderr);
        });
    }
    // Nothing odd, nothing refused.
    let tar = place.put("good.tar", &TarBuilder::new().file("a", b"x").finish());
    place.each(&["--strict"], &[&tar], |what, ran, _| {
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{what}");
        assert_eq!(counts(&json(&ran.stdout)[0]), [0; 4], "{what}");
    });
}

#[test]
fn layers_in_images_are_read_by_the_same_rules() {
    let place = Place::new();
    let layout = place.path("layout");
    // Whatever its end is: that it has its diffID shows that it is whole.
    let tar = odd();
    let tar = &tar[..tar.len() - 1024];
    write_layout(&layout, &[tar]).unwrap();
    let image = format!("oci:{}", place.text("layout"));
    place.each(&[], &[&image], |what, ran, _| {
        // `tarfs layer` takes no image.
        if !what.starts_with("layer") {
            assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
            assert_eq!(ran.stderr.lines().count(), 3, "{what}: {}", ran.stderr);
            assert_eq!(counts(&json(&ran.stdout)[0]), [2, 1, 1, 0], "{what}");
        }
    });
    place.each(&["--strict"], &[&image], |what, ran, _| assert_eq!(ran.code, 1, "{what}"));
    // The tar around an image is a bag: its end, and what its entries have, say nothing.
    let mut outer = TarBuilder::new().end(End::Nothing);
    for name in ["oci-layout", "index.json"] {
        outer = outer.file(name, fs::read(layout.join(name)).unwrap());
        outer = outer.xattr("com.apple.provenance", [1]);
    }
    for blob in fs::read_dir(layout.join("blobs/sha256")).unwrap() {
        let blob = blob.unwrap();
        let name = format!("blobs/sha256/{}", blob.file_name().to_str().unwrap());
        outer = outer.file(name, fs::read(blob.path()).unwrap());
    }
    let archive = place.put("archive.tar", &outer.finish());
    let ran = run(["merge", "-o", &place.text("out"), &format!("oci-archive:{archive}")]);
    assert_eq!((ran.code, ran.stderr.lines().count()), (0, 3), "{}", ran.stderr);
    assert!(ran.stderr.contains("2 extended attributes"), "{}", ran.stderr);
    let dots = TarBuilder::new().file("d/../a", b"x").finish();
    write_layout(&place.path("dots"), &[&dots]).unwrap();
    let image = format!("oci:{}", place.text("dots"));
    assert!(run(["ls", &image]).stderr.contains("--resolve-dot-dot"));
    assert_eq!(ok(["ls", "--resolve-dot-dot", &image]), "a\n");
}

#[test]
fn errors_name_the_switch() {
    let place = Place::new();
    let unknown = TarBuilder::new().file("a", b"x").entry(b'Z', "z", 0o644).finish();
    let dots = TarBuilder::new().dir("d", 0o755).file("d/../b", b"x").finish();
    for (bytes, switch, offset, skipped) in
        [(&unknown, "--skip-unknown-types", 1024, 1), (&dots, "--resolve-dot-dot", 512, 0)]
    {
        let tar = place.put("in.tar", bytes);
        place.each(&[], &[&tar], |what, ran, out| {
            assert_eq!(ran.code, 1, "{what}");
            assert!(ran.stderr.contains(switch), "{what}: {}", ran.stderr);
            assert!(ran.stderr.contains(&offset.to_string()), "{what}: {}", ran.stderr);
            assert!(!out.exists());
        });
        place.each(&[switch], &[&tar], |what, ran, _| {
            assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
            let report = &json(&ran.stdout)[0];
            assert_eq!(counts(report), [0, 0, 0, skipped], "{what}");
            assert_eq!(ran.stderr.lines().count() as u64, skipped, "{what}: {}", ran.stderr);
        });
        let out = place.text("out");
        ok(["merge", "--disk", switch, "-o", &out, &tar]);
        for command in
            [&["ls", &tar][..], &["stat", &tar, "/"], &["check", &out, "--against", &tar]]
        {
            let ran = run(command);
            assert_eq!(ran.code, 1, "{command:?}: {}", ran.stdout);
            assert!(ran.stderr.contains(switch), "{command:?}: {}", ran.stderr);
            ok([&command[..1], &[switch], &command[1..]].concat());
        }
        // What was asked for by name is no fault.
        place.each(&["--strict", switch], &[&tar], |what, ran, _| {
            assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
        });
    }
}

/// A layer with something below `lib`, which the layer below has as a link.
fn linked() -> [Vec<u8>; 2] {
    let lower = TarBuilder::new().dir("usr", 0o755).dir("usr/lib", 0o755);
    let lower = lower.file("usr/lib/a", b"a").symlink("lib", "usr/lib").finish();
    [lower, TarBuilder::new().file("lib/x", b"x").finish()]
}

#[test]
fn links_of_lower_layers_are_followed_if_asked_for() {
    let place = Place::new();
    let [lower, upper] = linked();
    let (lower, upper) = (place.put("lower.tar", &lower), place.put("upper.tar", &upper));
    let layers = [lower.as_str(), upper.as_str()];
    place.each(&[], &layers, |what, ran, out| {
        assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{what}: {}", ran.stderr);
        for part in ["tarfs: warning: ", "upper.tar", "\"lib\"", "--follow-lower-links"] {
            assert!(ran.stderr.contains(part), "{what}: {part}: {}", ran.stderr);
        }
        assert_eq!(json(&ran.stdout)[0]["merge_notes"], 1, "{what}");
        if what.starts_with("merge --disk") {
            assert_eq!(ok(["ls".as_ref(), out.as_os_str(), "lib".as_ref()]), "x\n");
            let ran = run(["check", "--against", &lower, &upper, out.to_str().unwrap()]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
        }
    });
    place.each(&["--follow-lower-links"], &layers, |what, ran, out| {
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{what}");
        assert_eq!(json(&ran.stdout)[0]["merge_notes"], 0, "{what}");
        if what.starts_with("merge --disk") {
            assert_eq!(ok(["ls".as_ref(), out.as_os_str(), "usr/lib".as_ref()]), "a\nx\n");
        }
    });
    let out = place.text("out");
    ok(["merge", "--disk", "--follow-lower-links", "-o", &out, &lower, &upper]);
    let ran = run(["check", "--follow-lower-links", "--against", &lower, &upper, &out]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stderr.contains("upper.tar") && ran.stderr.contains("lib"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--follow-lower-links"), "{}", ran.stderr);
    // Where there is nothing to follow it compares.
    ok(["merge", "--disk", "-o", &out, &lower, &lower]);
    ok(["check", "--follow-lower-links", "--against", &lower, &lower, &out]);
    // Images whose layers are merged to be shown.
    let [lower, upper] = linked();
    write_layout(&place.path("layout"), &[lower, upper]).unwrap();
    let image = format!("oci:{}", place.text("layout"));
    assert_eq!(ok(["ls", &image, "lib"]), "x\n");
    assert_eq!(ok(["ls", "--follow-lower-links", &image, "usr/lib"]), "a\nx\n");
}

#[test]
fn ten_notes_are_shown_and_the_others_counted() {
    let place = Place::new();
    for (count, lines) in [(10, 10), (11, 11), (100, 11)] {
        let (mut lower, mut upper) = (TarBuilder::new(), TarBuilder::new());
        for number in 0..count {
            lower = lower.symlink(format!("l{number}"), "x");
            upper = upper.file(format!("l{number}/f"), b"");
        }
        let (lower, upper) = (place.put("l", &lower.finish()), place.put("u", &upper.finish()));
        place.each(&[], &[&lower, &upper], |what, ran, _| {
            assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
            assert_eq!(ran.stderr.lines().count(), lines, "{what}: {}", ran.stderr);
            assert_eq!(json(&ran.stdout)[0]["merge_notes"], count, "{what}");
            let more = format!("and {} more", count - 10);
            assert_eq!(ran.stderr.contains(&more), count > 10, "{what}: {}", ran.stderr);
        });
    }
}
