//! Ways of saying it that change what other parts of the tar say: global headers, extended headers
//! that do not count, sparse files.

use crate::layer::Op;
use crate::rng::Rng;
use crate::tarball::{SparseForm, TarBuilder};

/// The tricks of one tar.
pub(super) struct Tricks {
    /// What a global header says of owner, group and time: entries whose own differ say so.
    global: Option<(u32, u32, i64)>,
    sparse: &'static [SparseForm],
    twice: bool,
}

impl Tricks {
    /// A global header says what one of the operations has, unless Go is to read it.
    pub(super) fn new(rng: &mut Rng, ops: &[Op], go: bool) -> Self {
        let global = rng.pick(ops).filter(|_| rng.chance(25) && !go);
        Self {
            global: global.map(|Op { attr, .. }| (attr.uid, attr.gid, attr.mtime.0)),
            sparse: match (rng.chance(60), go) {
                (true, false) => &SparseForm::ALL,
                (true, true) => &[SparseForm::Pax00, SparseForm::Pax01, SparseForm::Pax10],
                (false, _) => &[],
            },
            twice: rng.chance(30),
        }
    }

    pub(super) fn head(&self, tar: TarBuilder) -> TarBuilder {
        let Some((uid, gid, mtime)) = self.global else { return tar };
        let [uid, gid, mtime] = [uid.into(), gid.into(), mtime].map(|n: i64| n.to_string());
        tar.global(&[
            (b"uid", uid.as_bytes()),
            (b"gid", gid.as_bytes()),
            (b"mtime", mtime.as_bytes()),
            (b"comment", b"what holds for all"),
        ])
    }

    /// An extended header that another one follows: it counts for nothing.
    pub(super) fn before(&mut self, tar: TarBuilder, rng: &mut Rng) -> TarBuilder {
        match self.twice && rng.chance(30) {
            true => {
                let records: [(&[u8], &[u8]); 3] =
                    [(b"path", b"no/such"), (b"uid", b"4242"), (b"SCHILY.xattr.user.no", b"no")];
                tar.extended(&records)
            }
            false => tar,
        }
    }

    /// A form of sparse file and the pieces of its content, if it has zeros in it and the dice say so.
    pub(super) fn sparse<'a>(
        &self,
        path: &[u8],
        content: &'a [u8],
        rng: &mut Rng,
    ) -> Option<(SparseForm, Vec<Run<'a>>)> {
        let runs = runs(content, rng.one(&[1, 512]));
        let is_whole = runs.len() == 1 && runs[0].1.len() == content.len();
        // A name in a header of its own is for others to test.
        if self.sparse.is_empty() || is_whole || content.is_empty() || path.len() > 80 {
            return None;
        }
        rng.chance(70).then(|| (rng.one(self.sparse), runs))
    }

    /// What an entry has to say of itself where others said something for it.
    pub(super) fn after(&self, mut tar: TarBuilder, op: &Op) -> TarBuilder {
        if self.twice {
            tar = tar.pax("comment", "the header that counts");
        }
        let Some((uid, gid, mtime)) = self.global else { return tar };
        let attr = &op.attr;
        let mut own = |key: &str, global: i64, value: i64, field: fn(TarBuilder) -> TarBuilder| {
            let old = std::mem::take(&mut tar);
            tar = match value == global {
                // The header's field counts for less than the global header.
                true => field(old),
                false => old.pax(key, value.to_string()),
            };
        };
        own("uid", uid.into(), attr.uid.into(), |tar| tar.uid(7));
        own("gid", gid.into(), attr.gid.into(), |tar| tar.gid(7));
        if attr.mtime.1 == 0 {
            own("mtime", mtime, attr.mtime.0, |tar| tar.mtime(7, 0));
        }
        tar
    }
}

/// A piece of content, and where it begins.
type Run<'a> = (u64, &'a [u8]);

/// Pieces of content between zeros, cut at multiples of `grid`.
fn runs(content: &[u8], grid: usize) -> Vec<Run<'_>> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (number, piece) in content.chunks(grid).enumerate() {
        let start = number * grid;
        match runs.last_mut() {
            _ if piece.iter().all(|&byte| byte == 0) => {}
            Some((_, end)) if *end == start => *end += piece.len(),
            _ => runs.push((start, start + piece.len())),
        }
    }
    runs.into_iter().map(|(start, end)| (start as u64, &content[start..end])).collect()
}
