//! The stages of a command, and how many bytes it goes through in all of them: known of those that began,
//! estimated of those that are ahead.

/// What a stage does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Checking,
    Verifying,
    Reading,
    Unpacking,
    Indexing,
    Copying,
    Writing,
    Hashing,
    Sending,
    Syncing,
}

/// Stages that take the place of each other in an estimate. They follow each other: what is ahead of a phase is
/// forgotten when a later one begins, but for checks, which stand anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Check,
    Input,
    Output,
}

impl Stage {
    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Verifying => "verifying",
            Self::Reading => "reading",
            Self::Unpacking => "unpacking",
            Self::Indexing => "indexing",
            Self::Copying => "copying",
            Self::Writing => "writing",
            Self::Hashing => "hashing",
            Self::Sending => "sending",
            Self::Syncing => "syncing",
        }
    }

    fn phase(self) -> Phase {
        match self {
            Self::Checking | Self::Verifying => Phase::Check,
            Self::Reading | Self::Unpacking | Self::Indexing => Phase::Input,
            _ => Phase::Output,
        }
    }
}

/// How many times as long as a compressed tar its uncompressed one is taken to be, until it is known.
const UNPACKED: u64 = 3;

/// A stage at work.
#[derive(Debug)]
struct Active {
    number: u64,
    stage: Stage,
    /// How long it is, as far as that is known.
    bytes: u64,
    /// Whether it is not: that of a pipe.
    is_open: bool,
}

/// All stages. Bytes of a manifest are its author's, so sums saturate.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    /// Bytes of the stages that began.
    begun: u64,
    /// Bytes that are expected of each phase yet.
    checks: u64,
    input: u64,
    output: u64,
    /// How often what is read is gone through again afterwards: written, hashed.
    passes: u64,
    /// Whether that is done with the bytes as they lie, compressed or not.
    as_they_lie: bool,
    /// Those that are at work, in the order in which they began.
    active: Vec<Active>,
    /// The next one's number.
    next: u64,
}

impl Stages {
    /// Sets how often what is read is gone through again afterwards.
    pub(crate) fn set_passes(&mut self, passes: u64) {
        self.passes = passes;
    }

    /// What is read is copied as it lies.
    pub(crate) fn set_copied(&mut self) {
        (self.passes, self.as_they_lie) = (1, true);
    }

    /// Inputs of so many bytes are ahead.
    pub(crate) fn expect(&mut self, bytes: u64) {
        self.input = self.input.saturating_add(bytes);
        self.feed(bytes);
    }

    /// So many bytes of the inputs are checked before they are read.
    pub(crate) fn expect_checks(&mut self, bytes: u64) {
        self.checks = self.checks.saturating_add(bytes);
    }

    /// More output is expected, of so many bytes of input.
    fn feed(&mut self, bytes: u64) {
        self.output = self.output.saturating_add(bytes.saturating_mul(self.passes));
    }

    /// A stage of so many bytes begins, or of nobody knows how many; answers its number. What was expected of its
    /// phase is taken for it first.
    pub(crate) fn begin(&mut self, stage: Stage, total: Option<u64>) -> u64 {
        let bytes = total.unwrap_or_default();
        match stage.phase() {
            Phase::Check => self.checks = self.checks.saturating_sub(bytes),
            Phase::Input => {
                let known = self.input.min(bytes);
                self.input -= known;
                let mut more = bytes - known;
                // A file of the bytes that another stage counts already, as one of an image's layers.
                for one in self.active.iter_mut().filter(|one| one.stage.phase() == Phase::Input) {
                    let part = more.min(one.bytes);
                    one.bytes -= part;
                    self.begun = self.begun.saturating_sub(part);
                    more -= part;
                }
                let is_longer = stage == Stage::Unpacking && !self.as_they_lie;
                let longer = if is_longer { UNPACKED - 1 } else { 0 };
                self.feed(more.saturating_add(bytes.saturating_mul(longer)));
            }
            Phase::Output => {
                (self.checks, self.input) = (0, 0);
                self.output = self.output.saturating_sub(bytes);
            }
        }
        self.begun = self.begun.saturating_add(bytes);
        let number = self.next;
        self.next += 1;
        // A sync has no bytes.
        let is_open = total.is_none() && stage != Stage::Syncing;
        self.active.push(Active { number, stage, bytes, is_open });
        number
    }

    /// All that is written and hashed is known: nothing else is expected.
    pub(crate) fn expect_no_more(&mut self) {
        (self.checks, self.input, self.output) = (0, 0, 0);
    }

    /// What a stage does now is another thing.
    pub(crate) fn rename(&mut self, number: u64, stage: Stage) {
        for one in self.active.iter_mut().filter(|one| one.number == number) {
            one.stage = stage;
        }
    }

    /// How long a stage is, if it is at work.
    pub(crate) fn length(&self, number: u64) -> u64 {
        self.active.iter().find(|one| one.number == number).map_or(0, |one| one.bytes)
    }

    /// A stage turns out to be longer.
    pub(crate) fn grow(&mut self, number: u64, bytes: u64) {
        for one in self.active.iter_mut().filter(|one| one.number == number) {
            one.bytes = one.bytes.saturating_add(bytes);
            self.begun = self.begun.saturating_add(bytes);
        }
    }

    /// A stage ends.
    pub(crate) fn end(&mut self, number: u64) {
        self.active.retain(|one| one.number != number);
    }

    /// What is done: the stage that began last of those at work.
    pub(crate) fn current(&self) -> Option<Stage> {
        self.active.last().map(|one| one.stage)
    }

    /// Whether it is not known how much there is to do, as a stage at work has no known end.
    pub(crate) fn is_open(&self) -> bool {
        self.active.iter().any(|one| one.is_open)
    }

    /// Bytes of all stages, begun or ahead.
    pub(crate) fn bytes(&self) -> u64 {
        let all = [self.checks, self.input, self.output];
        all.into_iter().fold(self.begun, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_of_tars_is_what_it_comes_to() {
        let mut stages = Stages::default();
        stages.set_passes(2);
        [100, 50].into_iter().for_each(|bytes| stages.expect(bytes));
        assert_eq!(stages.bytes(), 450, "read, written, hashed");
        for bytes in [100, 50] {
            let reading = stages.begin(Stage::Reading, Some(bytes));
            assert_eq!((stages.bytes(), stages.current()), (450, Some(Stage::Reading)));
            stages.end(reading);
        }
        let steps = stages.begin(Stage::Writing, Some(310));
        stages.expect_no_more();
        assert_eq!(stages.bytes(), 460, "ten of metadata");
        stages.rename(steps, Stage::Hashing);
        assert_eq!(stages.current(), Some(Stage::Hashing));
        stages.end(steps);
        stages.begin(Stage::Syncing, None);
        assert_eq!((stages.bytes(), stages.current()), (460, Some(Stage::Syncing)));
    }

    #[test]
    fn compressed_tars_are_taken_to_become_longer() {
        let mut stages = Stages::default();
        stages.set_passes(1);
        stages.expect(100);
        stages.begin(Stage::Unpacking, Some(100));
        assert_eq!(stages.bytes(), 400);
        stages.begin(Stage::Writing, Some(250));
        stages.expect_no_more();
        assert_eq!(stages.bytes(), 350);
    }

    #[test]
    fn copies_are_as_long_as_what_they_are_of() {
        let mut stages = Stages::default();
        stages.set_copied();
        stages.begin(Stage::Unpacking, Some(100));
        assert_eq!(stages.bytes(), 200);
        for _ in 0..2 {
            stages.begin(Stage::Copying, Some(50));
            assert_eq!(stages.bytes(), 200);
        }
    }

    #[test]
    fn a_layer_is_part_of_its_image() {
        let mut stages = Stages::default();
        stages.expect_checks(100);
        let image = stages.begin(Stage::Unpacking, Some(100));
        assert_eq!(stages.bytes(), 200);
        let checking = stages.begin(Stage::Checking, Some(60));
        assert_eq!((stages.bytes(), stages.current()), (200, Some(Stage::Checking)));
        stages.end(checking);
        let layer = stages.begin(Stage::Indexing, Some(60));
        assert_eq!((stages.bytes(), stages.length(image)), (200, 40));
        stages.end(layer);
        assert_eq!(stages.current(), Some(Stage::Unpacking));
    }

    #[test]
    fn nobody_knows_the_end_of_a_pipe() {
        let mut stages = Stages::default();
        let pipe = stages.begin(Stage::Reading, None);
        stages.grow(pipe, 10);
        assert!(stages.is_open() && stages.bytes() == 10);
        stages.end(pipe);
        stages.begin(Stage::Syncing, None);
        assert!(!stages.is_open());
    }

    #[test]
    fn lengths_may_be_any() {
        let mut stages = Stages::default();
        stages.set_passes(u64::MAX);
        stages.expect(u64::MAX);
        let stage = stages.begin(Stage::Unpacking, Some(u64::MAX));
        stages.begin(Stage::Reading, Some(u64::MAX));
        stages.grow(stage, u64::MAX);
        assert_eq!(stages.bytes(), u64::MAX);
    }
}
