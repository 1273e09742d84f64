//! Sealed disks that are no files of their own.

use serde_json::Value;

use super::preset::Preset;
use crate::given::Given;
use crate::row::Row;
use crate::run::run;

/// The layers' sealed disks as partitions of one, each opened by one of the ways.
pub(super) fn partitions(given: &Given, preset: &Preset) -> Vec<Row> {
    let more = [&preset.options[..], &["--gpt"]].concat();
    let (disk, report) = given.export("layer_block_with_verity", "sealed.gpt", &more);
    let partitions = report["partitions"].as_array().unwrap();
    assert_eq!(partitions.len(), given.layers.len());
    let rows = partitions.iter().zip(&given.layers).enumerate().map(|(index, (part, tree))| {
        let verity = &part["disk"]["verity"];
        let (open, name, way) = match index % 2 {
            0 => {
                let open = verity["veritysetup"].as_str().unwrap();
                (open.to_owned(), open.split(' ').nth(3).unwrap(), "veritysetup")
            }
            _ => {
                let table = verity["dm_table"].as_str().unwrap();
                let open = format!("dmsetup create --readonly sealed --table '{table}'");
                (open, "sealed", "its table")
            }
        };
        let script = format!("{open}\nmount -t erofs -o ro /dev/mapper/{name} /mnt\n");
        let name = format!("{} in a partition: layer {index}, by {way}", preset.name);
        Row::shown(name, script, tree).sealed()
    });
    let mut rows: Vec<Row> = rows.collect();
    rows[0] = rows[0].clone().disk("sealed-gpt", &disk);
    // What has no room for copies says so.
    let refused = given.path("refused.gpt");
    let args = ["export", "--mode", "layer_block_with_verity", "--gpt", "--block-size", "4096"];
    let ran = run(given.over_tars(&[&args[..], &["-o", refused.to_str().unwrap()]].concat()));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("only a raw disk without --gpt"), "{}", ran.stderr);
    rows
}

/// Sealed disks over tars as they lie, and one that is a disk of the guest's.
pub(super) fn over_tars(given: &Given) -> Vec<Row> {
    let mode = "image_block_with_verity";
    let mount = "mount -t erofs -o ro /dev/mapper/sealed /mnt\n";
    let shown = |name: &str, script| Row::shown(name, script, &given.merged).sealed();
    let (script, _) = given.export(mode, "sealed.sh", &["--form", "dm-linear"]);
    let linear = format!("sh {} sealed\n{mount}", script.display());
    let of_disk = |report: &Value, file: &str, serial: &str| {
        let table = report["verity"]["dm_table"].as_str().unwrap();
        let table = table.replace(file, &format!("/disks/{serial}"));
        format!("dmsetup create --readonly sealed --table '{table}'\n{mount}")
    };
    let (vmdk, report) = given.export(mode, "sealed.vmdk", &["--form", "vmdk"]);
    let by_vmdk = of_disk(&report, "DISK", "vmdk");
    let (disk, report) = given.export(mode, "sealed.disk", &[]);
    let by_disk = of_disk(&report, disk.to_str().unwrap(), "sealed");
    vec![
        shown("sealed, dm-linear over the tars", linear),
        shown("sealed, vmdk over the tars", by_vmdk).disk_of("vmdk", &vmdk, "vmdk", 512),
        shown("sealed, a disk of the guest's", by_disk).disk("sealed", &disk),
    ]
}
