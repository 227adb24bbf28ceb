//! The level: what is live of one heap's blocks, and the most that ever was, for one addition a call.
//!
//! Belongs to the heap's thread; others read it. Never looks at the time on a fast path: when a peak was reached is
//! known to the last slow path.

use crate::count::counter::{COUNTED, Counter};

/// Bits of a [`Level`]'s word that count blocks.
const BLOCK_BITS: u32 = 24;
const BIAS: u64 = 1 << (BLOCK_BITS - 1);

/// The lowest word of a level above its peak.
pub const ABOVE: i64 = 1 << BLOCK_BITS;
/// Below any word of a level.
pub const NEVER: i64 = i64::MIN;

/// What one block adds to a [`Level`]: its usable size in units of 16 bytes, and one block.
#[inline(always)]
pub const fn weight(usable: usize) -> u64 {
    ((usable as u64 / 16) << BLOCK_BITS) + 1
}

/// The usable bytes of a block of this [`weight`].
#[inline(always)]
pub const fn usable_of(weight: u64) -> u64 {
    weight >> BLOCK_BITS << 4
}

/// Live bytes and blocks of one heap, and their peak, for one addition a call.
///
/// One word holds (live - peak) in units of 16 bytes, signed, above 24 bits that count blocks, biased. A block's
/// [`weight`] is added by malloc and taken by free. The peak need not be raised while the level rises, only
/// before it first falls from above the old peak; so only free asks, by one comparison.
/// Live may be negative: of a heap whose blocks others allocated.
#[repr(C)]
pub struct Level {
    word: Counter,
    /// Units of 16 bytes at the peak, a signed number.
    peak: Counter,
    /// Blocks, less those in `word`, a signed number.
    blocks: Counter,
    /// Blocks at the peak.
    peak_blocks: Counter,
    /// When the peak was reached; see `rise_at`.
    peak_at: Counter,
    /// Time of the last slow path that found the level above the peak; 0 when none since the peak was raised.
    rise_at: Counter,
}

impl Level {
    /// Adds a block of this weight.
    #[inline(always)]
    pub fn add(&self, weight: u64) {
        self.word.add(weight);
    }

    /// Whether the level is above the peak, so that [`Level::raise`] is due before [`Level::sub`].
    #[inline(always)]
    pub fn is_above_peak(&self) -> bool {
        COUNTED && self.word.get() as i64 >= ABOVE
    }

    /// Whether the level lies below a word: [`ABOVE`] or [`NEVER`].
    #[inline(always)]
    pub fn is_below(&self, fence: i64) -> bool {
        (self.word.get() as i64) < fence
    }

    /// Takes a block of this weight.
    #[inline(always)]
    pub fn sub(&self, weight: u64) {
        self.word.add(weight.wrapping_neg());
    }

    /// Takes a block, raising the peak first where due.
    #[inline]
    pub fn fall(&self, weight: u64) {
        if self.is_above_peak() {
            self.raise();
        }
        self.sub(weight);
    }

    /// Makes the level now the peak if it is above it.
    #[cold]
    pub fn raise(&self) {
        let rise = self.rise_at.get();
        self.fold();
        let above = self.word.get() as i64 >> BLOCK_BITS;
        if above > 0 {
            self.peak.add(above as u64);
            self.word.set(BIAS);
            self.peak_blocks.set(self.blocks.get());
            // Without a slow path since the last raise, this rise is a recent one.
            self.peak_at.set(if rise != 0 { rise } else { self.peak_at.get().max(crate::os::coarse_ns()) });
            self.rise_at.set(0);
        }
    }

    /// Keeps the blocks' 24 bits from running over: called by every slow path, at least once in 2^22 calls.
    #[inline]
    pub fn settle(&self) {
        self.fold();
        if self.is_above_peak() {
            self.rise_at.set(crate::os::now_ns());
        }
    }

    fn fold(&self) {
        let word = self.word.get();
        let low = (1 << BLOCK_BITS) - 1;
        self.blocks.add((word & low).wrapping_sub(BIAS));
        self.word.set((word & !low) | BIAS);
    }

    /// Sets an unused level to zero.
    pub fn open(&self) {
        self.word.set(BIAS);
    }

    /// Live bytes and blocks, signed; an unopened level is empty.
    pub fn live(&self) -> (i64, i64) {
        let word = self.word.get();
        if word == 0 {
            return (0, 0);
        }
        let low = word & ((1 << BLOCK_BITS) - 1);
        let units = (word as i64 >> BLOCK_BITS) + self.peak.get() as i64;
        (units * 16, self.blocks.get() as i64 + low as i64 - BIAS as i64)
    }

    /// The peak in units of 16 bytes, as it was last raised.
    pub fn peak_units(&self) -> u64 {
        self.peak.get()
    }

    /// Bytes, blocks and time of the peak, the level now included.
    pub fn peak(&self) -> (i64, i64, u64) {
        let peak = self.peak.get() as i64 * 16;
        let (bytes, blocks) = self.live();
        if bytes > peak {
            let rise = self.rise_at.get();
            return (bytes, blocks, if rise != 0 { rise } else { self.peak_at.get() });
        }
        (peak, self.peak_blocks.get() as i64, self.peak_at.get())
    }

    /// Makes the level now the peak, whether it is higher or lower: in a forked child.
    pub fn restart(&self, now: u64) {
        let (bytes, blocks) = self.live();
        self.peak.set((bytes / 16) as u64);
        self.word.set(BIAS);
        self.blocks.set(blocks as u64);
        self.peak_blocks.set(blocks as u64);
        self.peak_at.set(now);
        self.rise_at.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Level {
        let [word, peak, blocks, peak_blocks, peak_at, rise_at] =
            [const { 0 }; 6].map(|_| Counter::default());
        let level = Level { word, peak, blocks, peak_blocks, peak_at, rise_at };
        level.open();
        level
    }

    /// Random calls: mostly malloc, then mostly free, in turn, as one heap sees them.
    fn calls(count: usize) -> impl Iterator<Item = (bool, usize)> {
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        (0..count).map(move |i| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let more = if i / 3000 % 2 == 0 { 6 } else { 3 };
            (state % 9 < more, 16 << (state >> 32 & 15))
        })
    }

    #[test]
    fn live_and_peak_are_what_a_plain_count_says_after_every_call() {
        let level = opened();
        let (mut live, mut blocks, mut peak, mut peak_blocks) = (0i64, 0i64, 0i64, 0i64);
        for (i, (allocates, usable)) in calls(60_000).enumerate() {
            if allocates {
                level.add(weight(usable));
                (live, blocks) = (live + usable as i64, blocks + 1);
                if live > peak {
                    (peak, peak_blocks) = (live, blocks);
                }
            } else {
                // Also below zero: this thread may free what others allocated.
                level.fall(weight(usable));
                (live, blocks) = (live - usable as i64, blocks - 1);
            }
            if i % 1000 == 0 {
                level.settle();
            }
            assert_eq!(level.live(), (live, blocks), "after call {i}");
            let (bytes, count, _) = level.peak();
            assert_eq!((bytes, count), (peak, peak_blocks), "peak after call {i}");
        }
        assert!(peak > 0 && live < peak);
    }

    #[test]
    fn many_blocks_between_two_slow_paths_do_not_run_into_the_bytes() {
        let level = opened();
        for _ in 0..1 << 22 {
            level.add(weight(16));
        }
        assert_eq!(level.live(), (16 << 22, 1 << 22));
        level.settle();
        for _ in 0..1 << 22 {
            level.fall(weight(16));
        }
        assert_eq!(level.live(), (0, 0));
        let (bytes, blocks, _) = level.peak();
        assert_eq!((bytes, blocks), (16 << 22, 1 << 22));
    }

    #[test]
    fn a_level_that_is_started_anew_has_its_peak_where_it_stands() {
        let level = opened();
        level.add(weight(4096));
        level.add(weight(1024));
        level.fall(weight(4096));
        level.restart(7);
        assert_eq!(level.live(), (1024, 1));
        assert_eq!(level.peak(), (1024, 1, 7));
    }
}
