//! What is counted: one page of plain counters a heap, and the snapshot that sums them.
//!
//! A counter has one writer, the thread that owns the heap, and any number of readers. A counter is
//! therefore a relaxed load and a relaxed store, never a locked instruction. Nothing here does I/O.

mod counter;
mod due;
mod level;
mod rows;

pub use counter::{Counter, Tallies, Tally};
pub use due::{Begun, Due, Stream};
pub use level::{ABOVE, Level, NEVER, usable_of, weight};
pub use rows::{ClassRow, EngineRow, MemsRow, Peak, SizeRow, Snapshot, WalkItem};

use crate::class::{self, Class};

/// A function of the malloc family, as the dump names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
#[allow(missing_docs)]
pub enum Function {
    Malloc,
    Calloc,
    Realloc,
    Reallocarray,
    Memalign,
    AlignedAlloc,
    PosixMemalign,
    Valloc,
    Pvalloc,
    New,
    Free,
    Delete,
}

/// How many functions are told apart.
pub const FUNCTIONS: usize = 12;

/// Their names in the dump, by `Function as usize`.
pub const FUNCTION_NAMES: [&str; FUNCTIONS] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "new",
    "free",
    "delete",
];

impl Function {
    /// Its name in the dump and in reports.
    #[inline]
    pub const fn name(self) -> &'static str {
        FUNCTION_NAMES[self as usize]
    }
}

/// Rows of the size histogram: row i counts blocks asked with `size <= 16 << i` (and above the row before).
pub const SIZES: usize = 44;

/// The row of the size histogram that `size` (bytes asked) belongs to.
#[inline]
pub const fn size_row(size: usize) -> usize {
    let units = (size.wrapping_sub(1)) >> 4;
    if size == 0 || units == 0 {
        return 0;
    }
    let row = (usize::BITS - units.leading_zeros()) as usize;
    if row < SIZES { row } else { SIZES - 1 }
}

/// The counters of one heap: a page that only its thread writes, at a fixed distance from the heap.
#[repr(C, align(4096))]
pub struct Counters {
    /// Blocks by class of the asked size, asked by malloc.
    pub malloc: Tallies,
    /// The same, by operator new.
    pub new: Tallies,
    /// All other blocks by row of the size histogram.
    pub sizes: [Tally; SIZES],
    /// Successful calls and bytes by function, but those in `malloc` and `new`; for `Delete` all calls.
    pub calls: [Tally; FUNCTIONS],
    /// Failed calls by function.
    pub failed: [Counter; FUNCTIONS],
    /// free(NULL).
    pub free_null: Counter,
    /// delete of NULL.
    pub delete_null: Counter,
    /// realloc(NULL, n), successful.
    pub realloc_null: Counter,
    /// realloc(p, 0), and the same by reallocarray.
    pub realloc_zero: [Counter; 2],
    /// Reallocations that left the block where it was.
    pub realloc_in_place: Counter,
    /// Usable bytes of the blocks in `sizes`, ever asked.
    pub usable: Counter,
    /// What is live of what this heap's thread allocated and freed.
    pub level: Level,
    /// What `malloc`, `new` and `usable` have beside what stands there, where blocks are sampled.
    pub due: Due,
}

const _: () = assert!(size_of::<Counters>() == 4096);

impl Counters {
    /// Counts a block of `asked` bytes that takes `usable`, asked by `function`, and makes it live.
    #[inline]
    pub fn block(&self, function: Function, asked: usize, usable: usize) {
        self.resized(function, asked, usable);
        self.level.add(weight(usable));
    }

    /// As [`Counters::block`], but what is live stays as it was.
    #[inline]
    pub fn resized(&self, function: Function, asked: usize, usable: usize) {
        self.calls[function as usize].add(asked);
        self.sizes[size_row(asked)].add(asked);
        self.usable.add(usable as u64);
    }

    /// As [`Counters::resized`], of a block of a slab of `kind`.
    #[inline(always)]
    pub fn slot(&self, function: Function, asked: usize, kind: &Class) {
        self.calls[function as usize].add(asked);
        if let Some(row) = self.sizes.get(kind.row as usize) {
            row.add(asked);
        }
        self.usable.add(kind.slot as u64);
    }

    /// Counts a call of operator delete.
    #[inline(always)]
    pub fn deleted(&self) {
        self.calls[Function::Delete as usize].blocks.add(1);
    }

    /// Blocks ever asked, successfully.
    pub fn blocks(&self) -> u64 {
        let tallies = self.malloc.iter().chain(self.new.iter()).chain(&self.sizes);
        tallies.map(|tally| tally.blocks.get()).fold(self.due.all_blocks(), u64::wrapping_add)
    }

    /// Adds this page to a snapshot: calls, bytes, sizes. What is live is the caller's to add.
    pub fn sum_into(&self, out: &mut Snapshot) {
        let mut usable = self.usable.get().wrapping_add(self.due.bytes());
        for c in 1..=class::COUNT {
            let slot = class::CLASSES[c].slot as u64;
            for (tally, function) in [(&self.malloc[c], Function::Malloc), (&self.new[c], Function::New)] {
                let beside = self.due.blocks(function == Function::New, c);
                let (blocks, bytes) = (tally.blocks.get().wrapping_add(beside), tally.bytes.get());
                let row = &mut out.sizes[size_row(slot as usize)];
                row.blocks += blocks;
                row.asked += bytes;
                out.calls[function as usize] += blocks;
                out.asked[function as usize] += bytes;
                out.blocks_asked += blocks;
                usable += blocks * slot;
            }
        }
        for (row, tally) in out.sizes.iter_mut().zip(&self.sizes) {
            row.blocks += tally.blocks.get();
            row.asked += tally.bytes.get();
            out.blocks_asked += tally.blocks.get();
        }
        for (i, tally) in self.calls.iter().enumerate() {
            out.calls[i] += tally.blocks.get() + self.failed[i].get();
            out.asked[i] += tally.bytes.get();
            out.failed[i] += self.failed[i].get();
        }
        out.calls[Function::Realloc as usize] += self.realloc_zero[0].get();
        out.calls[Function::Reallocarray as usize] += self.realloc_zero[1].get();
        out.realloc_null += self.realloc_null.get();
        out.realloc_zero += self.realloc_zero[0].get() + self.realloc_zero[1].get();
        out.realloc_in_place += self.realloc_in_place.get();
        out.free_null += self.free_null.get() + self.delete_null.get();
        out.delete_null += self.delete_null.get();
        out.usable_asked += usable;
    }
}
