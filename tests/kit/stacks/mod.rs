//! Random stacks of layers: as meaning, as tars, and as what overlayfs makes of them.
//!
//! The same seed is the same stack, on any machine. A failing test names the seed, and
//! [`Stack::describe`] shows what it was.

mod draft;
mod names;
mod render;
mod tricks;
mod wild;

use std::fmt::Write;
use std::io;
use std::path::Path;

use tempfile::TempDir;

use crate::dump::{Show, Tree};
use crate::layer::{Op, What};
use crate::model::{self, Merged};
use crate::naive::{self, Illegal};
use crate::rng::Rng;
use wild::Way;

/// One layer, twice.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What it says.
    pub ops: Vec<Op>,
    /// A tar that says it.
    pub tar: Vec<u8>,
}

impl Layer {
    /// A layer of given operations, whose tar says them in the plainest way.
    #[must_use]
    pub fn plain(ops: Vec<Op>) -> Self {
        let tar = render::plain(&ops);
        Self { ops, tar }
    }

    /// A layer of given operations; `seed` varies how the tar says them: formats, spellings and
    /// type flags, also such as not every reader knows.
    #[must_use]
    pub fn varied(ops: Vec<Op>, seed: u64) -> Self {
        let tar = render::varied(&ops, seed);
        Self { ops, tar }
    }
}

/// Layers, the lowest first.
#[derive(Clone, Debug)]
pub struct Stack {
    /// What it was made from.
    pub seed: u64,
    /// The layers.
    pub layers: Vec<Layer>,
}

impl Stack {
    /// The stack of a seed: two to six layers.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let count = 2 + rng.below(5) as usize;
        let layers = draft::layers(&mut rng, count);
        let layers = layers.into_iter().map(|ops| Layer::varied(ops, rng.bits())).collect();
        Self { seed, layers }
    }

    /// A stack of a seed that asks what the other does not: see `wild.rs`. Half of them are legal with
    /// links of lower layers followed, half without; [`meaning`](Self::meaning) tells.
    #[must_use]
    pub fn wild(seed: u64) -> Self {
        Self::of_wild(seed, &mut Rng::new(seed ^ 0x5eed), false)
    }

    /// The same of choices that somebody else makes: [`Rng::of_tape`].
    #[must_use]
    pub fn chosen(tape: &[u8]) -> Self {
        Self::of_wild(0, &mut Rng::of_tape(tape), false)
    }

    /// The same for Go's reader of tars, without what that does not know. Nine of ten are such as
    /// containerd extracts without an error, six of them to the names that the rules have.
    #[must_use]
    pub fn wild_for_go(seed: u64) -> Self {
        Self::of_wild(seed, &mut Rng::new(seed ^ 0x5eed), true)
    }

    /// The same of choices that somebody else makes.
    #[must_use]
    pub fn chosen_for_go(tape: &[u8]) -> Self {
        Self::of_wild(0, &mut Rng::of_tape(tape), true)
    }

    fn of_wild(seed: u64, rng: &mut Rng, go: bool) -> Self {
        let count = 1 + rng.below(6) as usize;
        let way = match rng.below(10) {
            0..6 if go => Way::Agree,
            6..9 if go => Way::Extract,
            _ => rng.one(&[Way::Cover, Way::Follow]),
        };
        let layers = wild::layers(rng, count, way);
        let layers = layers.into_iter().map(|ops| {
            let tar = render::wild(&ops, rng.bits(), go);
            Layer { ops, tar }
        });
        Self { seed, layers: layers.collect() }
    }

    /// Less of the stack that still fails: operations are left out one by one, and the tars that are
    /// left say the rest in the plainest way, unless only their own way fails.
    #[must_use]
    pub fn shrunk(mut self, mut fails: impl FnMut(&Self) -> bool) -> Self {
        let seed = self.seed;
        let plain = |layers: &[Vec<Op>]| Self {
            seed,
            layers: layers.iter().cloned().map(Layer::plain).collect(),
        };
        let mut layers: Vec<Vec<Op>> = self.layers.iter().map(|layer| layer.ops.clone()).collect();
        let mut last = plain(&layers);
        let mut again = fails(&last);
        while std::mem::take(&mut again) {
            for layer in (0..layers.len()).rev() {
                for op in (0..layers[layer].len()).rev() {
                    let gone = layers[layer].remove(op);
                    let less = plain(&layers);
                    if fails(&less) {
                        (last, again) = (less, true);
                    } else {
                        layers[layer].insert(op, gone);
                    }
                }
            }
            self = last.clone();
        }
        self
    }

    /// The operations, for a person to read.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut out = format!("stack {}\n", self.seed);
        for (number, layer) in self.layers.iter().enumerate() {
            for Op { path, what, attr } in &layer.ops {
                let what = match what {
                    What::File(content) => format!("File of {}", content.len()),
                    What::Symlink(target) => format!("Symlink to {}", Show(target)),
                    What::Hardlink(target) => format!("Hardlink to {}", Show(target)),
                    what => format!("{what:?}"),
                };
                writeln!(out, "  {number} {} {what} {:04o}", Show(path), attr.mode)
                    .expect("a string takes all");
            }
        }
        out
    }

    /// What it means in memory: [`naive::naive_merge`].
    ///
    /// # Panics
    /// When it is illegal.
    #[must_use]
    pub fn naive(&self) -> Tree {
        self.meaning(false).unwrap_or_else(|error| panic!("{error:?}\n{}", self.describe()))
    }

    /// [`naive::naive_merge`], of stacks that may be illegal.
    ///
    /// # Errors
    /// As there.
    pub fn meaning(&self, follow: bool) -> Result<Tree, Illegal> {
        naive::naive_merge(self.layers.iter().map(|layer| &layer.ops[..]), follow)
    }

    /// What one layer alone is, with its whiteouts in overlayfs form, extracted below `scratch`.
    ///
    /// # Errors
    /// Those of the system calls.
    pub fn extract(&self, layer: usize, scratch: &Path) -> io::Result<(TempDir, model::Lower)> {
        let dir = TempDir::with_prefix_in("layer-", scratch)?;
        let lower = model::extract(&self.layers[layer].ops, &dir.path().join("root"))?;
        Ok((dir, lower))
    }

    /// What it means to the kernel: each layer extracted below `scratch` (best a
    /// [`tmpfs`](crate::mount::tmpfs), one for many stacks), overlayfs over all, and a dump.
    ///
    /// # Errors
    /// Those of the system calls.
    pub fn overlay_dump(&self, scratch: &Path) -> io::Result<Merged> {
        let dir = TempDir::with_prefix_in("stack-", scratch)?;
        let lowers = self.layers.iter().enumerate();
        let lowers = lowers.map(|(number, layer)| {
            model::extract(&layer.ops, &dir.path().join(number.to_string()))
        });
        model::merged(&lowers.collect::<io::Result<Vec<_>>>()?)
    }
}
