//! A small generator of numbers that are random enough and the same everywhere, or are chosen by somebody else.

/// SplitMix64 (Steele, Lea and Flood, 2014), behind a tape of choices that are taken first.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
    /// Two bytes for each number, the last ones first.
    tape: Vec<u8>,
}

impl Rng {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed, tape: Vec::new() }
    }

    /// One whose numbers are those of a tape, two bytes for each, as long as it lasts. So a fuzzer
    /// chooses what otherwise chance does, and learns what its choices lead to.
    #[must_use]
    pub fn of_tape(tape: &[u8]) -> Self {
        Self { state: 0, tape: tape.iter().rev().copied().collect() }
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        if let Some(low) = self.tape.pop() {
            return u64::from(u16::from_le_bytes([low, self.tape.pop().unwrap_or_default()]));
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits() % end
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several; `None` of none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len() as u64) as usize) }
    }

    /// One of several.
    ///
    /// # Panics
    /// When there are none.
    pub fn one<T: Clone>(&mut self, from: &[T]) -> T {
        self.pick(from).expect("something to choose from").clone()
    }

    /// So many bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.bits() as u8).collect()
    }
}
