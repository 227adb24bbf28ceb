//! The vault: a heap's hardened part. For each class its slabs and its quarantine.
//!
//! Only the heap's thread touches it (see `heap`), so nothing is locked. A slot that is freed waits in its class's
//! quarantine until a random later one takes its place there; only then is it ready to be given out again, and malloc
//! takes a random one of those that are ready. What more there is goes back to its slab, from which it comes again at
//! random. Slabs that are all free go back to the kernel, but for a few.

use core::cell::Cell;

use crate::hard::large::Large;
use crate::hard::random::Random;
use crate::hard::region;
use crate::hard::slab::Slab;
use crate::heap::Heap;
use crate::{os, pool, secret};

/// Most slots that wait in a class's quarantine.
pub const WAITING: usize = 64;
/// Most bytes that do.
pub const WAITING_BYTES: usize = 128 << 10;
/// Calls from one look at the level to the next.
const TURNS: usize = 256;
/// Most slots that are ready.
const READY: usize = 64;
/// Slots that are taken from a slab at once.
const REFILL: usize = 16;
/// Freed large blocks whose addresses stay reserved.
pub const GRAVES: usize = 64;

/// A slot: its slab and its number there.
type Spot = (&'static Slab, usize);

/// What a vault has of one class.
pub struct Row {
    /// How many slots are ready.
    ready_count: Cell<usize>,
    /// How many wait.
    waiting: Cell<usize>,
    /// Slots that may be given out.
    ready: [Cell<Option<Spot>>; READY],
    /// Slots that wait.
    quarantine: [Cell<Option<Spot>>; WAITING],
    /// Slabs with free slots, the next to be used first.
    usable: Cell<Option<&'static Slab>>,
    /// Slabs whose pages went back.
    bare: Cell<Option<&'static Slab>>,
    /// Slabs with pages.
    slabs: Cell<usize>,
    /// Of these, slabs without a block.
    empty: Cell<usize>,
}

/// See the module. All zero bytes are a vault that has nothing yet.
pub struct Vault {
    /// Decides where blocks go.
    pub random: Random,
    /// Calls that were served.
    turns: Cell<usize>,
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
    pub fn take(&self, class: usize, heap: &Heap, random: &Random) -> Option<Spot> {
        let mut count = self.ready_count.get();
        if count == 0 {
            self.refill(class, heap, random)?;
            count = self.ready_count.get();
        }
        let last = self.ready[(count - 1) % READY].get();
        self.ready_count.set(count - 1);
        self.ready[random.below(count) % READY].replace(last)
    }

    /// Readies some slots of one slab, from random places of it.
    #[inline(never)]
    fn refill(&self, class: usize, heap: &Heap, random: &Random) -> Option<()> {
        let slab = match self.usable.get() {
            Some(slab) => slab,
            None => self.add(class, heap)?,
        };
        if slab.free.get() == slab.slots {
            self.empty.set(self.empty.get() - 1);
        }
        let count = slab.free.get().min(REFILL);
        for place in &self.ready[..count] {
            place.set(Some((slab, slab.take(random))));
        }
        self.ready_count.set(count);
        if slab.free.get() == 0 {
            Row::unlist(&self.usable, slab);
        }
        Some(())
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

    /// Puts a freed slot into quarantine; the one whose place it takes there is ready then.
    #[inline]
    pub fn bury(&self, slab: &'static Slab, number: usize, random: &Random) {
        let waiting = self.waiting.get();
        if waiting < slab.waiting {
            self.quarantine[waiting % WAITING].set(Some((slab, number)));
            self.waiting.set(waiting + 1);
            return;
        }
        let place = &self.quarantine[random.below(waiting) % WAITING];
        let Some((slab, number)) = place.replace(Some((slab, number))) else { return };
        slab.rise(number);
        let count = self.ready_count.get();
        if count < READY {
            self.ready[count].set(Some((slab, number)));
            self.ready_count.set(count + 1);
        } else {
            self.give_back(slab, number);
        }
    }

    /// Gives a slot back to its slab.
    #[inline(never)]
    fn give_back(&self, slab: &'static Slab, number: usize) {
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
    /// What every call does once: from time to time it brings the heap's level in order, which asks the clock.
    #[inline]
    pub fn turn(&self, heap: &Heap) {
        let turns = self.turns.get() + 1;
        self.turns.set(turns);
        if turns.is_multiple_of(TURNS) {
            heap.settle();
        }
    }

    /// The row of `class`.
    #[inline]
    pub fn row(&self, class: usize) -> &Row {
        &self.rows[class % self.rows.len()]
    }

    /// Gives every slab without a block, and the addresses of freed large blocks, back. What waits in quarantine goes
    /// on waiting.
    pub fn release(&self) {
        for row in &self.rows {
            for place in &row.ready[..row.ready_count.replace(0).min(READY)] {
                if let Some((slab, number)) = place.take() {
                    row.give_back(slab, number);
                }
            }
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
