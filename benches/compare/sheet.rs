//! The scaling sheet, as tables and as curves on logarithmic axes.

use crate::bench::Bench;
use crate::format::{bytes, seconds, thousands, three};
use crate::machine;
use crate::scaling::{Panel, Step};
use crate::svg::{Anchor, Svg};

const HEAD: [&str; 6] = ["", "CPU time", "slope", "each", "peak memory", "slope"];

fn rows(panel: &Panel) -> Vec<[String; HEAD.len()]> {
    let dash = || "–".to_owned();
    let before = std::iter::once(None).chain(panel.steps.iter().map(Some));
    let row = |(step, before): (&Step, Option<&Step>)| {
        let slopes = before.map(|before| step.slopes(before));
        [
            format!("{} {}", thousands(step.size), panel.unit),
            seconds(step.seconds),
            slopes.map_or_else(dash, |(time, _)| format!("{time:.2}")),
            seconds(step.seconds / step.size as f64),
            step.peak.map_or_else(dash, bytes),
            slopes.and_then(|(_, memory)| memory).map_or_else(dash, |slope| format!("{slope:.2}")),
        ]
    };
    panel.steps.iter().zip(before).map(row).collect()
}

const NOTE: &str = "Slope: the exponent from the step before to this one. 1 is linear, 0 constant; \
                    small steps show what a process costs anyway.";

/// For a terminal.
pub(crate) fn text(panels: &[Panel], bench: &Bench) -> String {
    let mut text = String::new();
    for panel in panels {
        text.push_str(&format!("{} ({})\n", panel.title, panel.how));
        for row in std::iter::once(HEAD.map(str::to_owned)).chain(rows(panel)) {
            let cells: Vec<_> = row.iter().map(|cell| format!("{cell:>18}")).collect();
            text.push_str(&format!("{}\n", cells.join("")));
        }
        text.push('\n');
    }
    format!("{text}{NOTE}\n{}{}\n", machine::line(), quick(bench))
}

/// For a page.
pub(crate) fn markdown(panels: &[Panel], bench: &Bench) -> String {
    let mut text = String::new();
    for panel in panels {
        text.push_str(&format!("{}: {}.\n\n", panel.title, panel.how));
        text.push_str(&format!("| {} |\n|{}\n", HEAD.join(" | "), "---:|".repeat(HEAD.len())));
        rows(panel).iter().for_each(|row| text.push_str(&format!("| {} |\n", row.join(" | "))));
        text.push('\n');
    }
    format!("{text}{NOTE}\n\n{}{}\n", machine::line(), quick(bench))
}

fn quick(bench: &Bench) -> &'static str {
    if bench.quick { "; QUICK: small sizes" } else { "" }
}

const INK: &str = "#1f2328";
const FAINT: &str = "#8a939e";
const GRID: &str = "#e3e6ea";
const TIME: &str = "#2f6fbf";
const MEMORY: &str = "#c2410c";
/// A panel, and the plot in it: left, top, width, height.
const PANEL: (f64, f64) = (640.0, 290.0);
const PLOT: (f64, f64, f64, f64) = (84.0, 44.0, 470.0, 196.0);

/// One panel below the other.
pub(crate) fn picture(panels: &[Panel], bench: &Bench) -> String {
    let title = "How erofs-tarfs scales";
    let mut svg = Svg::default();
    svg.text((20.0, 34.0), (20, INK), Anchor::Start, title);
    let line = format!("{}{}", machine::line(), quick(bench));
    svg.text((20.0, 54.0), (12, "#59636e"), Anchor::Start, &line);
    let mut top = 70.0;
    for panel in panels {
        draw(&mut svg, top, panel);
        top += PANEL.1;
    }
    svg.finish(title, (PANEL.0, top + 10.0))
}

fn draw(svg: &mut Svg, top: f64, panel: &Panel) {
    let (left, plot_top, width, height) = (PLOT.0, top + PLOT.1, PLOT.2, PLOT.3);
    svg.text((20.0, top + 22.0), (14, INK), Anchor::Start, &panel.title);
    let time: Vec<_> = panel.steps.iter().map(|step| (step.size as f64, step.seconds)).collect();
    let memory = |step: &Step| Some((step.size as f64, step.peak? as f64));
    let memory: Vec<_> = panel.steps.iter().filter_map(memory).collect();
    let (first, last) = (decade(time[0].0).0, decade(time[time.len() - 1].0).1);
    let x = |size: f64| left + (size.log10() - first) / (last - first).max(1.0) * width;
    for power in first as i32..=last as i32 {
        let at = x(10_f64.powi(power));
        svg.line(&[(at, plot_top), (at, plot_top + height)], GRID, 1.0, "");
        let text = thousands(10_u64.pow(power.max(0) as u32));
        svg.text((at, plot_top + height + 16.0), (11, INK), Anchor::Middle, &text);
    }
    let middle = left + width / 2.0;
    svg.text((middle, plot_top + height + 32.0), (12, INK), Anchor::Middle, panel.unit);
    let curves = [
        (time, TIME, left - 8.0, Anchor::End),
        (memory, MEMORY, left + width + 8.0, Anchor::Start),
    ];
    for (index, (points, colour, edge, anchor)) in curves.into_iter().enumerate() {
        if points.is_empty() {
            continue;
        }
        let ys = points.iter().map(|point| point.1);
        let low = decade(ys.clone().fold(f64::INFINITY, f64::min)).0;
        let high = decade(ys.fold(0.0, f64::max)).1;
        // As many decades as there are sizes, so that linear growth runs corner to corner at most.
        let span = (high - low).max(last - first).max(1.0);
        let y = |value: f64| plot_top + height - (value.log10() - low) / span * height;
        for power in low as i32..=(low + span) as i32 {
            let value = 10_f64.powi(power);
            let text = if index == 0 { decimal(value) } else { mebibytes(value) };
            svg.text((edge, y(value) + 4.0), (11, colour), anchor, &text);
            if index == 0 {
                svg.line(&[(left, y(value)), (left + width, y(value))], GRID, 1.0, "");
            }
        }
        let (from, to) = (points[0], points[points.len() - 1]);
        if index == 0 {
            // Linear growth that ends where the curve ends.
            let floor = 10_f64.powf(low);
            let begin = from.0.max(to.0 * floor / to.1);
            let begin = (begin, to.1 * begin / to.0);
            svg.line(&[(x(begin.0), y(begin.1)), (x(to.0), y(to.1))], FAINT, 1.0, "4 3");
        }
        let points: Vec<_> = points.iter().map(|(size, value)| (x(*size), y(*value))).collect();
        svg.line(&points, colour, 2.0, "");
        points.iter().for_each(|point| svg.dot(*point, colour));
    }
    let legend = [("CPU time", TIME, 152.0), ("peak memory", MEMORY, 56.0), ("linear", FAINT, 0.0)];
    for (text, colour, back) in legend {
        svg.text((left + width - back, top + 38.0), (12, colour), Anchor::End, text);
    }
}

/// The decades that a value lies between.
fn decade(value: f64) -> (f64, f64) {
    let log = value.max(1e-9).log10();
    (log.floor(), log.ceil())
}

fn decimal(value: f64) -> String {
    match value {
        value if value >= 1.0 => format!("{value:.0} s"),
        value if value >= 1e-3 => format!("{:.0} ms", value * 1e3),
        value => format!("{} µs", three(value * 1e6).trim_end_matches(".00")),
    }
}

/// Powers of ten, as the axis has them.
fn mebibytes(value: f64) -> String {
    match value {
        value if value >= 1e9 => format!("{:.0} GB", value / 1e9),
        value if value >= 1e6 => format!("{:.0} MB", value / 1e6),
        value => format!("{:.0} kB", value / 1e3),
    }
}
