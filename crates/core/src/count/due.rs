//! Which block is sampled next, where some are: what the fast paths count anyway counts up to it.
//!
//! Each tally of small blocks is a stream of blocks, and the usable bytes of all others are a stream of bytes. While blocks are
//! sampled a stream's counter holds what was counted less the count at which the next block is due: it turns from below zero
//! to zero or more when that block is counted. So malloc need not count anything more than ever; it asks whether the next
//! block is the one, and leaves that to the slow path. Owns those differences; where no block is sampled they are zero. Written
//! by the heap's thread only.

use core::cell::Cell;

use super::{Counter, Counters, Function, Tally};
use crate::class::{COUNT, LIMIT};

/// A counter that counts up to a block that is due.
#[derive(Clone, Copy)]
pub enum Stream {
    /// Blocks of a class that malloc gave.
    Malloc(usize),
    /// Blocks of a class that operator new gave.
    New(usize),
    /// Usable bytes of all others.
    Bytes,
}

impl Stream {
    /// That of blocks of a class given by malloc, or by operator new.
    #[inline(always)]
    pub const fn of<const NEW: bool>(class: usize) -> Stream {
        if NEW { Stream::New(class) } else { Stream::Malloc(class) }
    }
}

/// The streams that have begun: a bit a class for malloc and for new, and one for the stream of bytes.
#[derive(Default)]
pub struct Begun([Cell<u64>; 3]);

impl Begun {
    /// Whether the stream begins just now.
    pub fn begin(&self, stream: Stream) -> bool {
        let (kind, class) = match stream {
            Stream::Malloc(class) => (0, class),
            Stream::New(class) => (1, class),
            Stream::Bytes => (2, 0),
        };
        let before = self.0[kind].get();
        self.0[kind].set(before | 1 << class);
        before >> class & 1 == 0
    }
}

/// What stands in the counters too little, by stream.
#[repr(C)]
pub struct Due {
    malloc: [Counter; COUNT + 1],
    new: [Counter; COUNT + 1],
    bytes: Counter,
    /// 1 where blocks are sampled.
    armed: Counter,
}

impl Due {
    /// How many blocks the tallies of malloc, or of new, have of a class beside what stands there.
    #[inline]
    pub(super) fn blocks(&self, of_new: bool, class: usize) -> u64 {
        let all = if of_new { &self.new } else { &self.malloc };
        all.get(class).map_or(0, Counter::get)
    }

    /// Usable bytes beside what stands in the counter.
    #[inline]
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// All of [`Due::blocks`].
    pub(super) fn all_blocks(&self) -> u64 {
        self.malloc.iter().chain(&self.new).map(Counter::get).fold(0, u64::wrapping_add)
    }
}

impl Tally {
    /// Whether the next block is due.
    #[inline(always)]
    pub fn is_next_due(&self) -> bool {
        self.blocks.get() == u64::MAX
    }
}

impl Counters {
    /// From now on the next block of each stream is due. Does nothing when called again.
    #[cold]
    #[inline(never)]
    pub fn arm(&self) {
        if self.due.armed.get() != 0 {
            return;
        }
        self.due.armed.set(1);
        for class in 1..=COUNT {
            self.count_up(Stream::Malloc(class), 1);
            self.count_up(Stream::New(class), 1);
        }
        self.count_up(Stream::Bytes, 1);
    }

    /// Whether a block of `usable` bytes is due that is counted as [`Counters::slot`] does.
    #[inline(always)]
    pub fn would_be_due(&self, usable: u32) -> bool {
        self.usable.get().checked_add(usable.into()).is_none()
    }

    fn stream(&self, stream: Stream) -> (&Counter, &Counter) {
        match stream {
            Stream::Malloc(class) => (&self.malloc[class % LIMIT].blocks, &self.due.malloc[class % LIMIT]),
            Stream::New(class) => (&self.new[class % LIMIT].blocks, &self.due.new[class % LIMIT]),
            Stream::Bytes => (&self.usable, &self.due.bytes),
        }
    }

    /// Whether the block that was due has been counted.
    #[inline]
    pub fn has_come(&self, stream: Stream) -> bool {
        self.due.armed.get() != 0 && self.stream(stream).0.get() as i64 >= 0
    }

    /// Counts usable bytes that bring no block nearer to being due.
    pub fn usable_beside(&self, more: u64) {
        self.due.bytes.add(more);
    }

    /// A number that changes whenever an allocation is counted. O(classes).
    #[inline(never)]
    pub fn state(&self) -> u64 {
        let mut sum = 0;
        for all in [&self.malloc[..=COUNT], &self.new[..=COUNT], &self.calls[..Function::Free as usize]] {
            for tally in all {
                sum = tally.blocks.get().wrapping_add(sum);
            }
        }
        sum
    }

    /// The next block of the stream is due when it has counted `more`, at least 1.
    pub fn count_up(&self, stream: Stream, more: u64) {
        let (counter, due) = self.stream(stream);
        let so_far = counter.get().wrapping_add(due.get());
        counter.set(more.wrapping_neg());
        due.set(so_far.wrapping_add(more));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters() -> Counters {
        // SAFETY: words, for which zero is a value.
        unsafe { core::mem::zeroed() }
    }

    #[test]
    fn what_is_counted_is_the_same_whether_blocks_are_due_or_not() {
        let (plain, sampled) = (counters(), counters());
        sampled.arm();
        for i in 0..1000u64 {
            for counters in [&plain, &sampled] {
                counters.malloc[3].add(40);
                counters.new[5].add(70);
                counters.resized(crate::count::Function::Calloc, 100, 112);
            }
            if i % 7 == 0 {
                sampled.count_up(Stream::Malloc(3), i + 1);
                sampled.count_up(Stream::Bytes, i + 1);
            }
        }
        let [mut one, mut other] = [crate::count::Snapshot::EMPTY, crate::count::Snapshot::EMPTY];
        plain.sum_into(&mut one);
        sampled.sum_into(&mut other);
        assert_eq!((one.calls, one.asked, one.usable_asked), (other.calls, other.asked, other.usable_asked));
        assert_eq!((plain.blocks(), one.blocks_asked), (sampled.blocks(), other.blocks_asked));
        assert_eq!(plain.blocks(), 3000);
    }

    #[test]
    fn a_block_is_due_when_as_many_were_counted_as_was_said() {
        let counters = counters();
        assert!(!counters.malloc[2].is_next_due() && !counters.would_be_due(u32::MAX));
        counters.arm();
        assert!(counters.malloc[2].is_next_due() && counters.would_be_due(16));
        counters.count_up(Stream::Malloc(2), 3);
        for _ in 0..2 {
            assert!(!counters.malloc[2].is_next_due() && !counters.has_come(Stream::Malloc(2)));
            counters.malloc[2].add(1);
        }
        assert!(counters.malloc[2].is_next_due() && !counters.has_come(Stream::Malloc(2)));
        counters.malloc[2].add(1);
        assert!(counters.has_come(Stream::Malloc(2)));
        counters.count_up(Stream::Bytes, 100);
        assert!(!counters.would_be_due(96) && counters.would_be_due(112));
    }
}
