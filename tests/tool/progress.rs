//! The line that is shown on a terminal, at a real one: `script` of util-linux has the other end of it.

use std::process::Command;

use testkit::oci::write_layout;
use testkit::registry::Registry;
use testkit::tarball::TarBuilder;

use crate::run::{Place, tool};

/// Columns of the terminal.
const COLUMNS: usize = 100;

/// What a terminal gets to see of a command: its pictures of the line, in their order, and all of its bytes.
struct Seen {
    frames: Vec<Frame>,
    raw: String,
}

/// A picture of the line.
#[derive(Debug, PartialEq)]
struct Frame {
    stage: String,
    done: f64,
    all: f64,
}

/// `1.50 MiB` in bytes.
fn bytes(text: &str) -> f64 {
    let (number, unit) = text.split_once(' ').unwrap_or_else(|| panic!("{text:?} is no length"));
    let power = ["B", "KiB", "MiB", "GiB"].iter().position(|known| *known == unit);
    let power = power.unwrap_or_else(|| panic!("{text:?} has no unit"));
    number.parse::<f64>().unwrap() * 1024_f64.powi(power as i32)
}

/// A picture, if it is one: `writing   ████░░░ 1.5 MiB/3.0 MiB 10 MiB/s …`.
fn frame(text: &str) -> Option<Frame> {
    let (stage, rest) = text.split_once(' ')?;
    let from = rest.rfind(['█', '░'])?;
    let rest = rest[from..].trim_start_matches(['█', '░']).trim_start();
    let (done, rest) = rest.split_once('/')?;
    let all: Vec<&str> = rest.split(' ').take(2).collect();
    Some(Frame { stage: stage.to_owned(), done: bytes(done), all: bytes(&all.join(" ")) })
}

/// Runs the tool at a terminal; what it shows.
fn shown(place: &Place, args: &[&str]) -> Seen {
    at_terminal(place, tool().to_str().unwrap(), args)
}

/// The same of any program.
fn at_terminal(place: &Place, program: &str, args: &[&str]) -> Seen {
    let (log, quoted) = (place.text("typescript"), args.iter().map(|arg| format!(" '{arg}'")));
    let command = format!("stty cols {COLUMNS}; '{program}'{}", quoted.collect::<String>());
    let script = Command::new("script").args(["-qefc", &command, &log]).output().unwrap();
    let raw = std::fs::read_to_string(log).unwrap();
    assert!(script.status.success(), "{raw}");
    // The line is drawn behind a return to its beginning.
    let frames = raw.split(['\r', '\n', '\u{1b}']).filter_map(|text| {
        // What stands behind ESC: [2K clears the line, and so on.
        let text = text.strip_prefix('[').map_or(text, |code| {
            code.trim_start_matches(|c: char| c.is_ascii_digit()).get(1..).unwrap_or_default()
        });
        frame(text)
    });
    Seen { frames: frames.collect(), raw: raw.clone() }
}

/// Tars of so many MiB that are no zeros.
fn tars(place: &Place, sizes: &[usize]) -> Vec<String> {
    let tar = |(number, mib): (usize, &usize)| {
        let body: Vec<u8> = (0..mib << 20).map(|at| (at * 7 + at / 4096) as u8).collect();
        let tar = TarBuilder::new().file(format!("f{number}"), body).finish();
        place.put(&format!("{number}.tar"), &tar)
    };
    sizes.iter().enumerate().map(tar).collect()
}

impl Seen {
    /// Each stage that is shown, once, in the order in which they come first.
    fn stages(&self) -> Vec<&str> {
        let mut stages: Vec<&str> = Vec::new();
        for frame in &self.frames {
            if !stages.contains(&&*frame.stage) {
                stages.push(&frame.stage);
            }
        }
        stages
    }

    /// One line: nothing moves the cursor up or down while it stands, it never goes back, and it fits.
    fn is_one_line(&self) {
        let last = self.raw.rfind(['█', '░']).expect("there is a line");
        let first = self.raw.find(['█', '░']).unwrap();
        let standing = &self.raw[first..last];
        assert!(!standing.contains('\n'), "a second line: {standing:?}");
        for up in ["[A", "[1A", "[B", "[1B", "[F", "[1F"] {
            assert!(!standing.contains(&format!("\u{1b}{up}")), "the cursor moves: {standing:?}");
        }
        for two in self.frames.windows(2) {
            assert!(two[1].done >= two[0].done, "it goes back: {two:?}");
        }
        for frame in &self.frames {
            assert!(frame.done <= frame.all, "{frame:?}");
        }
    }
}

#[test]
fn one_line_over_all_stages() {
    let place = Place::new();
    let (tars, out) = (tars(&place, &[40, 20]), place.text("out"));
    let mut args = vec!["export", "--mode", "image_block_with_verity", "-o", &out];
    args.extend(tars.iter().map(String::as_str));
    let seen = shown(&place, &args);
    seen.is_one_line();
    let stages = seen.stages();
    assert!(stages.starts_with(&["reading", "writing"]), "{stages:?}");
    assert!(stages.ends_with(&["syncing"]) || stages.ends_with(&["hashing"]), "{stages:?}");
    // What is said first of the whole is what it comes to: both tars read, written and hashed. The digests of
    // tars are kept of no reading, as they are read once.
    let (first, last) = (&seen.frames[0], seen.frames.last().unwrap());
    let read = (60 << 20) as f64;
    assert!((first.all / (3.0 * read) - 1.0).abs() < 0.01, "{first:?}");
    assert!((last.all / first.all - 1.0).abs() < 0.01, "{first:?}, {last:?}");
    assert!(last.done == last.all, "{last:?}");
    // The report stands on a line that is empty otherwise.
    assert!(seen.raw.contains("out: "), "{}", seen.raw);
}

/// Layers of a registry are compressed by skopeo, and unpacked several at a time; what is attached is sent.
#[test]
fn several_layers_at_once_and_what_is_sent_are_one_line() {
    let place = Place::new();
    let layers: Vec<_> =
        tars(&place, &[30, 20, 10]).iter().map(|tar| std::fs::read(tar).unwrap()).collect();
    let layout = place.path("layout");
    write_layout(&layout, &layers).unwrap();
    let root = place.path("registry");
    std::fs::create_dir(&root).unwrap();
    let Some(registry) = Registry::start(&root) else { return };
    registry.push(&layout, "a/image:t");
    let (image, out) = (format!("docker://{}/a/image:t", registry.host), place.text("out"));
    let seen = shown(&place, &["export", "--mode", "image_block", "-o", &out, &image]);
    seen.is_one_line();
    let stages = seen.stages();
    assert!(stages.starts_with(&["unpacking"]) && stages.contains(&"writing"), "{stages:?}");
    let seen = shown(&place, &["push", "--attach", &image]);
    seen.is_one_line();
    let stages = seen.stages();
    assert!(stages.starts_with(&["unpacking"]) && stages.ends_with(&["sending"]), "{stages:?}");
    let last = seen.frames.last().unwrap();
    assert!(last.all > (60 << 20) as f64, "{last:?}");
    // From a layout: blobs are checked, and read once more.
    let image = format!("oci:{}", layout.display());
    let seen = shown(&place, &["export", "--mode", "image_block", "-o", &out, &image]);
    seen.is_one_line();
    let (first, last) = (&seen.frames[0], seen.frames.last().unwrap());
    assert!((last.all / (180 << 20) as f64 - 1.0).abs() < 0.02, "{first:?} {last:?}");
}

/// Of a pipe nobody knows the end: bytes are counted, and no bar pretends to know.
#[test]
fn a_pipe_is_counted() {
    let place = Place::new();
    let (tars, out) = (tars(&place, &[30]), place.text("out"));
    let script = place.put("script", format!("cat '{}' | \"$@\"", tars[0]).as_bytes());
    let words = [&script, tool().to_str().unwrap(), "layer", "--disk", "-o", &out, "-"];
    let seen = at_terminal(&place, "sh", &words);
    assert!(seen.raw.contains("reading ") && seen.raw.contains(" MiB"), "{:?}", seen.raw);
    assert!(seen.frames.iter().all(|frame| frame.stage == "syncing"), "{:?}", seen.frames);
}

#[test]
fn nothing_where_nobody_looks() {
    let place = Place::new();
    let (tars, out) = (tars(&place, &[4]), place.text("out"));
    let args = ["layer", "--disk", "--verity", "-o", &out, &tars[0]];
    let quiet = shown(&place, &[&["-q"], &args[..]].concat());
    assert!(quiet.frames.is_empty() && !quiet.raw.contains('\u{1b}'), "{:?}", quiet.raw);
    // No terminal.
    let ran = crate::run::run(args);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    // And with one there is a line for it, or this test says nothing.
    assert!(!shown(&place, &args).frames.is_empty());
}
