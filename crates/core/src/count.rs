//! What is counted: one page of plain counters a heap, and the snapshot that sums them.
//!
//! A counter has one writer, the thread that owns the heap, and any number of readers. A counter is
//! therefore a relaxed load and a relaxed store, never a locked instruction. Nothing here does I/O.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::class;

/// A counter with one writer. Adding is a plain add in memory; reading from another thread sees some
/// recent value, and the last one once the writer has ended.
#[derive(Default)]
#[repr(transparent)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`. Only the owner calls this.
    #[inline(always)]
    pub fn add(&self, n: u64) {
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

/// Bits of a [`Level`]'s word that count blocks.
const BLOCK_BITS: u32 = 24;
const BIAS: u64 = 1 << (BLOCK_BITS - 1);

/// What one block adds to a [`Level`]: its usable size in units of 16 bytes, and one block.
#[inline(always)]
pub const fn weight(usable: usize) -> u64 {
    ((usable as u64 / 16) << BLOCK_BITS) + 1
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
        self.word.get() as i64 >= 1 << BLOCK_BITS
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
        if self.word.get() == 0 {
            self.word.set(BIAS);
        }
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

/// The counters of one heap: a page that only its thread writes, at a fixed distance from the heap.
#[repr(C, align(4096))]
pub struct Counters {
    /// Blocks by class of the asked size, asked by malloc.
    pub malloc: [Tally; class::LIMIT],
    /// The same, by operator new.
    pub new: [Tally; class::LIMIT],
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
}

const _: () = assert!(size_of::<Counters>() == 4096);

impl Counters {
    /// Counts a block of `asked` bytes that takes `usable`, asked by `function`, and makes it live.
    pub fn block(&self, function: Function, asked: usize, usable: usize) {
        self.calls[function as usize].add(asked);
        self.sizes[size_row(asked)].add(asked);
        self.usable.add(usable as u64);
        self.level.add(weight(usable));
    }

    /// Adds this page to a snapshot: calls, bytes, sizes. What is live is the caller's to add.
    pub fn sum_into(&self, out: &mut Snapshot) {
        let mut usable = self.usable.get();
        for c in 1..=class::COUNT {
            let slot = class::CLASSES[c].slot as u64;
            for (tally, function) in [(&self.malloc[c], Function::Malloc), (&self.new[c], Function::New)] {
                let (blocks, bytes) = (tally.blocks.get(), tally.bytes.get());
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

/// One row of the size histogram.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct SizeRow {
    /// Upper limit of the sizes counted here, in bytes; the lower one is the row before's.
    pub le: u64,
    /// Blocks asked.
    pub blocks: u64,
    /// Bytes asked for them.
    pub asked: u64,
}

/// Slabs of one size class.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct ClassRow {
    /// Slot size in bytes.
    pub slot: u64,
    /// Slabs now.
    pub slabs: u64,
    /// Slots in them.
    pub slots: u64,
    /// Slots that hold a live block.
    pub used: u64,
}

/// The highest point of live memory.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Peak {
    /// Live usable bytes at the peak.
    pub live_usable: u64,
    /// Live blocks at that moment.
    pub live_blocks: u64,
    /// When it was reached, in nanoseconds of CLOCK_MONOTONIC; 0 when nothing was ever live.
    pub at_ns: u64,
    /// Whether the two figures above are exact (the process has had one thread).
    pub exact: bool,
    /// With `exact` false: the true peak lies within this many bytes of `live_usable`.
    pub bound: u64,
    /// Bytes mapped at the peak of mapped memory (a peak of its own).
    pub mapped: u64,
}

/// The engine under the malloc family.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct EngineRow {
    /// mmap calls that succeeded, those that purge (MAP_FIXED) included.
    pub mmap: u64,
    /// munmap calls that succeeded.
    pub munmap: u64,
    /// Bytes mapped now: regions and bookkeeping.
    pub mapped: u64,
    /// Nodes of the main chain.
    pub regions: u64,
    /// PROCESS segments in all sub-chains.
    pub process: u64,
    /// HOLE segments in all sub-chains.
    pub hole: u64,
    /// Bytes in HOLE segments.
    pub hole_bytes: u64,
    /// The largest HOLE, bytes.
    pub largest_hole: u64,
    /// Holes that were split to serve a request.
    pub splits: u64,
    /// Joins of a hole with a neighbour.
    pub joins: u64,
    /// Bytes mapped for bookkeeping.
    pub bookkeeping: u64,
    /// Bytes in PROCESS segments that no live block uses: free slots, slab tails, thread caches.
    pub slack: u64,
    /// Bytes of `live` rounding: usable − asked over live blocks is not known by size; this is usable − asked
    /// over all blocks ever asked.
    pub rounding: u64,
}

/// The mems_* heap.
#[derive(Clone, Copy, Default)]
pub struct MemsRow {
    /// Page size in bytes that mems_* maps in.
    pub page_size: u64,
    /// First MeMS virtual address.
    pub start: u64,
    /// Pages mapped.
    pub pages: u64,
    /// Bytes in holes.
    pub unused: u64,
    /// Nodes of its main chain.
    pub regions: u64,
    /// PROCESS segments.
    pub process: u64,
    /// HOLE segments.
    pub hole: u64,
}

/// All counters at one instant. Made by `heap::snapshot`, without a lock and without allocating.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Snapshot {
    /// Calls by function, failed ones included.
    pub calls: [u64; FUNCTIONS],
    /// Failed calls by function.
    pub failed: [u64; FUNCTIONS],
    /// Bytes asked by function, of calls that succeeded.
    pub asked: [u64; FUNCTIONS],
    /// free(NULL) and delete of NULL.
    pub free_null: u64,
    /// Of these, delete of NULL.
    pub delete_null: u64,
    /// realloc(NULL, n).
    pub realloc_null: u64,
    /// realloc(p, 0).
    pub realloc_zero: u64,
    /// realloc and reallocarray whose block stayed where it was.
    pub realloc_in_place: u64,
    /// Blocks asked: every successful allocation, every successful realloc (which also frees one).
    pub blocks_asked: u64,
    /// Blocks live now, inherited ones included.
    pub blocks_live: u64,
    /// Usable bytes of all blocks ever asked.
    pub usable_asked: u64,
    /// Blocks freed.
    pub blocks_freed: u64,
    /// Usable bytes of the blocks freed.
    pub freed_usable: u64,
    /// Usable bytes of the blocks live now.
    pub live_usable: u64,
    /// In a forked child: blocks live at the fork.
    pub inherited_blocks: u64,
    /// In a forked child: usable bytes live at the fork.
    pub inherited_bytes: u64,
    /// The peak.
    pub peak: Peak,
    /// Histogram of asked sizes.
    pub sizes: [SizeRow; SIZES],
    /// The engine.
    pub engine: EngineRow,
    /// Slabs by class; rows with `slot == 0` are unused.
    pub classes: [ClassRow; class::LIMIT],
    /// Threads that have a heap now, at peak, and heaps' threads ever.
    pub threads: [u64; 3],
}

impl Snapshot {
    /// A snapshot of nothing.
    pub const EMPTY: Snapshot = Snapshot {
        calls: [0; FUNCTIONS],
        failed: [0; FUNCTIONS],
        asked: [0; FUNCTIONS],
        free_null: 0,
        delete_null: 0,
        realloc_null: 0,
        realloc_zero: 0,
        realloc_in_place: 0,
        blocks_asked: 0,
        blocks_live: 0,
        usable_asked: 0,
        blocks_freed: 0,
        freed_usable: 0,
        live_usable: 0,
        inherited_blocks: 0,
        inherited_bytes: 0,
        peak: Peak { live_usable: 0, live_blocks: 0, at_ns: 0, exact: true, bound: 0, mapped: 0 },
        sizes: [SizeRow { le: 0, blocks: 0, asked: 0 }; SIZES],
        engine: EngineRow {
            mmap: 0,
            munmap: 0,
            mapped: 0,
            regions: 0,
            process: 0,
            hole: 0,
            hole_bytes: 0,
            largest_hole: 0,
            splits: 0,
            joins: 0,
            bookkeeping: 0,
            slack: 0,
            rounding: 0,
        },
        classes: [ClassRow { slot: 0, slabs: 0, slots: 0, used: 0 }; class::LIMIT],
        threads: [0; 3],
    };
}

/// One thing that a walk of the main chain meets, in address order. Physical addresses; sizes in bytes.
#[derive(Clone, Copy, Debug)]
pub enum WalkItem {
    /// A region: the segments that follow, up to the next region, are its sub-chain.
    Region {
        /// First byte.
        start: usize,
        /// Size.
        bytes: usize,
    },
    /// A PROCESS segment.
    Process {
        /// First byte.
        start: usize,
        /// Length in bytes.
        bytes: usize,
        /// For a slab: slot size in bytes, slots, slots not free. None for a large block.
        slab: Option<(u32, u32, u32)>,
    },
    /// A HOLE.
    Hole {
        /// First byte.
        start: usize,
        /// Length in bytes.
        bytes: usize,
    },
}
