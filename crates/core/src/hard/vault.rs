//! The vault: a heap's hardened part. For each class its slabs and its quarantine.
//!
//! Only the heap's thread touches it (see `heap`), so nothing is locked. A slot that is freed waits in its class's
//! quarantine until a random later one takes its place there; only then may it be given out again, from a random
//! place of its slab. Slabs that are all free go back to the kernel, but for a few.

use core::cell::Cell;

use crate::hard::large::Large;
use crate::hard::random::Random;
use crate::hard::region;
use crate::hard::slab::{self, Slab, State};
use crate::heap::Heap;
use crate::{os, pagemap, pool, secret};

/// Most slots that wait in a class's quarantine.
const WAITING: usize = 64;
/// Most bytes that do.
const WAITING_BYTES: usize = 128 << 10;
/// Freed large blocks whose addresses stay reserved.
pub const GRAVES: usize = 64;

/// What a vault has of one class.
pub struct Row {
    /// Slabs with free slots, the next to be used first.
    usable: Cell<Option<&'static Slab>>,
    /// Slabs whose pages went back.
    bare: Cell<Option<&'static Slab>>,
    /// Slabs with pages.
    slabs: Cell<usize>,
    /// Of these, slabs without a block.
    empty: Cell<usize>,
    /// How many wait.
    waiting: Cell<usize>,
    /// Addresses of slots that wait.
    quarantine: [Cell<usize>; WAITING],
}

/// See the module. All zero bytes are a vault that has nothing yet.
pub struct Vault {
    /// Decides where blocks go.
    pub random: Random,
    /// By class; row 0 is that of blocks of no bytes.
    rows: [Row; crate::class::COUNT + 1],
    /// Freed large blocks whose addresses are not reused yet.
    pub graves: [Cell<Option<&'static Large>>; GRAVES],
}

/// The vault of a heap, made when first needed. None when there is no memory for it.
#[inline]
pub fn of(heap: &'static Heap) -> Option<&'static Vault> {
    // SAFETY: the word is null or leads to this heap's vault, which lives for good.
    match unsafe { heap.vault.get().cast::<Vault>().as_ref() } {
        None => make(heap),
        vault => vault,
    }
}

#[cold]
fn make(heap: &'static Heap) -> Option<&'static Vault> {
    const { assert!(size_of::<Vault>() > 8192, "the pool gives zero pages for it") };
    let at = pool::take::<Vault>()?;
    // SAFETY: a fresh mapping of zero bytes, which are a valid vault, and never unmapped.
    let vault = unsafe { at.as_ref() };
    vault.random.seed(secret::get(), heap.address(), os::now_ns());
    heap.vault.set(at.as_ptr().cast());
    Some(vault)
}

impl Row {
    fn list(list: &Cell<Option<&'static Slab>>, slab: &'static Slab) {
        slab.prev.set(None);
        slab.next.set(list.get());
        if let Some(next) = list.get() {
            next.prev.set(Some(slab));
        }
        list.set(Some(slab));
    }

    fn unlist(list: &Cell<Option<&'static Slab>>, slab: &'static Slab) {
        match slab.prev.get() {
            Some(prev) => prev.next.set(slab.next.get()),
            None => list.set(slab.next.get()),
        }
        if let Some(next) = slab.next.get() {
            next.prev.set(slab.prev.get());
        }
    }

    /// Takes a free slot: its slab and number. None when memory is short.
    #[inline]
    pub fn take(&self, class: usize, heap: &Heap, random: &Random) -> Option<(&'static Slab, usize)> {
        let slab = match self.usable.get() {
            Some(slab) => slab,
            None => self.add(class, heap)?,
        };
        if slab.free.get() == slab.slots {
            self.empty.set(self.empty.get() - 1);
        }
        let number = slab.take(random);
        if slab.free.get() == 0 {
            Row::unlist(&self.usable, slab);
        }
        Some((slab, number))
    }

    #[cold]
    fn add(&self, class: usize, heap: &Heap) -> Option<&'static Slab> {
        let slab = match self.bare.get() {
            Some(slab) => {
                if !slab.commit() {
                    return None;
                }
                Row::unlist(&self.bare, slab);
                slab
            }
            None => {
                let slab = Slab::make(region::place(class)?, class, heap.address())?;
                if !slab.commit() {
                    Row::list(&self.bare, slab);
                    return None;
                }
                slab
            }
        };
        self.slabs.set(self.slabs.get() + 1);
        self.empty.set(self.empty.get() + 1);
        Row::list(&self.usable, slab);
        Some(slab)
    }

    /// Puts a freed slot into quarantine, and makes the one whose place it takes free.
    #[inline]
    pub fn bury(&self, slab: &'static Slab, number: usize, random: &Random) {
        let most = (WAITING_BYTES / slab.slot).clamp(2, WAITING);
        let address = slab.address(number);
        let waiting = self.waiting.get();
        if waiting < most {
            self.quarantine[waiting].set(address);
            self.waiting.set(waiting + 1);
            return;
        }
        let other = self.quarantine[random.below(most)].replace(address);
        self.rise(other);
    }

    /// Makes a slot that waited free.
    #[inline]
    fn rise(&self, address: usize) {
        let Some(entry) = pagemap::entry(address) else { return };
        let Some(slab) = slab::of(entry, slab::SLAB) else { return };
        let (number, _) = slab.slot_at(address);
        let mut facts = slab.facts(number);
        facts.state = State::Free;
        slab.set(number, facts);
        slab.put(number);
        if slab.free.get() == 1 {
            Row::list(&self.usable, slab);
        }
        if slab.free.get() == slab.slots {
            self.empty.set(self.empty.get() + 1);
            // Some stay, so that a heap that breathes does not go to the kernel each time.
            if self.empty.get() > 2 + self.slabs.get() / 4 {
                self.part(slab);
            }
        }
    }

    fn part(&self, slab: &'static Slab) {
        if slab.decommit() {
            Row::unlist(&self.usable, slab);
            Row::list(&self.bare, slab);
            self.slabs.set(self.slabs.get() - 1);
            self.empty.set(self.empty.get() - 1);
        }
    }
}

impl Vault {
    /// The row of `class`.
    #[inline]
    pub fn row(&self, class: usize) -> &Row {
        &self.rows[class % self.rows.len()]
    }

    /// Gives every slab without a block, and the addresses of freed large blocks, back. What waits in quarantine goes
    /// on waiting.
    pub fn release(&self) {
        for row in &self.rows {
            let mut at = row.usable.get();
            while let Some(slab) = at {
                at = slab.next.get();
                if slab.free.get() == slab.slots {
                    row.part(slab);
                }
            }
        }
        for grave in &self.graves {
            if let Some(large) = grave.take() {
                large.end();
            }
        }
    }
}
