//! An image of five compressed layers becomes a sealed disk, in memory, beside what only decompresses them, one after the
//! other.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::oci;

use super::compressed::compress;
use super::judge::{found, timed};
use crate::bench::Bench;
use crate::done::Done;
use crate::format::bytes;
use crate::inputs::{self, Fleeting};
use crate::measure::{Work, race};
use crate::path::in_path;
use crate::report::Row;

const LAYERS: usize = 5;

/// How much longer than decompressing it may take.
const BAR: f64 = 1.15;

/// What other programs do only in part.
const IGZIP: &str = r#"for layer; do igzip -dc "$layer" >/dev/null || exit; done"#;

pub(super) fn run(bench: &Bench, rows: &mut Vec<Row>) -> Done {
    let size = if bench.quick { 1 << 20 } else { 88 << 20 };
    let memory = Fleeting::new(&bench.tmpfs)?;
    let (image, streams) = match layout(bench, &memory.0, size) {
        Ok(image) => image,
        Err(why) => {
            rows.push(Row::failed("image", why));
            return Ok(());
        }
    };
    let out = memory.0.join("disk");
    let mode = ["export", "--mode", "image_block_with_verity"];
    let placements = ["metadata-first", "data-first"];
    let mut works: Vec<Work> = placements
        .map(|placement| {
            let work = bench.tools.tarfs(mode).args(["--placement", placement, "--json", "-o"]);
            work.out(&out).arg(&image)
        })
        .into();
    if in_path("igzip").is_some() {
        works.push(Work::new("igzip", ["sh", "-c", IGZIP, "sh"]).args(streams));
    }
    let runs = race(&works, &bench.plan)?;
    for (placement, ours) in placements.iter().zip(&runs) {
        let all = bytes(size * LAYERS as u64);
        let what = format!(
            "oci: image of {LAYERS} gzip layers to a sealed disk, {placement}, {all}, tmpfs"
        );
        rows.push(timed(("image", what), ours, found(&runs, placements.len(), "igzip"), BAR));
    }
    Ok(())
}

/// An image layout of layers that are made for it: the argument that names it, and the compressed layers.
fn layout(bench: &Bench, dir: &Path, size: u64) -> Done<(String, Vec<PathBuf>)> {
    let failed = |error: std::io::Error| format!("{}: {error}", dir.display());
    let (mut layers, mut streams) = (Vec::new(), Vec::new());
    for number in 0..LAYERS {
        let tar = inputs::words(dir, &format!("layer{number}"), size)?;
        let diff_id = bench.tools.job("SHA-256", ["sha256"]).piped(&tar).run(&bench.plan)?.stdout;
        let stream = tar.with_extension("gz");
        compress(&["gzip", "-6", "-c"], &tar, &stream)?;
        fs::remove_file(tar).map_err(failed)?;
        layers.push((fs::read(&stream).map_err(failed)?, diff_id.trim().to_owned()));
        streams.push(stream);
    }
    let image = dir.join("image");
    oci::write_layout_of(&image, "image.layer.v1.tar+gzip", &layers).map_err(failed)?;
    Ok((format!("oci:{}", image.display()), streams))
}
