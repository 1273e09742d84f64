//! The program: choices, one after the other, and zeros behind the last.

pub(crate) struct Tape<'a>(&'a [u8]);

impl<'a> Tape<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A number below `end`, which is not 0 and at most 256.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    pub(crate) fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 1
    }

    pub(crate) fn word(&mut self) -> u32 {
        u32::from_le_bytes(core::array::from_fn(|_| self.byte()))
    }

    /// Mostly a small number, sometimes one that is at an edge.
    pub(crate) fn number(&mut self) -> u64 {
        match self.below(16) {
            0 => u64::MAX,
            1 => 1 << 63,
            2 => u64::from(u32::MAX) + u64::from(self.byte()),
            3 => u64::from(self.word()),
            4..8 => 512 * u64::from(self.byte()),
            8 => 4096 * u64::from(self.byte()),
            _ => self.byte().into(),
        }
    }

    pub(crate) fn one<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }
}
