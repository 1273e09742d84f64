//! The rows as bars: each row has a scale of its own, the longer of both fills it.

use crate::bench::Bench;
use crate::report::{Judged, Row, notes};
use crate::svg::{Anchor, Svg};

const WIDTH: f64 = 920.0;
const MARGIN: f64 = 24.0;
/// Where bars begin and how long they can be; the figures stand behind them.
const BARS: (f64, f64) = (MARGIN + 16.0, 620.0);
const THICK: f64 = 15.0;
const ROW: f64 = 66.0;

const INK: &str = "#1f2328";
const FAINT: &str = "#59636e";
const PEER: &str = "#c8ced6";
const OURS: &str = "#2f6fbf";
const MISSED: &str = "#c2410c";

pub(crate) fn picture(rows: &[Row], bench: &Bench) -> String {
    let title = "erofs-tarfs beside what is installed";
    let mut svg = Svg::default();
    svg.text((MARGIN, 36.0), (20, INK), Anchor::Start, title);
    let mut y = 56.0;
    for note in notes(bench) {
        svg.text((MARGIN, y), (12, FAINT), Anchor::Start, &note);
        y += 17.0;
    }
    svg.rect((MARGIN, y), (12.0, 10.0), OURS);
    svg.text((MARGIN + 18.0, y + 10.0), (12, INK), Anchor::Start, "ours");
    svg.rect((MARGIN + 70.0, y), (12.0, 10.0), PEER);
    svg.text((MARGIN + 88.0, y + 10.0), (12, INK), Anchor::Start, "peer");
    svg.line(&[(MARGIN + 140.0, y - 3.0), (MARGIN + 140.0, y + 13.0)], INK, 1.5, "3 2");
    let text =
        "the bar that ours is held to; ours in red misses it. Shorter is better, but for rates.";
    svg.text((MARGIN + 148.0, y + 10.0), (12, INK), Anchor::Start, text);
    y += 34.0;
    for row in rows {
        y += draw(&mut svg, y, row, bench);
    }
    svg.finish(title, (WIDTH, y + 8.0))
}

/// Draws a row, and says how high it is.
fn draw(svg: &mut Svg, y: f64, row: &Row, bench: &Bench) -> f64 {
    svg.text((MARGIN, y + 12.0), (14, INK), Anchor::Start, &row.what);
    let verdict = match row.verdict(bench) {
        "–" => String::new(),
        "yes" => ", held".to_owned(),
        _ => ", NOT HELD".to_owned(),
    };
    let ratio = match row.judged {
        Judged::Ratio { median, .. } => format!("{}, ", crate::format::ratio(median)),
        _ => String::new(),
    };
    let colour = if verdict.starts_with(", NOT") { MISSED } else { INK };
    let right = format!("{ratio}bar {}{verdict}", row.bar());
    svg.text((WIDTH - MARGIN, y + 12.0), (13, colour), Anchor::End, &right);

    let top = y + 20.0;
    let (ours, peer, bar) = match &row.judged {
        Judged::Ratio { median, bar, .. } => (*median, Some(1.0), *bar),
        Judged::Limit { value, limit, .. } => (value / limit, None, 1.0),
        Judged::NotInstalled { bar } => (0.0, None, *bar),
        Judged::Failed(_) => {
            svg.text((BARS.0, top + 12.0), (12, MISSED), Anchor::Start, "FAILED");
            return ROW;
        }
    };
    let longest = ours.max(peer.unwrap_or(0.0)).max(bar);
    let length = |value: f64| value / longest * BARS.1;
    let fill = if colour == MISSED { MISSED } else { OURS };
    let label = |svg: &mut Svg, y: f64, length: f64, text: &str| {
        svg.text((BARS.0 + length + 6.0, y + 12.0), (12, INK), Anchor::Start, text);
    };
    svg.rect((BARS.0, top), (length(ours).max(1.0), THICK), fill);
    let tick = BARS.0 + length(bar);
    match peer {
        Some(peer) => {
            let second = top + THICK + 2.0;
            svg.rect((BARS.0, second), (length(peer), THICK), PEER);
            let text = format!("{} {}", row.peer.who, row.peer.figure);
            match length(peer) {
                // At its end, in it: there the tick of the bar is not.
                long if long > 400.0 => {
                    svg.text((BARS.0 + long - 6.0, second + 12.0), (12, INK), Anchor::End, &text);
                }
                short => label(svg, second, short.max(length(bar)), &text),
            }
        }
        None if matches!(row.judged, Judged::NotInstalled { .. }) => {
            svg.text((BARS.0, top + THICK + 14.0), (12, FAINT), Anchor::Start, &row.peer.who);
        }
        None => {}
    }
    let alone = matches!(row.judged, Judged::Limit { .. });
    let bars = if alone { 1.0 } else { 2.0 };
    if !matches!(row.judged, Judged::NotInstalled { .. }) {
        let bottom = top + bars * (THICK + 2.0) + 1.0;
        svg.line(&[(tick, top - 3.0), (tick, bottom)], INK, 1.5, "3 2");
    }
    // Behind the bar and its tick.
    let behind = length(ours).max(if (tick - BARS.0 - length(ours)).abs() < 150.0 {
        length(bar)
    } else {
        0.0
    });
    label(svg, top, behind, &format!("{} {}", row.ours.who, row.ours.figure));
    if alone { ROW - THICK - 2.0 } else { ROW }
}
