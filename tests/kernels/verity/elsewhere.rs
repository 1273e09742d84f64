//! Sealed disks that are no files of their own.

use serde_json::Value;

use super::preset::Preset;
use crate::given::Given;
use crate::layers::LARGE;
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
                (
                    format!("dmsetup create --readonly sealed --table '{table}'"),
                    "sealed",
                    "its table",
                )
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

/// Volumes that systemd would find, the tree in a partition of its own: as printed, and by the table. One
/// is a disk over the tars.
pub(super) fn volumes(given: &Given) -> Vec<Row> {
    let volume = |types: &str, form: &'static str, preset: &str| {
        let options = [&format!("--gpt={types}"), "--form", form, "--preset", preset];
        let name = format!("{types}.{form}");
        let (disk, report) = given.export("image_block_with_verity", &name, &options);
        let verity = &report["partitions"][0]["disk"]["verity"];
        let text = |key: &str| verity[key].as_str().unwrap().to_owned();
        let (script, way) = match form {
            "raw" => {
                let open = text("veritysetup");
                let device = open.split(' ').nth(3).unwrap().to_owned();
                (format!("{open}\nmount -t erofs -o ro /dev/mapper/{device} /mnt\n"), "veritysetup")
            }
            _ => (by_table(&text("dm_table")), "its table"),
        };
        let title = format!("{preset} as {types} in a {form} disk, by {way}");
        let row = Row::shown(title, script, &given.merged).sealed();
        row.disk_of(&format!("{types}-{form}"), &disk, form, 512)
    };
    vec![volume("dps", "raw", "nydus"), volume("dps-usr", "vmdk", "containerd")]
}

/// Opens and mounts by a table line.
fn by_table(table: &str) -> String {
    format!(
        "dmsetup create --readonly sealed --table '{table}'\n\
         mount -t erofs -o ro /dev/mapper/sealed /mnt\n"
    )
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
        by_table(&table.replace(file, &format!("/disks/{serial}")))
    };
    let (vmdk, report) = given.export(mode, "sealed.vmdk", &["--form", "vmdk"]);
    let by_vmdk = of_disk(&report, "DISK", "vmdk");
    let (disk, report) = given.export(mode, "sealed.disk", &[]);
    let by_disk = of_disk(&report, disk.to_str().unwrap(), "sealed");
    // A tree in a file of its own seals what the device mapper puts together.
    let (below, _) = given.export("image_block", "unsealed.sh", &["--form", "dm-linear"]);
    let (tree, report) = given.export("image_verity_only", "of-linear.verity", &[]);
    let table = report["verity"]["dm_table"].as_str().unwrap();
    let table = table.replace("DISK", "/dev/mapper/unsealed");
    let table = table.replace(tree.to_str().unwrap(), "$(losetup --find --show --read-only TREE)");
    let apart = by_table(&table).replace('\'', "\"").replace("TREE", tree.to_str().unwrap());
    let apart = format!("sh {} unsealed\n{apart}", below.display());
    let layer = "layer_block_with_verity";
    let (script, _) = given.export_layer(LARGE, layer, "sealed-layer.sh", &["--form", "dm-linear"]);
    let of_layer = format!("sh {} sealed\n{mount}", script.display());
    let of_layer =
        Row::shown("a sealed layer, dm-linear over its tar", of_layer, &given.layers[LARGE]);
    vec![
        shown("sealed, dm-linear over the tars", linear),
        shown("a tree alone, and dm-linear over the tars", apart),
        of_layer.sealed(),
        shown("sealed, vmdk over the tars", by_vmdk).disk_of("vmdk", &vmdk, "vmdk", 512),
        shown("sealed, a disk of the guest's", by_disk).disk("sealed", &disk),
    ]
}
