//! Presets × block sizes through dm-verity, opened as the tool says: by the commands of `mount-args`,
//! and by the table of the report. What `export` refuses is refused by Linux too.

mod broken;
mod damage;
mod elsewhere;
mod preset;
mod sealed;

use std::path::Path;

use serde_json::Value;

use self::preset::{Preset, presets};
use self::sealed::{Sealed, Way};
use crate::given::Given;
use crate::layers::LARGE;
use crate::row::{Expect, Row};
use crate::run::run;

pub(crate) fn rows(given: &Given) -> Vec<Row> {
    let mut rows = Vec::new();
    for preset in &presets() {
        for block in preset.blocks {
            match preset.data_block > *block {
                true => rows.push(refused(given, preset, *block)),
                false => rows.extend(accepted(given, preset, *block)),
            }
        }
    }
    rows.extend(elsewhere::partitions(given, &presets()[0]));
    rows.extend(elsewhere::volumes(given));
    rows.extend(elsewhere::over_tars(given));
    spread(rows, broken::rows(given, &presets()))
}

/// Puts the one kind of rows among the other, evenly: what dm-verity says of damage, Linux logs ten times
/// in five seconds at most.
fn spread(others: Vec<Row>, rows: Vec<Row>) -> Vec<Row> {
    let each = others.len().div_ceil(rows.len());
    let groups = others.chunks(each).map(<[Row]>::to_vec);
    let mut damaged = rows.into_iter();
    let mut all: Vec<Row> =
        groups.flat_map(|group| group.into_iter().chain(damaged.next())).collect();
    all.extend(damaged);
    all
}

/// Every sealed form of a preset over one block size.
fn accepted(given: &Given, preset: &Preset, block: u32) -> Vec<Row> {
    let mut rows = Vec::new();
    let title = format!("{} over {block}", preset.name);
    let block = block.to_string();
    let options = [&preset.options[..], &["--block-size", &block]].concat();
    let plain = ["--block-size", &*block];
    let mut add =
        |what: &str, disk: &Path, hash: Option<&Path>, report: &Value, tree, ways: &[Way]| {
            let name = format!("{title}: {what}");
            let sealed = Sealed { name, disk, hash, preset, report: &report["verity"], tree };
            rows.extend(ways.iter().map(|way| sealed.by(*way)));
        };
    for (placement, ways) in
        [("metadata-first", &[Way::Commands, Way::Table][..]), ("data-first", &[Way::Table])]
    {
        let more = [&options[..], &["--placement", placement]].concat();
        let name = format!("{title} {placement}.disk");
        let (disk, report) = given.export("image_block_with_verity", &name, &more);
        add(&format!("image, {placement}"), &disk, None, &report, &given.merged, ways);
    }
    let (tree, report) = given.export("image_verity_only", &format!("{title}.verity"), &options);
    let (disk, _) = given.export("image_block", &format!("{title}.disk"), &plain);
    add("image, its tree alone", &disk, Some(&tree), &report, &given.merged, &[Way::Commands]);

    let shown = &given.layers[LARGE];
    let name = format!("{title} layer.sealed");
    let (disk, report) = given.export_layer(LARGE, "layer_block_with_verity", &name, &options);
    add("layer", &disk, None, &report, shown, &[Way::Commands, Way::Table]);
    let name = format!("{title} layer.verity");
    let (tree, report) = given.export_layer(LARGE, "layer_verity_only", &name, &options);
    let name = format!("{title} layer.disk");
    let (disk, _) = given.export_layer(LARGE, "layer_block", &name, &plain);
    add("layer, its tree alone", &disk, Some(&tree), &report, shown, &[Way::Table]);
    rows
}

/// Data blocks above the filesystem's: the tool says what to do instead, and Linux refuses the disk.
fn refused(given: &Given, preset: &Preset, block: u32) -> Row {
    let title = format!("{} over {block}: refused", preset.name);
    let out = given.path(&format!("{title}.disk"));
    let size = block.to_string();
    let base = ["export", "--mode", "image_block_with_verity", "--block-size", &size];
    let args = [&base[..], &preset.options, &["-o", out.to_str().unwrap()]].concat();
    let ran = run(given.over_tars(&args));
    assert_eq!(ran.code, 2, "{title}: {}", ran.stderr);
    let ways = [
        format!("--data-block-size {block}"),
        format!("--block-size {}", preset.data_block),
        "--any-data-block".to_owned(),
    ];
    assert!(ways.iter().all(|way| ran.stderr.contains(way)), "{title}: {}", ran.stderr);
    assert!(!out.exists(), "{title}");
    let more = [&preset.options[..], &["--block-size", &size, "--any-data-block"]].concat();
    let (_, report) = given.export("image_block_with_verity", &format!("{title}.disk"), &more);
    let open = report["verity"]["veritysetup"].as_str().unwrap();
    let name = open.split(' ').nth(3).unwrap();
    // The mount fails, and not the opening.
    let script = format!("{open} || exit 0\nmount -t erofs -o ro /dev/mapper/{name} /mnt\n");
    Row::new(title, script, Expect::Refused("failed to set erofs blksize"))
}
