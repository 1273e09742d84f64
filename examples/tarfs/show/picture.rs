//! Files drawn to scale, as SVG: bars that stand side by side, all to one scale.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::show::segments::Kind;
use crate::show::svg::{self, END};

/// A bar: a file, or files on top of each other.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    /// From the top on, one below the other.
    pub(crate) parts: Vec<Part>,
    /// Each part is a file of its own.
    pub(crate) apart: bool,
}

/// A part of a bar.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    /// As it is labelled: for files of their own the address in the image.
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) what: String,
}

const MARGIN: f64 = 24.0;
/// Width of a bar, and of all with its labels.
const BAR: f64 = 110.0;
const COLUMN: f64 = 660.0;
/// Where bars begin.
const TOP: f64 = 92.0;
/// A line of text.
const LINE: f64 = 19.0;
const LEAST_HEIGHT: f64 = 460.0;
/// What is thinner, in pixels, gets a mark beside the bar.
const THIN: f64 = 2.0;
/// Labels, from the right end of the bar on: leader, offset and size (their ends), what.
const LABEL: f64 = 44.0;
const OFFSET: f64 = 150.0;
const BYTES: f64 = 256.0;
const WHAT: f64 = 268.0;

/// The picture. The same bars give the same text.
pub(crate) fn draw(bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.parts.len()).max().unwrap_or_default();
    let height = (most as f64 * LINE).max(LEAST_HEIGHT);
    let longest = bars.iter().map(Bar::bytes).max().unwrap_or_default().max(1);
    let mut svg = String::new();
    for (index, bar) in bars.iter().enumerate() {
        let left = MARGIN + index as f64 * COLUMN;
        column(&mut svg, left, height, height / longest as f64, bar);
    }
    let below = TOP + height + 34.0;
    legend(&mut svg, below, bars, longest as f64 / height);
    let (width, height) = (MARGIN + bars.len() as f64 * COLUMN, below + 34.0);
    let title = bars.first().map_or("", |bar| &bar.title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" \
         font-size=\"12\">\n<title>{}</title>\n<defs><pattern id=\"gap\" width=\"6\" height=\"6\" \
         patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect width=\"6\" \
         height=\"6\" fill=\"white\"/><rect width=\"1.5\" height=\"6\" fill=\"#b6bdc6\"/></pattern>\
         </defs>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{svg}</svg>\n",
        svg::escaped(title)
    )
}

impl Bar {
    fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// The parts, each with a shade, 0 or 1: neighbours of one kind differ.
    fn shaded(&self) -> impl Iterator<Item = (&Part, usize)> {
        let mut next = BTreeMap::new();
        self.parts.iter().map(move |part| {
            let shade = next.entry(part.kind).or_insert(1);
            *shade = 1 - *shade;
            (part, *shade)
        })
    }
}

/// A bar, and its labels right of it. `scale` is in pixels a byte.
fn column(svg: &mut String, left: f64, height: f64, scale: f64, bar: &Bar) {
    svg::text(
        svg,
        (left, 34.0),
        "font-size=\"16\" font-weight=\"600\"",
        &svg::shortened(&bar.title, 66),
    );
    svg::text(svg, (left, 54.0), "fill=\"#59636e\"", &bar.subtitle);
    let right = left + BAR;
    let faint = "fill=\"#59636e\" font-size=\"11\"";
    let (offset, whole) =
        if bar.apart { ("address", "files of their own") } else { ("offset", "") };
    svg::text(svg, (left, TOP - 10.0), faint, whole);
    svg::text(svg, (right + OFFSET, TOP - 10.0), &format!("{faint} {END}"), offset);
    svg::text(svg, (right + BYTES, TOP - 10.0), &format!("{faint} {END}"), "bytes");
    let _ = writeln!(svg, "<g data-bytes=\"{}\">", bar.bytes());
    let mut at = 0;
    let mut middles = Vec::new();
    for (part, shade) in bar.shaded() {
        let (y, tall) = (TOP + at as f64 * scale, part.bytes as f64 * scale);
        let dash = if bar.apart { " stroke=\"#1f2328\" stroke-dasharray=\"4 3\"" } else { "" };
        let _ = writeln!(
            svg,
            "<rect data-kind=\"{:?}\" data-offset=\"{}\" data-bytes=\"{}\" x=\"{left}\" y=\"{y:.3}\" \
             width=\"{BAR}\" height=\"{tall:.3}\" fill=\"{}\"{dash}><title>{}: {} bytes at {}</title></rect>",
            part.kind,
            part.offset,
            part.bytes,
            fill(part.kind, shade),
            svg::escaped(&part.what),
            part.bytes,
            part.offset,
        );
        middles.push((y + tall / 2.0, tall));
        at += part.bytes;
    }
    svg.push_str("</g>\n");
    let whole = at as f64 * scale;
    let _ = writeln!(
        svg,
        "<rect x=\"{left}\" y=\"{TOP}\" width=\"{BAR}\" height=\"{whole:.3}\" fill=\"none\" \
         stroke=\"#59636e\" stroke-width=\"0.8\"/>"
    );
    let labels = spread(middles.iter().map(|(middle, _)| *middle), TOP + 8.0, TOP + height);
    for (((middle, tall), label), shaded) in middles.into_iter().zip(labels).zip(bar.shaded()) {
        callout(svg, right, (middle, tall < THIN), label, shaded);
    }
}

/// A part's label, and the line to it.
fn callout(
    svg: &mut String,
    right: f64,
    (middle, thin): (f64, bool),
    label: f64,
    (part, shade): (&Part, usize),
) {
    if thin {
        let (tip, base, colour) = (right, right + 7.0, ink(part.kind, shade));
        let (above, below) = (middle - 3.5, middle + 3.5);
        let _ = writeln!(
            svg,
            "<path d=\"M{tip} {middle:.2}L{base} {above:.2}V{below:.2}Z\" fill=\"{colour}\"/>"
        );
    }
    let (from, to) = (right + if thin { 7.0 } else { 0.0 }, right + LABEL);
    let _ = writeln!(
        svg,
        "<polyline points=\"{from},{middle:.2} {},{middle:.2} {},{label:.2} {to},{label:.2}\" \
         fill=\"none\" stroke=\"#8a939e\" stroke-width=\"0.7\"/>",
        right + 12.0,
        right + LABEL - 8.0,
    );
    let y = label + 4.0;
    let number = |svg: &mut String, x: f64, value: u64| {
        svg::text(svg, (right + x, y), END, &svg::thousands(value));
    };
    number(svg, OFFSET, part.offset);
    number(svg, BYTES, part.bytes);
    let _ = writeln!(
        svg,
        "<rect x=\"{}\" y=\"{:.2}\" width=\"10\" height=\"10\" fill=\"{}\" stroke=\"#8a939e\" stroke-width=\"0.5\"/>",
        right + WHAT,
        label - 5.0,
        fill(part.kind, shade)
    );
    svg::text(svg, (right + WHAT + 16.0, y), "", &svg::shortened(&part.what, 34));
}

/// Places for labels: near these, in this order, a line apart, between top and bottom.
fn spread(wanted: impl Iterator<Item = f64>, top: f64, bottom: f64) -> Vec<f64> {
    let mut places = Vec::new();
    let mut least = top;
    for place in wanted {
        let place = place.max(least);
        places.push(place);
        least = place + LINE;
    }
    let mut most = bottom - 6.0;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - LINE;
    }
    places
}

/// What the colours are, and the scale.
fn legend(svg: &mut String, y: f64, bars: &[Bar], bytes_a_pixel: f64) {
    let scale = match bytes_a_pixel {
        scale if scale >= 10.0 => svg::thousands(scale as u64),
        scale => format!("{scale:.2}"),
    };
    let mut x = MARGIN;
    let note = format!("To scale: {scale} bytes a pixel. ◂ marks what is too thin to be seen.");
    svg::text(svg, (x, y), "", &note);
    let mut kinds: Vec<_> = bars.iter().flat_map(|bar| &bar.parts).map(|part| part.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let name = match kind {
            Kind::Head => "head",
            Kind::Metadata => "metadata",
            Kind::Tar => "tar",
            Kind::Gap => "zeros",
            Kind::HashSuperblock => "verity superblock",
            Kind::HashLevel => "hash level",
            Kind::Unknown => "unknown",
        };
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{}\" width=\"10\" height=\"10\" fill=\"{}\" stroke=\"#8a939e\" stroke-width=\"0.5\"/>",
            y + 10.0,
            fill(kind, 0)
        );
        svg::text(svg, (x + 15.0, y + 19.0), "", name);
        x += 34.0 + 7.0 * name.len() as f64;
    }
}

fn ink(kind: Kind, shade: usize) -> &'static str {
    match (kind, shade) {
        (Kind::Head, _) => "#7a3e9d",
        (Kind::Metadata, _) => "#2f6fbf",
        (Kind::Tar, 0) => "#f0b64a",
        (Kind::Tar, _) => "#d99a24",
        (Kind::Gap, _) => "#8a939e",
        (Kind::HashSuperblock, _) => "#14532d",
        (Kind::HashLevel, 0) => "#3f9d5f",
        (Kind::HashLevel, _) => "#7cc292",
        (Kind::Unknown, _) => "#c8ced6",
    }
}

fn fill(kind: Kind, shade: usize) -> &'static str {
    if kind == Kind::Gap { "url(#gap)" } else { ink(kind, shade) }
}
