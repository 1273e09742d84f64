//! What was measured, made a row.

use crate::done::Done;
use crate::format::{bytes, seconds};
use crate::measure::{Runs, Sample, median};
use crate::report::{Judged, Row, Side};

/// Ours beside the peer's, or beside nothing, by a figure of each run.
pub(super) fn compared(
    (group, what): (&'static str, String),
    ours: &Runs,
    peer: Result<&Runs, String>,
    bar: f64,
    figure: &dyn Fn(&Sample) -> f64,
    shown: &dyn Fn(f64) -> String,
) -> Row {
    let middle = |runs: &Runs| shown(median(runs.samples.iter().map(figure).collect()));
    let side = |runs: &Runs| Side::new(runs, middle(runs));
    let runs = ours.samples.len();
    match peer {
        Err(missing) => {
            let judged = Judged::NotInstalled { bar };
            Row { group, what, ours: side(ours), peer: Side::named(missing), judged, runs }
        }
        Ok(peer) => {
            let pairs = ours.samples.iter().zip(&peer.samples);
            let ratios = pairs.map(|(ours, peer)| figure(ours) / figure(peer));
            let judged = judged(ratios.collect(), bar);
            Row { group, what, ours: side(ours), peer: side(peer), judged, runs }
        }
    }
}

pub(super) fn judged(ratios: Vec<f64>, bar: f64) -> Judged {
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    Judged::Ratio { median: median(ratios), least, most, bar }
}

/// By wall time.
pub(super) fn timed(
    title: (&'static str, String),
    ours: &Runs,
    peer: Result<&Runs, String>,
    bar: f64,
) -> Row {
    compared(title, ours, peer, bar, &|sample| sample.wall, &seconds)
}

/// By peak memory.
pub(super) fn peaks(
    title: (&'static str, String),
    ours: &Runs,
    peer: Result<&Runs, String>,
    bar: f64,
) -> Row {
    let peak = |sample: &Sample| sample.peak.unwrap_or_default() as f64;
    compared(title, ours, peer, bar, &peak, &|peak| bytes(peak as u64))
}

/// A figure of ours beside a limit.
pub(super) fn limited(
    (group, what): (&'static str, String),
    ours: &Runs,
    figure: String,
    judged: Judged,
) -> Row {
    let (ours, runs) = (Side::new(ours, figure), ours.samples.len());
    Row { group, what, ours, peer: Side::named("–"), judged, runs }
}

/// The peer's runs among those of a race, or that it is not installed.
pub(super) fn found<'a>(runs: &'a [Runs], at: usize, name: &str) -> Result<&'a Runs, String> {
    runs.get(at).ok_or_else(|| format!("{name}: not installed"))
}

/// That all ended with the same root hash, which is it.
pub(super) fn same_root<'a>(runs: impl IntoIterator<Item = &'a Runs>) -> Done<String> {
    let mut first: Option<(&str, String)> = None;
    for run in runs {
        for sample in &run.samples {
            let root = sample.stdout.lines().find_map(root_hash);
            let root = root.ok_or_else(|| format!("{}: no root hash in its output", run.label))?;
            match &first {
                None => first = Some((&run.label, root)),
                Some((_, same)) if *same == root => {}
                Some((label, other)) => {
                    let this = &run.label;
                    return Err(format!("{label} has the root hash {other}, {this} has {root}"));
                }
            }
        }
    }
    first.map(|(_, root)| root).ok_or_else(|| "nothing was run".to_owned())
}

/// `Root hash: HEX`, in any spacing and case.
fn root_hash(line: &str) -> Option<String> {
    let (key, value) = line.split_once(':')?;
    let value = value.trim();
    let is_root = key.trim().eq_ignore_ascii_case("root hash") && value.len() == 64;
    is_root.then(|| value.to_owned())
}
