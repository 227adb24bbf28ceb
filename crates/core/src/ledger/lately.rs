//! What was booked lately and stands in no row yet: sites met by their address, and the block that a class gave out last.
//!
//! A block that is given out, freed, and given out again at the same site leaves what is live of that site as it was; so
//! nobody need look at its row in between. Such *turns* are counted here, by class, and added to the row when another block
//! comes. Belongs to the ledger.

use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Row;
use crate::count::Counter;

/// A site that was met lately.
#[repr(C, align(64))]
pub struct Recent {
    /// Its address; 0: none. Other threads set it to that.
    address: AtomicUsize,
    /// Its number.
    site: Cell<u32>,
    /// Sizes from here on ...
    least: Cell<usize>,
    /// ... and this much more are within what its row spans, and small.
    width: Cell<usize>,
    /// Its row.
    row: Cell<Option<&'static Row>>,
}

impl Recent {
    /// No site.
    pub(super) const fn new() -> Recent {
        Recent {
            address: AtomicUsize::new(0),
            site: Cell::new(0),
            least: Cell::new(0),
            width: Cell::new(0),
            row: Cell::new(None),
        }
    }

    /// The site met here.
    pub fn set(&self, address: usize, site: u32, row: &'static Row) {
        self.site.set(site);
        self.least.set(usize::MAX);
        self.width.set(0);
        self.row.set(Some(row));
        self.address.store(address, Relaxed);
    }

    /// No site any more.
    pub(super) fn forget(&self) {
        self.address.store(0, Relaxed);
    }

    /// Whether it is this address's.
    #[inline(always)]
    pub fn is(&self, address: usize) -> bool {
        self.address.load(Relaxed) == address
    }

    /// Whether the size is small, and within what the site's row spans, as far as is known here.
    #[inline(always)]
    pub fn spans(&self, size: usize) -> bool {
        size.wrapping_sub(self.least.get()) <= self.width.get()
    }

    /// From now on the small `size` is.
    pub fn widen(&self, size: usize) {
        let least = self.least.get();
        if least == usize::MAX {
            return self.least.set(size);
        }
        let most = (least + self.width.get()).max(size);
        self.least.set(least.min(size));
        self.width.set(most - least.min(size));
    }

    /// Its number and row.
    pub fn found(&self) -> Option<(u32, &'static Row)> {
        Some((self.site.get(), self.row.get()?))
    }
}

/// The block of a class that was given out last.
///
/// All that the class's tallies of malloc and new counted since then are its turns.
#[repr(C, align(64))]
pub struct Lately {
    /// Its address; 0: there is none, or it does not come in turn.
    block: Cell<usize>,
    /// The address of its site, 0 when its calls are not to be taken for granted. Other threads set it to that.
    address: AtomicUsize,
    /// Sizes from here on ...
    least: Cell<usize>,
    /// ... and this much more are within what its row spans, as far as is known here.
    width: Cell<usize>,
    /// Its site; 0: there is no block.
    site: Cell<u32>,
    /// What the tallies said when it came to stand here, or when its turns were last added to its row: blocks, and bytes.
    since: [Cell<u64>; 2],
    /// How often it was freed before its thread allocated anew, since then.
    temporary: Counter,
}

impl Lately {
    /// No block.
    pub(super) const fn new() -> Lately {
        Lately {
            block: Cell::new(0),
            address: AtomicUsize::new(0),
            least: Cell::new(0),
            width: Cell::new(0),
            site: Cell::new(0),
            since: [const { Cell::new(0) }; 2],
            temporary: Counter::new(),
        }
    }

    /// Whether it was given out at the site with this address, which spans the size.
    #[inline(always)]
    pub fn is_of(&self, address: usize, size: usize) -> bool {
        self.address.load(Relaxed) == address && size.wrapping_sub(self.least.get()) <= self.width.get()
    }

    /// Whether `block`, given out at the same site, comes in turn: it was the last one, and has been freed since. The caller
    /// took it off the class's stack just now.
    #[inline(always)]
    pub fn is_turn(&self, block: usize) -> bool {
        self.block.get() == block
    }

    /// The block, which was the last one that the thread allocated, is freed.
    #[inline(always)]
    pub fn is_temporary(&self) {
        self.temporary.add(1);
    }

    /// Another block is the last one, and what there was to be added to a row has been.
    #[inline(always)]
    pub(super) fn set(&self, block: usize, address: usize, recent: &Recent) {
        self.block.set(block);
        self.site.set(recent.site.get());
        self.least.set(recent.least.get());
        self.width.set(recent.width.get());
        self.address.store(address, Relaxed);
    }

    /// The same, but none comes in turn; `site` 0: there is none.
    #[inline(always)]
    pub(super) fn set_apart(&self, site: u32) {
        self.block.set(0);
        self.site.set(site);
        self.forget();
    }

    /// The site's code may be gone.
    #[inline(always)]
    pub(super) fn forget(&self) {
        self.address.store(0, Relaxed);
    }

    /// The next block does not come in turn, whichever it is.
    #[inline(always)]
    pub fn spoil(&self) {
        self.block.set(0);
    }

    /// The site of the block, 0 when there is none.
    #[inline(always)]
    pub(super) fn site(&self) -> u32 {
        self.site.get()
    }

    /// Turns, the bytes asked in them, and temporaries until the tallies said `now`, which are not here any more.
    #[inline(always)]
    pub(super) fn take(&self, now: [u64; 2]) -> [u64; 3] {
        let [blocks, bytes] = [0, 1].map(|i| now[i].wrapping_sub(self.since[i].replace(now[i])));
        let temporary = self.temporary.get();
        self.temporary.set(0);
        [blocks, bytes, temporary]
    }
}
