//! Where another process finds this one's counters, call sites and main chain: addresses, for `mems top` and `mems heap`.
//!
//! A reader with the rights of a debugger finds the library's `mems_live` symbol, checks magic and layout, and reads on by
//! these addresses from `/proc/PID/mem`. Nothing here is called for that, and nothing stops. Owns nothing.

use core::mem::offset_of;
use core::sync::atomic::{AtomicU64, Ordering::*};

use crate::account::ACCOUNT;
use crate::heap::Heap;
use crate::ledger::{Ledger, ROWS, Row};
use crate::profile::modules::{self, Module};
use crate::profile::sites::{self, Node};
use crate::slab::Slab;
use crate::stack::Stack;
use crate::{engine, nodes, pagemap, registry, shared, snapshot};

/// What [`Live::magic`] holds once the rest is filled in.
pub const MAGIC: u64 = u64::from_le_bytes(*b"MEMSLIVE");

/// What is read depends on the build: reader and process must have the same number here.
pub const LAYOUT: u64 = layout();

const fn layout() -> u64 {
    let read = [size_of::<Live>(), size_of::<Heap>(), size_of::<Ledger>(), ROWS, size_of::<Row>()];
    let more = [size_of::<Module>(), size_of::<Node>(), size_of::<Slab>(), size_of::<Stack>()];
    let mut hash = shared::LAYOUT;
    let mut i = 0;
    while i < read.len() + more.len() {
        let size = if i < read.len() { read[i] } else { more[i - read.len()] };
        hash = (hash ^ size as u64).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    hash
}

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
    /// In a heap: the stacks, by class.
    pub stacks: AtomicU64,
    /// In a heap: the word that holds the address of its ledger; 0: it has none.
    pub ledger: AtomicU64,
    /// In a ledger: the word that holds the address of the directory of its pages of rows; behind it how many.
    pub pages: AtomicU64,
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
    /// See [`pagemap::places`].
    pub page_map: [AtomicU64; 3],
    /// See [`sites::places`].
    pub sites: [AtomicU64; 4],
    /// See [`modules::places`].
    pub modules: [AtomicU64; 2],
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
        self.stacks.store(offset_of!(Heap, stacks) as u64, Relaxed);
        self.ledger.store(offset_of!(Heap, ledger) as u64, Relaxed);
        self.pages.store(offset_of!(Ledger, pages) as u64, Relaxed);
        self.is_forked.store(is_forked as u64, Relaxed);
        self.at_fork.store(at_fork as u64, Relaxed);
        self.chain.store(chain as u64, Relaxed);
        self.tiers.store(tiers as u64, Relaxed);
        self.first_tier.store(nodes::FIRST as u64, Relaxed);
        self.physical.store(u64::from(engine::PHYSICAL), Relaxed);
        let fill = |places: &[AtomicU64], from: &[usize]| {
            places.iter().zip(from).for_each(|(place, address)| place.store(*address as u64, Relaxed));
        };
        fill(&self.page_map, &pagemap::places());
        fill(&self.sites, &sites::places());
        fill(&self.modules, &modules::places());
        self.magic.store(MAGIC, Release);
    }
}
