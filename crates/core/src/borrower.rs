//! A heap as a borrower: where its slabs are sparse, it looks for holes to lend before it maps anything new.
//!
//! Owns no memory; the loans are the slabs' (see `loans`). Slow path only, once a slab that would otherwise be made.

use core::cell::Cell;

use crate::block;
use crate::class::{CLASSES, LIMIT};
use crate::heap::Heap;

/// Bytes of free slots from which on a heap looks for loans.
const SPARSE: usize = 512 << 10;
/// Slabs that are looked at for loans at once.
const LOOKS: u32 = 128;
/// The longest pause between looks that find nothing, in slabs.
const LONGEST_PAUSE: u16 = 4;

impl Heap {
    /// As [`Heap::take`], at a multiple of `align`: slots of such a class lie at one, lent blocks may not.
    pub fn take_aligned(&'static self, class: usize, align: usize) -> Option<usize> {
        let block = self.take(class)?;
        if block & (align - 1) == 0 {
            return Some(block);
        }
        let shelf = &self.shelves[class % LIMIT];
        let slab = shelf.first().or_else(|| self.add_slab(class));
        block::mark(block, self.secret.get());
        self.put(class, block);
        let (slab, place) = (slab?, [Cell::new(0)]);
        slab.take(&place, self.secret.get());
        shelf.note(slab);
        let [block] = place;
        block::claim(block.get(), self.secret.get()).then_some(block.get())
    }

    /// Blocks of `class` in the holes of sparse slabs of other classes, smallest slots first, since their runs serve few;
    /// into `out`. Returns how many. Looks only where
    /// free slots are a sixteenth of this heap's slabs and half a MiB, at a few slabs, and less often where it
    /// found nothing.
    pub fn borrow(&'static self, class: usize, out: &[Cell<usize>]) -> usize {
        let pause = &self.pauses[class % LIMIT];
        if pause.get().0 > 0 {
            pause.set((pause.get().0 - 1, pause.get().1));
            return 0;
        }
        let (mut free, mut all) = (0, 0);
        for (shelf, kind) in self.shelves.iter().zip(&CLASSES) {
            free += shelf.free_slots() as usize * kind.slot as usize;
            all += shelf.slabs() as usize * (kind.mask as usize + 1);
        }
        if free < SPARSE || free * 16 < all {
            return 0;
        }
        let wanted = CLASSES[class % LIMIT].slot;
        let lenders = (2..(class + 3).min(LIMIT))
            .filter(|&c| c != class && fits(CLASSES[c].slot, wanted) && self.may_lend(c, wanted));
        let mut count = 0;
        let mut looks = LOOKS;
        for lender in lenders {
            let shelf = &self.shelves[lender];
            // Each slab is looked at and goes to the back.
            let mut left = (shelf.free_slots() / CLASSES[lender].slots).min(looks) as usize;
            while left > 0 && count < out.len() {
                let Some(slab) = shelf.first() else { break };
                let lent = slab.lend(class, &out[count..], self.secret.get());
                count += lent;
                shelf.note(slab);
                shelf.postpone(slab);
                left -= 1;
                looks -= 1;
            }
            if count == out.len() || looks == 0 {
                break;
            }
        }
        let longer = if count > 0 { 0 } else { (pause.get().1 * 2 + 1).min(LONGEST_PAUSE) };
        pause.set((longer, longer));
        count
    }

    /// Whether the slabs of class `lender` have enough free slots that runs for `wanted` bytes are likely: the free share
    /// to the power of the run's length is at least a thousandth.
    fn may_lend(&self, lender: usize, wanted: u32) -> bool {
        let (shelf, kind) = (&self.shelves[lender], &CLASSES[lender]);
        let free = shelf.free_slots() as u64 * 1024 / (shelf.slabs() as u64 * kind.slots as u64).max(1);
        let mut likely = 1024;
        for _ in 0..wanted.div_ceil(kind.slot) {
            likely = likely * free / 1024;
            // A run of a thousand small slots is decided after a few.
            if likely < 1 || free == 1024 {
                break;
            }
        }
        likely >= 1
    }
}

/// Whether a run of such slots for `wanted` bytes wastes a fifth at most.
fn fits(slot: u32, wanted: u32) -> bool {
    slot > 0 && wanted.div_ceil(slot) * slot * 4 <= wanted * 5
}
