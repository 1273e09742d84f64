//! An image of five compressed layers becomes a sealed disk, in memory, beside what only decompresses them, one after the
//! other.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

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
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).map_err(failed)?;
    // Moves a file to its place, and says what it is.
    let blob = |file: &Path, media_type: &str| {
        let size = fs::metadata(file).map_err(failed)?.len();
        let hex = digest(bench, file)?;
        let path = blobs.join(&hex);
        fs::rename(file, &path).map_err(failed)?;
        let of = json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": size});
        Done::Ok((of, path))
    };
    let (mut ids, mut layers, mut streams) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..LAYERS {
        let tar = inputs::words(dir, &format!("layer{number}"), size)?;
        ids.push(format!("sha256:{}", digest(bench, &tar)?));
        let stream = dir.join("stream");
        compress(&["gzip", "-6", "-c"], &tar, &stream)?;
        fs::remove_file(tar).map_err(failed)?;
        let (layer, path) = blob(&stream, "application/vnd.oci.image.layer.v1.tar+gzip")?;
        layers.push(layer);
        streams.push(path);
    }
    let config = json!({
        "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids},
    });
    let document = dir.join("document");
    let put = |value: &serde_json::Value| fs::write(&document, value.to_string()).map_err(failed);
    put(&config)?;
    let (config, _) = blob(&document, "application/vnd.oci.image.config.v1+json")?;
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    put(&json!({
        "schemaVersion": 2, "mediaType": manifest_type, "config": config, "layers": layers,
    }))?;
    let (manifest, _) = blob(&document, manifest_type)?;
    put(&json!({"schemaVersion": 2, "manifests": [manifest]}))?;
    fs::rename(&document, dir.join("index.json")).map_err(failed)?;
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).map_err(failed)?;
    Ok((format!("oci:{}", dir.display()), streams))
}

/// The SHA-256 of a file in hex, by another process as all jobs.
fn digest(bench: &Bench, file: &Path) -> Done<String> {
    let done = bench.tools.job("SHA-256", ["sha256"]).piped(file).run(&bench.plan)?;
    Ok(done.stdout.trim().to_owned())
}
