//! Where another process finds this one's counters and its main chain: addresses, for `mems top` and `mems heap`.
//!
//! A reader with the rights of a debugger finds the library's `mems_live` symbol, checks magic and layout, and reads on by
//! these addresses from `/proc/PID/mem`. Nothing here is called for that, and nothing stops. Owns nothing.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU64, Ordering::*};

use crate::account::ACCOUNT;
use crate::heap::Heap;
use crate::shared::LAYOUT;
use crate::{engine, nodes, registry, snapshot};

/// What [`Live::magic`] holds once the rest is filled in.
pub const MAGIC: u64 = u64::from_le_bytes(*b"MEMSLIVE");

/// Addresses and offsets in bytes.
#[repr(C)]
#[derive(Default)]
pub struct Live {
    /// [`MAGIC`].
    pub magic: AtomicU64,
    /// [`LAYOUT`].
    pub layout: AtomicU64,
    /// The page of the whole process's counters.
    pub account: AtomicU64,
    /// The word that holds the address of the newest heap.
    pub newest: AtomicU64,
    /// In a heap: the page of its counters.
    pub counters: AtomicU64,
    /// In a heap: the word that holds the address of the one before it.
    pub older: AtomicU64,
    /// The byte that is 1 in a forked child.
    pub is_forked: AtomicU64,
    /// The snapshot that a forked child's counters began at.
    pub at_fork: AtomicU64,
    /// The word that holds the name of the main chain's first node.
    pub chain: AtomicU64,
    /// The addresses of the tiers of nodes, the first of [`Live::first_tier`] nodes, each further one twice as large.
    pub tiers: AtomicU64,
    /// See `tiers`.
    pub first_tier: AtomicU64,
    /// Bits of a node's start that are its physical page.
    pub physical: AtomicU64,
}

impl Live {
    /// Nothing yet.
    pub const fn new() -> Live {
        // SAFETY: numbers, for which zero is a value.
        unsafe { core::mem::zeroed() }
    }

    /// Fills everything in. To be called once, at load.
    pub fn fill(&self) {
        let Some((chain, tiers)) = engine::places() else { return };
        let (is_forked, at_fork) = snapshot::places();
        self.layout.store(LAYOUT, Relaxed);
        self.account.store(core::ptr::from_ref(&ACCOUNT) as u64, Relaxed);
        self.newest.store(registry::place() as u64, Relaxed);
        self.counters.store(offset_of!(Heap, counters) as u64, Relaxed);
        self.older.store(offset_of!(Heap, older) as u64, Relaxed);
        self.is_forked.store(is_forked as u64, Relaxed);
        self.at_fork.store(at_fork as u64, Relaxed);
        self.chain.store(chain as u64, Relaxed);
        self.tiers.store(tiers as u64, Relaxed);
        self.first_tier.store(nodes::FIRST as u64, Relaxed);
        self.physical.store(u64::from(engine::PHYSICAL), Relaxed);
        self.magic.store(MAGIC, Release);
    }
}
