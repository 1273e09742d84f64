//! Blocks of 4096 bytes: disks for large sectors, and data blocks that Linux mounts.

use testkit::mount::{Erofs, LoopDevice};
use testkit::oracle::{Verity, veritysetup_verify};

use super::run::{Image, json, ok, run};

#[test]
fn blocks_of_4096_carry_copies() {
    let image = Image::new();
    let (disk, merged) = (image.path("4k.disk"), image.path("again.disk"));
    let said = ok(image.over_tars(&[
        "export",
        "--mode",
        "image_block",
        "--block-size",
        "4096",
        "--json",
        "-o",
        disk.to_str().unwrap(),
    ]));
    assert_eq!(json(&said)[0]["block_size"], 4096);
    let device = LoopDevice::with(&disk, &["--sector-size", "4096"]).unwrap();
    image.expect_merged(&Erofs::new(device.path()).mount().unwrap());
    // It checks, lists and merges like any other.
    ok(["check".as_ref(), disk.as_os_str()]);
    ok(["merge".as_ref(), "--disk".as_ref(), "-o".as_ref(), merged.as_os_str(), disk.as_os_str()]);
    image.expect_merged(&Erofs::new(&merged).mount().unwrap());
    // A stream too, and with its data first.
    for placement in ["metadata-first", "data-first"] {
        let out = image.path("layer.disk");
        let out = out.to_str().unwrap();
        let tar = image.tars[0].to_str().unwrap();
        ok(["layer", "--disk", "--block-size", "4096", "--placement", placement, "-o", out, tar]);
        let device = LoopDevice::with(out, &["--sector-size", "4096"]).unwrap();
        drop(Erofs::new(device.path()).mount().unwrap());
    }
    // No file has the copies, so nothing can be made over the tars as they lie.
    let out = image.path("refused");
    let place = ["--block-size", "4096", "-o", out.to_str().unwrap()];
    for command in [
        &["export", "--mode", "image_block", "--form", "vmdk"][..],
        &["export", "--mode", "image_block", "--gpt"],
        &["merge"],
    ] {
        let refused = run(image.over_tars(&[command, &place[..]].concat()));
        assert_eq!(refused.code, 1, "{command:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("only a raw disk without --gpt"), "{}", refused.stderr);
        assert!(!out.exists());
    }
}

#[test]
fn data_blocks_above_the_filesystems_are_refused() {
    let image = Image::new();
    let disk = image.path("image.disk");
    let export = |more: &[&str]| {
        let out = disk.to_str().unwrap();
        let args = ["export", "--mode", "image_block_with_verity", "--json", "-o", out];
        run(image.over_tars(&[&args, more].concat()))
    };
    for preset in ["containerd-4k", "veritysetup"] {
        let refused = export(&["--preset", preset]);
        assert_eq!(refused.code, 2);
        for way_out in ["--data-block-size 512", "--block-size 4096", "--any-data-block"] {
            assert!(refused.stderr.contains(way_out), "{}", refused.stderr);
        }
        assert!(!disk.exists());
        assert_eq!(export(&["--preset", preset, "--any-data-block"]).code, 0);
        let done = export(&["--preset", preset, "--block-size", "4096"]);
        assert_eq!(done.code, 0, "{}", done.stderr);
        let report = &json(&done.stdout)[0]["verity"];
        let number = |name: &str| report[name].as_u64().unwrap();
        let verdict = veritysetup_verify(&Verity {
            data: &disk,
            hash: &disk,
            // Behind the superblock.
            hash_offset: number("hash_offset") + 4096,
            data_blocks: number("data_blocks"),
            data_block_size: 4096,
            hash_block_size: 4096,
            salt: report["salt"].as_str().unwrap(),
            root: report["root_hash"].as_str().unwrap(),
        });
        if let Some(verdict) = verdict {
            verdict.expect_ok(preset);
        }
        std::fs::remove_file(&disk).unwrap();
    }
    let layer = |more: &[&str]| {
        let tar = image.tars[0].to_str().unwrap();
        run([&["layer", "--disk", "--verity", "-o", disk.to_str().unwrap()], more, &[tar]].concat())
    };
    assert_eq!(layer(&["--preset", "containerd-4k"]).code, 2);
    assert_eq!(layer(&["--preset", "containerd-4k", "--block-size", "4096"]).code, 0);
    // What has no effect is refused.
    let out = disk.to_str().unwrap();
    let unsealed = ["export", "--mode", "image_block", "--preset", "containerd", "-o", out];
    assert_eq!(run(image.over_tars(&unsealed)).code, 2);
}
