//! Operations as a tar, in one of the many ways a tar can say them.

use super::tricks::Tricks;
use crate::layer::{Attr, Op, What};
use crate::rng::Rng;
use crate::tarball::{End, Format, TarBuilder};

/// The plainest way: pax headers where they are needed, no tricks.
pub(super) fn plain(ops: &[Op]) -> Vec<u8> {
    let mut style = Style {
        rng: Rng::new(0),
        tricks: false,
        format: Format::Pax,
        prefix: b"",
        go: false,
        old: false,
    };
    ops.iter().fold(TarBuilder::new(), |tar, op| style.entry(tar, op)).finish()
}

/// Any way, and with what [`tricks`](super::tricks) has; for Go's reader without what it does not
/// know: xattrs of libarchive, values of global headers, sparse files of old GNU tars.
pub(super) fn wild(ops: &[Op], seed: u64, go: bool) -> Vec<u8> {
    let mut style = Style { go, ..Style::new(seed) };
    let mut tricks = Tricks::new(&mut style.rng, ops, go);
    let tar = ops.iter().fold(tricks.head(TarBuilder::new()), |tar, op| {
        let tar = tricks.before(tar, &mut style.rng);
        let (path, format) = style.named(op);
        let sparse = match &op.what {
            What::File(content) if format != Format::V7 => {
                tricks.sparse(&path, content, &mut style.rng).map(|sparse| (sparse, content))
            }
            _ => None,
        };
        let tar = match sparse {
            Some(((form, runs), content)) => {
                style.attributes(tar.sparse(form, &path, content.len() as u64, &runs), op)
            }
            None => style.told(tar, op, path, format),
        };
        tricks.after(tar, op)
    });
    style.end(tar)
}

/// Any way: formats, spellings, type flags, ends.
pub(super) fn varied(ops: &[Op], seed: u64) -> Vec<u8> {
    let mut style = Style::new(seed);
    let mut tar = TarBuilder::new();
    if style.trick(20) {
        tar = tar.global(&[(b"comment", b"what holds for all"), (b"VENDOR.key", b"\xff")]);
    }
    let tar = ops.iter().fold(tar, |tar, op| style.entry(tar, op));
    style.end(tar)
}

struct Style {
    rng: Rng,
    /// Whether things are said in ways that not all readers understand.
    tricks: bool,
    format: Format,
    prefix: &'static [u8],
    /// Whether Go's users are to understand it: no xattrs of libarchive, no contiguous files.
    go: bool,
    /// Whether what fits the old formats goes into them.
    old: bool,
}

impl Style {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        Self {
            format: rng.one(&[Format::Pax, Format::Gnu]),
            prefix: rng.one(&[&b""[..], b"./", b"/"]),
            old: rng.chance(30),
            tricks: true,
            go: false,
            rng,
        }
    }

    fn end(mut self, tar: TarBuilder) -> Vec<u8> {
        let ends = [End::TwoBlocks, End::TwoBlocks, End::Blocking, End::OneBlock, End::Nothing];
        tar.end(self.rng.one(&ends)).finish()
    }

    fn trick(&mut self, percent: u64) -> bool {
        self.tricks && self.rng.chance(percent)
    }

    fn entry(&mut self, tar: TarBuilder, op: &Op) -> TarBuilder {
        let (path, format) = self.named(op);
        self.told(tar, op, path, format)
    }

    fn named(&mut self, op: &Op) -> (Vec<u8>, Format) {
        let path = self.spell(&op.path);
        let format = self.format(op, &path);
        (path, format)
    }

    fn told(&mut self, tar: TarBuilder, op: &Op, path: Vec<u8>, format: Format) -> TarBuilder {
        let tar = tar.format(format);
        let tar = match &op.what {
            // Its slash is all that makes it a directory: no `/`, of which GNU tar takes the slash.
            What::Dir if format == Format::V7 && path == b"/" => tar.dir("./", 0).flag(0),
            What::Dir if format == Format::V7 => tar.dir(path, 0).flag(0),
            What::Dir if self.trick(20) => tar.entry(b'5', path, 0),
            What::Dir => tar.dir(path, 0),
            What::File(content) if format == Format::V7 => tar.file(path, content).flag(0),
            What::File(content) => {
                let flag = if self.trick(30) { self.rng.one(&[0, b'7']) } else { b'0' };
                let flag = if self.go { b'0' } else { flag };
                tar.file(path, content).flag(flag)
            }
            What::Symlink(target) => tar.symlink(path, target),
            What::Hardlink(target) => tar.hardlink(path, self.spell(target)),
            What::Char(major, minor) => tar.chr(path, *major, *minor),
            What::Block(major, minor) => tar.blk(path, *major, *minor),
            What::Fifo => tar.fifo(path),
            What::Whiteout => self.marker(tar.whiteout(path)),
            What::Opaque if op.path.is_empty() => {
                let root = self.prefix.strip_suffix(b"/").unwrap_or_default();
                self.marker(tar.opaque(root))
            }
            What::Opaque => self.marker(tar.opaque(path)),
        };
        self.attributes(tar, op)
    }

    fn attributes(&mut self, tar: TarBuilder, op: &Op) -> TarBuilder {
        let attr = &op.attr;
        let tar = tar.mode(attr.mode.into()).uid(attr.uid.into()).gid(attr.gid.into());
        let tar = tar.mtime(attr.mtime.0, attr.mtime.1);
        if matches!(op.what, What::Hardlink(_) | What::Whiteout | What::Opaque) {
            return tar;
        }
        attr.xattrs.iter().fold(tar, |tar, (key, value)| match !self.go && self.trick(20) {
            true => tar.xattr_libarchive(key, value),
            false => tar.xattr(key, value),
        })
    }

    /// A marker is empty, and one all the same when it is not.
    fn marker(&mut self, tar: TarBuilder) -> TarBuilder {
        if self.trick(10) { tar.body(b"data of a marker") } else { tar }
    }

    fn spell(&mut self, path: &[u8]) -> Vec<u8> {
        if path.is_empty() {
            let odd = if self.trick(50) { self.rng.one(&[&b"."[..], b"/"]) } else { b"./" };
            return odd.to_vec();
        }
        let mut path = [self.prefix, path].concat();
        if let Some(slash) = path.iter().rposition(|&byte| byte == b'/')
            && self.trick(5)
        {
            path.insert(slash, b'/');
        }
        path
    }

    fn format(&mut self, op: &Op, path: &[u8]) -> Format {
        const SMALL: u32 = 1 << 21;
        let Op { what, attr, .. } = op;
        let Attr { uid, gid, mtime, .. } = attr;
        let link = match what {
            What::Symlink(target) | What::Hardlink(target) => target.len(),
            _ => 0,
        };
        let small = path.len() < 90
            && link < 90
            && *uid < SMALL
            && *gid < SMALL
            && mtime.1 == 0
            && (0..1 << 33).contains(&mtime.0)
            && !matches!(what, What::Char(..) | What::Block(..));
        match small && self.old {
            true if matches!(what, What::Fifo) => Format::Ustar,
            true => self.rng.one(&[Format::V7, Format::Ustar]),
            false => self.format,
        }
    }
}
