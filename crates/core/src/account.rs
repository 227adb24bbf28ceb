//! The counters of the whole process, together on one page: the kernel's calls, live memory over all heaps, threads.
//!
//! Only the data lies here; who counts what is said where it is counted (`os`, `whole`, `registry`). A page of its own, so
//! that it can be mapped shared from a file (see `shared`). Never holds a pointer: another process reads it.

use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize};

/// The kernel's memory calls that succeeded, and what is mapped through them.
#[repr(C)]
pub struct Calls {
    /// mmap, purges included.
    pub mmap: AtomicU64,
    /// munmap.
    pub munmap: AtomicU64,
    /// Bytes mapped now.
    pub mapped: AtomicUsize,
    /// The most that was ever mapped at once.
    pub mapped_peak: AtomicUsize,
}

/// The live memory of the whole process, once it has had a second thread.
#[repr(C)]
pub struct Whole {
    /// Set when a second thread appears; until then one heap's level is the truth.
    pub shared: AtomicBool,
    pub(crate) live: AtomicI64,
    pub(crate) blocks: AtomicI64,
    /// The highest `live`, units of 16 bytes.
    pub peak: AtomicI64,
    /// When that was, CLOCK_MONOTONIC in ns.
    pub peak_at: AtomicU64,
    /// Live blocks then.
    pub(crate) peak_blocks: AtomicI64,
    /// The largest change that was published at once.
    pub step: AtomicUsize,
}

/// The page.
#[repr(C, align(4096))]
pub struct Account {
    /// See [`Calls`].
    pub calls: Calls,
    /// See [`Whole`].
    pub whole: Whole,
    /// Threads that have a heap now, the most there were at once, all there ever were.
    pub threads: [AtomicU64; 3],
    /// free and delete of NULL by threads without a heap: no reason to make one.
    pub nulls: [AtomicU64; 2],
}

const _: () = assert!(size_of::<Account>() == 4096);

/// This process's.
pub static ACCOUNT: Account = Account {
    calls: Calls {
        mmap: AtomicU64::new(0),
        munmap: AtomicU64::new(0),
        mapped: AtomicUsize::new(0),
        mapped_peak: AtomicUsize::new(0),
    },
    whole: Whole {
        shared: AtomicBool::new(false),
        live: AtomicI64::new(0),
        blocks: AtomicI64::new(0),
        peak: AtomicI64::new(0),
        peak_at: AtomicU64::new(0),
        peak_blocks: AtomicI64::new(0),
        step: AtomicUsize::new(0),
    },
    threads: [const { AtomicU64::new(0) }; 3],
    nulls: [const { AtomicU64::new(0) }; 2],
};
