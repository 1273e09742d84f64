//! Names of others on their way to a terminal: nothing in them acts there.

use std::ffi::OsStr;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes of a name that an error or a warning shows; of a longer one, its two ends.
const SHOWN: usize = 512;

/// Bytes of a whole line of an error.
const LINE: usize = 2048;

/// A name as a word for a shell that prints as it is: what `ls --quoting-style=shell-escape` of
/// GNU makes of it. A name without anything odd is itself.
pub(crate) fn shell(name: &[u8]) -> String {
    let odd = |byte: u8| b" !\"$&()*;<=>?[^`|'\\".contains(&byte);
    let odd_first = |at: usize, byte: u8| at == 0 && b"#~".contains(&byte);
    let bytes = || name.iter().copied().enumerate();
    let prints = pieces(name).all(|(_, prints)| prints);
    let quotes = bytes().any(|(at, byte)| odd(byte) || odd_first(at, byte));
    let plain = !quotes && !matches!(name, b"" | b"{" | b"}");
    if prints && plain {
        return String::from_utf8_lossy(name).into_owned();
    }
    // An apostrophe wants double quotes, where nothing else acts in them.
    let calm = |(at, byte)| match byte {
        b'\'' | b' ' => true,
        byte => odd_first(at, byte) || !odd(byte) && !b"{}#~".contains(&byte),
    };
    if prints && name.contains(&b'\'') && bytes().all(calm) {
        return format!("\"{}\"", String::from_utf8_lossy(name));
    }
    let mut text = String::from("'");
    let mut escaping = false;
    for (bytes, prints) in pieces(name) {
        if prints {
            if std::mem::take(&mut escaping) && bytes != b"'" {
                text.push_str("''");
            }
            match bytes {
                b"'" => text.push_str("'\\''"),
                _ => text.push_str(&String::from_utf8_lossy(bytes)),
            }
            continue;
        }
        if !escaping {
            text.push_str("'$'");
            escaping = true;
        }
        bytes.iter().for_each(|byte| text.push_str(&escaped(*byte)));
    }
    text.push('\'');
    text
}

/// A byte within `$''`.
fn escaped(byte: u8) -> String {
    match byte {
        7 => "\\a".to_owned(),
        8 => "\\b".to_owned(),
        b'\t' => "\\t".to_owned(),
        b'\n' => "\\n".to_owned(),
        11 => "\\v".to_owned(),
        12 => "\\f".to_owned(),
        b'\r' => "\\r".to_owned(),
        byte => format!("\\{byte:03o}"),
    }
}

/// The characters of a name, and whether each prints; bytes that are no UTF-8 one by one.
fn pieces(name: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    name.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid();
        let chars = valid
            .char_indices()
            .map(move |(at, c)| (&valid.as_bytes()[at..at + c.len_utf8()], is_printable(c)));
        chars.chain(chunk.invalid().chunks(1).map(|byte| (byte, false)))
    })
}

/// Whether a character shows as itself, and moves nothing: neither controls nor marks of
/// direction, and nothing that is no character yet.
fn is_printable(c: char) -> bool {
    // `escape_debug` escapes a combining character only where it comes first, so a letter is put before it.
    c.is_ascii_graphic()
        || c == ' '
        || !c.is_ascii() && {
            let text = format!("a{c}");
            text.escape_debug().eq(text.chars())
        }
}

/// A name in an error or a warning: quoted, and of a long one its two ends.
pub(crate) fn name(name: impl AsRef<OsStr>) -> String {
    let bytes = name.as_ref().as_bytes();
    // It is no name of a file, so it is not quoted.
    if bytes == STANDARD_INPUT.as_bytes() {
        return STANDARD_INPUT.to_owned();
    }
    if bytes.len() <= SHOWN {
        return shell(bytes);
    }
    let (front, back) = (&bytes[..SHOWN / 2], &bytes[bytes.len() - SHOWN / 2..]);
    format!("{}...{} ({} bytes)", shell(front), shell(back), bytes.len())
}

/// What errors call standard input.
const STANDARD_INPUT: &str = "standard input";

/// How listings print names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    quoted: bool,
}

impl Names {
    /// Quoted on a terminal, unless they are wanted raw.
    pub(crate) fn new(raw: bool) -> Self {
        Self { quoted: !raw && io::stdout().is_terminal() }
    }

    /// Writes a name.
    pub(crate) fn write(self, out: &mut impl Write, name: &[u8]) -> io::Result<()> {
        match self.quoted {
            true => out.write_all(shell(name).as_bytes()),
            false => out.write_all(name),
        }
    }

    /// Text that others wrote, such as a tag, quoted if names are.
    pub(crate) fn text(self, text: &str) -> String {
        if self.quoted { Line(text).to_string() } else { text.to_owned() }
    }
}

/// A whole message on one line, whatever is in it.
pub(crate) struct Line<'a>(pub(crate) &'a str);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends = |text: &str, bytes: usize| {
            (text.floor_char_boundary(bytes / 2), text.ceil_char_boundary(text.len() - bytes / 2))
        };
        // A long text is cut before it is escaped, to save time, and after it, as escapes are longer.
        let text = self.0;
        if text.len() > LINE {
            let (front, back) = ends(text, LINE);
            let (front, back) = (printed(&text[..front]), printed(&text[back..]));
            let (first, last) = (ends(&front, LINE).0, ends(&back, LINE).1);
            return write!(f, "{} ... {}", &front[..first], &back[last..]);
        }
        f.write_str(&printed(text))
    }
}

/// Text with all escaped that does not print.
fn printed(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars() {
        match is_printable(c) {
            true => shown.push(c),
            false => shown.extend(c.escape_default()),
        }
    }
    shown
}

/// A path as a word of a shell.
pub(crate) fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
