//! Rows, and the table of them.

use crate::bench::Bench;
use crate::format::{bytes, ratio, seconds};
use crate::machine;
use crate::measure::Runs;

/// A comparison, or a figure of ours beside a limit.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) what: String,
    pub(crate) ours: Side,
    pub(crate) peer: Side,
    pub(crate) judged: Judged,
    /// Runs that count.
    pub(crate) runs: usize,
}

/// What one of both did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Side {
    pub(crate) who: String,
    /// What is compared, with its unit.
    pub(crate) figure: String,
    cpu: Option<f64>,
    peak: Option<u64>,
    output: u64,
    written: Option<u64>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) enum Judged {
    /// Ours divided by the peer's: the median of neighbours, the least and the greatest; and what
    /// it may be at most.
    Ratio { median: f64, least: f64, most: f64, bar: f64 },
    /// A figure, and what it may be at most or, with `at_least`, must be.
    Limit { value: f64, limit: f64, at_least: bool, unit: &'static str },
    /// Nothing to compare with.
    NotInstalled { bar: f64 },
    /// No figure, and why.
    Failed(String),
}

impl Side {
    /// A side of which nothing but the name is known.
    pub(crate) fn named(who: impl Into<String>) -> Self {
        Self { who: who.into(), figure: "–".to_owned(), ..Self::default() }
    }

    /// A side with this figure.
    pub(crate) fn new(runs: &Runs, figure: String) -> Self {
        let last = runs.last();
        Self {
            who: runs.label.clone(),
            figure,
            cpu: runs.cpu(),
            peak: runs.peak(),
            output: last.output,
            written: last.written,
        }
    }
}

impl Row {
    pub(crate) fn failed(group: &'static str, why: String) -> Self {
        let (ours, peer) = (Side::named("tarfs"), Side::named(""));
        Self { group, what: group.to_owned(), ours, peer, judged: Judged::Failed(why), runs: 0 }
    }

    /// Why it has no figure, if it should have one.
    pub(crate) fn failure(&self) -> Option<String> {
        match &self.judged {
            Judged::Failed(why) => Some(format!("{}: {why}", self.what)),
            _ => None,
        }
    }

    /// Whether the bar is held, if that can be said.
    pub(crate) fn held(&self) -> Option<bool> {
        match self.judged {
            Judged::Ratio { median, bar, .. } => Some(median <= bar),
            Judged::Limit { value, limit, at_least: true, .. } => Some(value >= limit),
            Judged::Limit { value, limit, .. } => Some(value <= limit),
            _ => None,
        }
    }

    /// `1/7.4 (1/7.6–1/7.1)`.
    pub(crate) fn ratio(&self) -> String {
        match &self.judged {
            Judged::Ratio { median, least, most, .. } => {
                format!("{} ({}–{})", ratio(*median), ratio(*least), ratio(*most))
            }
            Judged::Limit { .. } | Judged::NotInstalled { .. } => "–".to_owned(),
            Judged::Failed(_) => "FAILED".to_owned(),
        }
    }

    pub(crate) fn bar(&self) -> String {
        match &self.judged {
            Judged::Ratio { bar, .. } | Judged::NotInstalled { bar } => {
                format!("≤ {}", ratio(*bar))
            }
            Judged::Limit { limit, at_least, unit, .. } => {
                format!("{} {limit} {unit}", if *at_least { "≥" } else { "≤" })
            }
            Judged::Failed(_) => "–".to_owned(),
        }
    }

    /// `yes`, `NO`, or a dash.
    pub(crate) fn verdict(&self, bench: &Bench) -> &'static str {
        match self.held() {
            Some(_) if bench.quick => "–",
            Some(true) => "yes",
            Some(false) => "NO",
            None => "–",
        }
    }

    fn cells(&self, bench: &Bench) -> [String; COLUMNS.len()] {
        let peer = match self.peer.figure.as_str() {
            "–" => self.peer.who.clone(),
            figure => format!("{} {figure}", self.peer.who),
        };
        let pair = |of: &dyn Fn(&Side) -> Option<String>| match (of(&self.ours), of(&self.peer)) {
            (None, None) => "–".to_owned(),
            (ours, None) => ours.unwrap_or_default(),
            (ours, peer) => {
                format!("{} / {}", ours.as_deref().unwrap_or("–"), peer.as_deref().unwrap_or("–"))
            }
        };
        let some = |count: u64| (count > 0).then(|| bytes(count));
        [
            self.what.clone(),
            self.ours.figure.clone(),
            peer,
            self.ratio(),
            self.bar(),
            self.verdict(bench).to_owned(),
            pair(&|side| side.cpu.map(cpu)),
            pair(&|side| side.peak.map(bytes)),
            pair(&|side| some(side.output)),
            pair(&|side| side.written.and_then(some)),
            if self.runs == 0 { "–".to_owned() } else { self.runs.to_string() },
        ]
    }
}

/// GNU time counts in hundredths of a second.
fn cpu(value: f64) -> String {
    if value < 0.01 { "< 10 ms".to_owned() } else { seconds(value) }
}

const COLUMNS: [&str; 11] = [
    "row",
    "ours",
    "peer",
    "ratio",
    "bar",
    "held",
    "CPU",
    "peak memory",
    "output",
    "written",
    "runs",
];

/// What the figures mean, and where they are from.
pub(crate) fn notes(bench: &Bench) -> Vec<String> {
    let mut notes = vec![machine::line()];
    let peers = bench.tools.peers();
    let inflates = if crate::tools::HAS_ISAL { "ISA-L" } else { "zlib-rs" };
    let peers = peers.map(crate::tools::Peer::title).join(", ");
    notes.push(format!("{peers}; ours inflates gzip by {inflates}"));
    notes.push(
        "Wall time of whole processes, unless a row says otherwise; pairs are ours / peer's. \
         Ratio: median of neighbouring runs (least–greatest)."
            .to_owned(),
    );
    if !bench.plan.has_time() {
        notes.push("CPU time and memory are not measured: GNU time is not installed.".to_owned());
    }
    if bench.quick {
        notes.push("QUICK: small sizes, on which the bars are not judged.".to_owned());
    }
    notes
}

/// For a terminal.
pub(crate) fn text(rows: &[Row], bench: &Bench) -> String {
    let head = COLUMNS.map(str::to_owned);
    let table: Vec<_> =
        std::iter::once(head).chain(rows.iter().map(|row| row.cells(bench))).collect();
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..COLUMNS.len()).filter_map(width).collect();
    let mut text = String::new();
    for row in &table {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    for note in notes(bench) {
        text.push_str(&note);
        text.push('\n');
    }
    text
}

/// For a page.
pub(crate) fn markdown(rows: &[Row], bench: &Bench) -> String {
    let mut text = format!("| {} |\n|{}\n", COLUMNS.join(" | "), "---|".repeat(COLUMNS.len()));
    for row in rows {
        text.push_str(&format!("| {} |\n", row.cells(bench).join(" | ")));
    }
    for note in notes(bench) {
        text.push_str(&format!("\n{note}\n"));
    }
    text
}
