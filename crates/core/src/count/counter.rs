//! A counter, and a tally of blocks and bytes: words with one writer and any number of readers.
//!
//! A relaxed load and a relaxed store, never a locked instruction: two plain instructions on every machine we know. The
//! owner is the thread whose heap the counter lies in. Owns nothing else.

use core::ops::Deref;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::class::LIMIT;

/// False in the build that measures the price of counting: there every counter stays as it is, the level with them, and the
/// dump is all zeros.
pub(super) const COUNTED: bool = cfg!(not(feature = "uncounted"));

/// A counter with one writer. Adding is a plain add in memory; reading from another thread sees some
/// recent value, and the last one once the writer has ended.
#[derive(Default)]
#[repr(transparent)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Nothing counted.
    pub const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    /// Adds `n`. Only the owner calls this.
    #[inline(always)]
    pub fn add(&self, n: u64) {
        if !COUNTED {
            return;
        }
        self.0.store(self.0.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// Sets the value. Only the owner calls this.
    #[inline(always)]
    pub fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }

    /// The value now.
    #[inline(always)]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Blocks and the bytes that were asked for them.
#[derive(Default)]
#[repr(C)]
pub struct Tally {
    /// Blocks.
    pub blocks: Counter,
    /// Bytes asked.
    pub bytes: Counter,
}

impl Tally {
    /// One block of `bytes`.
    #[inline(always)]
    pub fn add(&self, bytes: usize) {
        self.blocks.add(1);
        self.bytes.add(bytes as u64);
    }
}

/// A tally a class.
#[repr(transparent)]
pub struct Tallies([Tally; LIMIT]);

impl Tallies {
    /// The tally of the class that is a 16th of `offset`, which is below 16 times [`LIMIT`].
    #[inline(always)]
    pub fn at(&self, offset: usize) -> &Tally {
        debug_assert!(offset < LIMIT * 16 && offset.is_multiple_of(16));
        let tally = self.0.as_ptr().wrapping_byte_add(offset);
        // SAFETY: a tally takes 16 bytes, so that is one of them.
        unsafe { &*tally }
    }
}

impl Deref for Tallies {
    type Target = [Tally; LIMIT];

    #[inline(always)]
    fn deref(&self) -> &[Tally; LIMIT] {
        &self.0
    }
}

const _: () = assert!(size_of::<Tally>() == 16);
