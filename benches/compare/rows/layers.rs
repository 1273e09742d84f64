//! Many layers to one image.

use super::judge::limited;
use crate::bench::Bench;
use crate::done::Done;
use crate::format::{seconds, thousands, three};
use crate::inputs;
use crate::measure::race;
use crate::report::{Judged, Row};

pub(super) fn run(bench: &Bench, rows: &mut Vec<Row>) -> Done {
    let (few, many) =
        if bench.quick { ((2, 5_000), (20, 100)) } else { ((2, 500_000), (500, 2_000)) };
    let title = |(layers, entries): (usize, usize), how: &str| {
        ("merge", format!("{layers} layers of {} entries{how}", thousands(entries as u64)))
    };
    for (layers, entries) in [few, many] {
        let [first, second] = [layers, entries].map(|number| number.to_string());
        let job = bench.tools.job("library", ["merge", &first, &second]).inner();
        let runs = race(&[job], &bench.plan)?;
        let value = (layers * entries) as f64 / runs[0].wall() / 1e6;
        let figure = format!("{} million/s", three(value));
        let judged = Judged::Limit { value, limit: 1.0, at_least: true, unit: "million/s" };
        rows.push(limited(title((layers, entries), " (library)"), &runs[0], figure, judged));
    }

    let out = bench.out("out");
    let layers = inputs::bootstraps(&bench.dir, many.0, many.1)?;
    let runs = race(&[bench.tools.tarfs(["merge", "-o"]).out(&out).args(layers)], &bench.plan)?;
    let value = runs[0].wall();
    let judged = Judged::Limit { value, limit: 0.5, at_least: false, unit: "s" };
    rows.push(limited(title(many, ", files to a file"), &runs[0], seconds(value), judged));
    Ok(())
}
