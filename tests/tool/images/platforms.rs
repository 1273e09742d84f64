//! One image for several platforms.

use serde_json::json;

use super::generator::Expected::{Both, Error, Layers};
use super::generator::Place;
use crate::run::{ok, run};

/// What Go calls this machine.
fn here() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "linux/amd64",
        "aarch64" => "linux/arm64",
        other => panic!("what does Go call {other}?"),
    }
}

#[test]
fn the_machine_s_own_or_the_one_that_is_asked_for() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let images = [
        layout.image(&[1], "linux/s390x"),
        layout.image(&[0, 1], here()),
        layout.image(&[0], "linux/arm/v6"),
        layout.image(&[1, 0], "linux/arm/v7"),
        layout.image(&[0], "windows/amd64"),
    ];
    // Only these two are here.
    for image in [&images[0], &images[2], &images[4]] {
        layout.without(image);
    }
    let index = layout.index(&images.each_ref());
    layout.add(index, "latest");
    let arg = layout.done();
    place.expect("this machine", &[], &arg, Both);
    for (platform, expected) in [
        (here(), Both),
        ("linux/arm", Layers(&[1, 0][..])),
        ("linux/armhf", Layers(&[1, 0])),
        ("linux/arm/v8", Layers(&[1, 0])),
        ("linux/s390x", Error(&["linux/s390x", "sha256:", "is not there"])),
        (
            "linux/arm/v5",
            Error(&[
                "no image for linux/arm/v5, only",
                "linux/arm/v6, linux/arm/v7",
                "windows/amd64",
            ]),
        ),
        ("linux/riscv64", Error(&["no image for linux/riscv64"])),
    ] {
        place.expect(platform, &["--platform", platform], &arg, expected);
    }
    for platform in ["linux", "", "linux/a/b/c"] {
        assert_eq!(place.merge(&["--platform", platform], &arg).code, 2, "{platform:?}");
    }
}

#[test]
fn several_under_one_name_or_none() {
    let place = Place::new();
    for name in ["latest", ""] {
        let mut layout = place.layout("l");
        let (both, lower) =
            (layout.image(&[0, 1], "linux/amd64"), layout.image(&[0], "linux/arm64"));
        layout.add(lower, name);
        layout.add(both, name);
        let arg = layout.done();
        place.expect(name, &["--platform", "linux/amd64"], &arg, Both);
        place.expect(name, &["--platform", "linux/arm64"], &arg, Layers(&[0]));
    }
}

#[test]
fn what_only_the_configurations_say() {
    let place = Place::new();
    let mut layout = place.layout("l");
    for (numbers, platform) in [(&[0][..], "linux/arm64"), (&[0, 1], "linux/amd64")] {
        let mut image = layout.image(numbers, platform);
        image.as_object_mut().unwrap().remove("platform");
        layout.add(image, "latest");
    }
    let arg = layout.done();
    place.expect("amd64", &["--platform", "linux/amd64"], &arg, Both);
    place.expect("arm64", &["--platform", "linux/arm64/v8"], &arg, Layers(&[0]));
}

#[test]
fn an_only_image_is_taken_unless_another_is_asked_for() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let image = layout.image(&[0, 1], "linux/mips64le");
    layout.add(image, "latest");
    let arg = layout.done();
    place.expect("not asked", &[], &arg, Both);
    let wanted = ["--platform", "linux/amd64"];
    place.expect("asked", &wanted, &arg, Error(&["no image for linux/amd64, only linux/mips64le"]));
}

#[test]
fn twins_in_gzip_and_zstd_are_one_image_and_others_are_not() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let both = layout.image(&[0, 1], "linux/amd64");
    let mut other = layout.image(&[0], "linux/amd64");
    let words = ["--platform", "linux/amd64"];
    let index = layout.index(&[&other, &both]);
    layout.add(index, "latest");
    place.expect(
        "two",
        &words,
        &layout.done(),
        Error(&["several images for linux/amd64: @sha256:"]),
    );
    layout.manifests.clear();
    other["annotations"] = json!({"io.github.containers.compression.zstd": "true"});
    let index = layout.index(&[&other, &both]);
    layout.add(index, "latest");
    place.expect("twins", &words, &layout.done(), Both);
}

#[test]
fn every_command_that_takes_images_has_the_option() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let (lower, upper) = (layout.image(&[0], "linux/amd64"), layout.image(&[1], "linux/arm64"));
    let index = layout.index(&[&lower, &upper]);
    layout.add(index, "latest");
    let arg = layout.done();
    for (platform, names) in [("linux/amd64", "a\nb\n"), ("linux/arm64", "b\nc\n")] {
        assert_eq!(ok(["ls", "--platform", platform, &arg, "etc"]), names);
    }
    let disk = place.text("out.disk");
    let words = ["--platform", "linux/arm64"];
    ok([&["export", "--mode", "image_block", "-o", &disk][..], &words, &[&arg]].concat());
    ok([&["check"][..], &words, &["--against", &arg, &disk]].concat());
    let other = ["check", "--platform", "linux/amd64", "--against", &arg, &disk];
    assert_eq!(run(other).code, 1);
    assert_eq!(ok([&["cat"][..], &words, &[&arg, "etc/c"]].concat()), "three");
    assert!(ok([&["stat"][..], &words, &[&arg, "etc/c"]].concat()).contains("size:  5"));
}

#[test]
fn an_entry_that_nobody_can_check_is_some_other_image() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let (both, mut other) = (layout.image(&[0, 1], "linux/amd64"), layout.both());
    other["digest"] = json!(format!("sha512:{}", "0".repeat(128)));
    layout.add(other, "latest");
    layout.add(both, "latest");
    place.expect("sha512", &["--platform", "linux/amd64"], &layout.done(), Both);
}

#[test]
fn listings_show_the_layers_of_an_image_merged() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let (both, none) = (layout.both(), layout.edited(&[], |_| {}, |_| {}));
    layout.add(both, "both");
    layout.add(none, "none");
    let arg = layout.done();
    let (both, none) = (format!("{arg}:both"), format!("{arg}:none"));
    assert_eq!(ok(["ls", &both, "etc"]), "a\nc\n");
    assert_eq!(ok(["cat", &both, "etc/a"]), "one");
    assert_eq!(ok(["cat", &both, "etc/c"]), "three");
    assert!(ok(["stat", &both, "etc/c"]).contains("of device 2"));
    assert_eq!(ok(["ls", &none]), "");
    let out = place.text("out.disk");
    for mode in ["layer_block", "layer_verity_only", "layer_block_with_verity"] {
        let ran = run(["export", "--mode", mode, "-o", &out, &none]);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("there is no layer"), "{}", ran.stderr);
        let ran = run(["export", "--mode", mode, "--gpt", "-o", &out, &none]);
        assert_ne!(ran.code, 0);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

/// Who finds partitions by their types looks for those of the image, not of who made the disk.
#[test]
fn partition_types_are_of_the_image() {
    let place = Place::new();
    let mut layout = place.layout("l");
    let images = ["linux/s390x", "linux/riscv64"].map(|on| layout.image(&[0, 1], on));
    layout.add(layout.index(&images.each_ref()), "latest");
    let arg = layout.done();
    let named = |image: &serde_json::Value| format!("{arg}:@{}", image["digest"].as_str().unwrap());
    let (one, two, tar) = (named(&images[0]), named(&images[1]), place.text("0.tar"));
    let out = place.text("out");
    let export = |words: &[&str]| {
        let args = ["export", "--json", "--mode", "image_block", "--gpt=dps", "-o", &out];
        run([&args[..], words].concat())
    };
    for (words, name) in [
        (&[&one[..]][..], "root-s390x"),
        (&[&one, &tar], "root-s390x"),
        (&["--platform", "linux/riscv64", &two], "root-riscv64"),
    ] {
        let report = crate::run::json(&export(words).stdout).remove(0);
        assert_eq!(report["partitions"][0]["name"], name, "{words:?}");
    }
    let ran = export(&[&one, &two]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("layers for linux/s390x and for linux/riscv64"), "{}", ran.stderr);
}
