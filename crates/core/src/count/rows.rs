//! The rows of a snapshot: what a report is written from, as plain numbers.
//!
//! Filled by `snapshot`, `engine` and `vspace`, read by `report` and by the `mems` command. Counts nothing itself.

use crate::class;
use crate::count::{FUNCTIONS, SIZES};

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
    /// madvise calls that asked for huge pages and succeeded: 0 but with `MEMS_HUGEPAGES=1`.
    pub madvise: u64,
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
        peak: Peak { live_usable: 0, live_blocks: 0, at_ns: 0, exact: false, bound: 0, mapped: 0 },
        sizes: [SizeRow { le: 0, blocks: 0, asked: 0 }; SIZES],
        engine: EngineRow {
            mmap: 0,
            munmap: 0,
            madvise: 0,
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
