//! Every form of an image, without dm-verity.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use testkit::dump::Tree;
use testkit::stacks::Stack;

use crate::given::{Folder, Given};
use crate::layers::LARGE;
use crate::row::{Expect, Row};
use crate::run::ok;

const MODERN: &str = "incompatible feature";

pub(crate) fn rows(folder: &Folder, given: &Given) -> Vec<Row> {
    let mut rows = disks(folder, given);
    rows.extend(bootstraps(folder, given));
    rows.extend(disks_of_guests(given));
    rows.extend((0..8).flat_map(|seed| random(folder, seed)));
    rows
}

/// What `mount-args` says of a file.
fn commands(file: &Path) -> String {
    ok(["mount-args".as_ref(), file.as_os_str()])
}

fn disks(folder: &Folder, given: &Given) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, options) in [
        ("", &[][..]),
        (", data first", &["--placement", "data-first"]),
        (", 512 KiB apart", &["--align", "512KiB"]),
        (", chunk indexes", &["--chunk-indexes"]),
        (", a checksum", &["--checksum"]),
        (", blocks of 1024", &["--block-size", "1024"]),
        (", blocks of 2048", &["--block-size", "2048"]),
        (", blocks of 4096", &["--block-size", "4096"]),
        (", blocks of 4096, data first", &["--block-size", "4096", "--placement", "data-first"]),
    ] {
        let name = format!("image disk{name}");
        let (disk, _) = given.export("image_block", &format!("{name}.plain"), options);
        rows.push(Row::shown(&name, commands(&disk), &given.merged));
        let file = format!("{name}.layer");
        let (disk, _) = given.export_layer(LARGE, "layer_block", &file, options);
        rows.push(Row::shown(format!("layer, as {name}"), commands(&disk), &given.layers[LARGE]));
    }
    let (mut stacked, mut lowers) = (String::new(), Vec::new());
    for (index, tree) in given.layers.iter().enumerate() {
        let (disk, _) = given.export_layer(index, "layer_block", &format!("{index}.disk"), &[]);
        rows.push(Row::shown(format!("disk of layer {index}"), commands(&disk), tree));
        let lower = format!("/lower/{index}");
        let mount = ok(["mount-args", "--mount-point", &lower, disk.to_str().unwrap()]);
        stacked += &format!("mkdir -p {lower}\n{mount}");
        lowers.insert(0, lower);
    }
    stacked += &format!("mount -t overlay -o ro,lowerdir={} overlay /mnt\n", lowers.join(":"));
    let merged = Expect::Stacked(given.merged.clone());
    rows.push(Row::new("disks of all layers, by overlayfs", stacked, merged));
    // What the commands of a disk are to mount(8) from 2.41 on.
    let (disk, _) = given.export("image_block", "of-files.disk", &[]);
    let name = "image disk, the file itself";
    let row = Row::shown(name, folder.of_files(commands(&disk).trim_end()), &given.merged);
    rows.push(row.but("6.1", Expect::Refused("Block device required")));
    // What lies behind the filesystem is of no matter to who does not ask for it.
    let (disk, _) = given.export("image_block_with_verity", "passed.disk", &[]);
    rows.push(Row::shown("a sealed disk, past its tree", commands(&disk), &given.merged));
    let (disk, _) = given.export("image_block", "compact.disk", &["--compact"]);
    rows.push(Row::new("a compact disk", commands(&disk), Expect::Refused(MODERN)));
    let (script, _) = given.export("image_block", "linear.sh", &["--form", "dm-linear"]);
    let linear =
        format!("sh {} linear\nmount -t erofs -o ro /dev/mapper/linear /mnt\n", script.display());
    rows.push(Row::shown("dm-linear over the tars", linear, &given.merged));
    rows
}

fn bootstraps(folder: &Folder, given: &Given) -> Vec<Row> {
    let mut rows = Vec::new();
    let merge = |name: &str, options: &[&str]| {
        let out = given.path(&format!("{name}.erofs"));
        let args = [&["merge", "-o", out.to_str().unwrap()], options].concat();
        ok(given.over_tars(&args));
        out
    };
    for (name, options) in [
        ("bootstrap", &[][..]),
        ("bootstrap, plain bodies", &["--plain-bodies"]),
        ("bootstrap, a device for each layer", &["--device-per-layer"]),
        ("bootstrap, a checksum", &["--checksum"]),
    ] {
        let image = merge(name, options);
        let said = commands(&image);
        let direct = said.lines().find_map(|line| line.strip_prefix("#   ")).unwrap();
        let by_file = Row::shown(
            format!("{name}, the files themselves"),
            folder.of_files(direct),
            &given.merged,
        )
        .but("6.1", Expect::Refused("Block device required"));
        rows.extend([Row::shown(name, &said, &given.merged), by_file]);
    }
    let image = merge("compact", &["--compact"]);
    rows.push(Row::new("a compact bootstrap", commands(&image), Expect::Refused(MODERN)));
    for (index, tree) in given.layers.iter().enumerate() {
        let out = given.path(&format!("{index}.erofs"));
        ok(["layer", "-o", out.to_str().unwrap(), given.tar(index)]);
        rows.push(Row::shown(format!("bootstrap of layer {index}"), commands(&out), tree));
    }
    rows
}

/// Disks of sectors of their own, and one that has the files of a bootstrap one behind the other.
fn disks_of_guests(given: &Given) -> Vec<Row> {
    let mount = |serial: &str| format!("mount -t erofs -o ro /disks/{serial} /mnt\n");
    let shown = |name: &str, serial: &str| Row::shown(name, mount(serial), &given.merged);
    let (small, _) = given.export("image_block", "small-sectors.disk", &[]);
    let (large, _) = given.export("image_block", "large-sectors.disk", &["--block-size", "4096"]);
    let (vmdk, _) = given.export("image_block", "plain.vmdk", &["--form", "vmdk"]);
    let refused = Expect::Refused("failed to set erofs blksize");
    let mut rows = vec![
        shown("512 on sectors of 512", "small").disk("small", &small),
        shown("4096 on sectors of 4096", "large").disk_of("large", &large, "raw", 4096),
        Row::new("512 on sectors of 4096", mount("wrong"), refused)
            .disk_of("wrong", &small, "raw", 4096),
        shown("vmdk over the tars", "plain-vmdk").disk_of("plain-vmdk", &vmdk, "vmdk", 512),
        concatenated(given),
    ];
    rows.extend(partitions(given));
    rows
}

/// The layers' disks as partitions of one, found by their names; over the tars, by their numbers.
fn partitions(given: &Given) -> Vec<Row> {
    let mut rows = Vec::new();
    let (disk, report) = given.export("layer_block", "layers.gpt", &["--gpt"]);
    let partitions = report["partitions"].as_array().unwrap();
    for (index, (partition, tree)) in partitions.iter().zip(&given.layers).enumerate() {
        let guid = partition["guid"].as_str().unwrap();
        let script = format!("mount -t erofs -o ro /dev/disk/by-partuuid/{guid} /mnt\n");
        rows.push(Row::shown(format!("layer {index} in a partition"), script, tree));
    }
    rows[0] = rows[0].clone().disk("gpt", &disk);
    let (disk, _) = given.export("layer_block", "layers.vmdk", &["--gpt", "--form", "vmdk"]);
    let number = LARGE + 1;
    let script = format!("mount -t erofs -o ro $(readlink /disks/gpt-vmdk){number} /mnt\n");
    let row = Row::shown("a layer in a partition over its tar", script, &given.layers[LARGE]);
    rows.push(row.disk_of("gpt-vmdk", &disk, "vmdk", 512));
    rows
}

/// What Kata and nerdbox make: a bootstrap and its tars, one behind the other. Its table of devices
/// is for Linux 6.4 and later, if no devices are named.
fn concatenated(given: &Given) -> Row {
    let image = given.path("concatenated.erofs");
    ok(given.over_tars(&["merge", "--device-per-layer", "-o", image.to_str().unwrap()]));
    let mut bytes = fs::read(&image).unwrap();
    for index in 0..given.layers.len() {
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes.extend_from_slice(given.bytes(index));
    }
    let disk = given.path("concatenated.disk");
    fs::write(&disk, bytes).unwrap();
    let script = "mount -t erofs -o ro /disks/concatenated /mnt\n";
    Row::shown("a bootstrap and its tars, one behind the other", script, &given.merged)
        .but("6.1", Expect::Refused("No such file or directory"))
        .disk("concatenated", &disk)
}

/// A random stack, as a bootstrap and as a disk.
fn random(folder: &Folder, seed: u64) -> [Row; 2] {
    let given = Given::new(folder, Stack::random(seed));
    let bootstrap = given.path("image.erofs");
    ok(given.over_tars(&["merge", "-o", bootstrap.to_str().unwrap()]));
    let placement = if seed.is_multiple_of(2) { "metadata-first" } else { "data-first" };
    let (disk, _) = given.export("image_block", "image.disk", &["--placement", placement]);
    let row = |what: &str, file: &Path, tree: &Arc<Tree>| {
        Row::shown(format!("random stack {seed}, {what}"), commands(file), tree)
    };
    [row("bootstrap", &bootstrap, &given.merged), row("disk", &disk, &given.merged)]
}
