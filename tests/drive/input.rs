//! A driver's input: bytes that are read as choices, sizes and alignments. Ends when the bytes do.

/// What is left of the bytes.
#[derive(Clone, Copy)]
pub struct Input<'a>(&'a [u8]);

/// The sizes at which something changes: the limits of classes, slabs, pages, kept blocks, calls.
const EDGES: [usize; 16] = [
    0,
    1,
    16,
    1024,
    4096,
    8192,
    32 << 10,
    64 << 10,
    128 << 10,
    1 << 20,
    2 << 20,
    6 << 20,
    isize::MAX as usize,
    1 << 63,
    usize::MAX - 4096,
    usize::MAX,
];

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Input(bytes)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte; 0 at the end.
    pub fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    pub fn word(&mut self) -> usize {
        self.byte() << 8 | self.byte()
    }

    /// The next `len` bytes as an input of their own.
    pub fn part(&mut self, len: usize) -> Input<'a> {
        let (part, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        Input(part)
    }

    /// A size: small ones most of the time, then whatever two bytes can say, then near an edge.
    pub fn size(&mut self) -> usize {
        match self.byte() {
            form @ 0..=159 => form * 4 + self.byte() % 5,
            160..=219 => self.word(),
            220..=239 => self.word() * 23,
            _ => {
                let edge = EDGES[self.byte() % EDGES.len()];
                edge.wrapping_add(self.byte()).wrapping_sub(128)
            }
        }
    }

    /// An alignment: legal ones, and ones that are not.
    pub fn align(&mut self) -> usize {
        match self.byte() {
            0 => 0,
            1 => 3,
            2 => 48,
            3 => usize::MAX,
            4 => 1 << 63,
            n => 1 << (n % 22),
        }
    }
}
