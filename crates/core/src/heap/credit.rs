//! Frees that are credited to their sites later: what a heap's stacks hold of them, and when that is made good.
//!
//! While a process has had one thread and its level stays below the peak, a free where sites are recorded need not look up
//! the block's site: the mark stays beside the slot, and whoever takes the block off the stack again sees whose it was. So
//! a block on a stack with a mark is one whose site has not been credited. All of them are before the peak is raised,
//! before they leave the stack, and before anybody sums the rows: what was live at the peak, and is, stays exact. Only the
//! heap's thread comes here, or whoever writes the record when that thread does nothing.

use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::fence;

use super::Heap;
use crate::class::{CLASSES, COUNT};
use crate::count::{ABOVE, NEVER};
use crate::ledger::{Ledger, Share};
use crate::whole::WHOLE;
use crate::{pagemap, slab};

/// Frees that are credited at once after the peak was raised: to look through the stacks costs what a few hundred of them do.
const AT_ONCE: u32 = 2048;

impl Heap {
    /// Marks the peak: another one means that the peak was raised meanwhile.
    #[inline(always)]
    pub fn epoch(&self) -> u64 {
        let peak = if WHOLE.shared.load(Relaxed) {
            WHOLE.peak.load(Relaxed) as u64
        } else {
            self.counters.level.peak_units()
        };
        peak << 1 | 1
    }

    /// A free was credited at once. From the last of many in a row on, they are credited later, in a process with one thread.
    #[inline(always)]
    pub fn credited_at_once(&self, ledger: &Ledger) {
        let until = ledger.until.get();
        ledger.until.set(until.wrapping_sub(1));
        if until == 0 {
            self.defer(ledger);
        }
    }

    #[cold]
    fn defer(&self, ledger: &Ledger) {
        ledger.until.set(AT_ONCE);
        ledger.defers.set(true);
        self.fence.store(ABOVE, Relaxed);
        // A second thread may close it just now.
        fence(SeqCst);
        if WHOLE.shared.load(Relaxed) {
            self.fence.store(NEVER, Relaxed);
        }
    }

    /// Credits what is to be credited, and does so at once from now on.
    #[inline]
    pub fn credit_at_once(&self) {
        if let Some(ledger) = self.ledger.get()
            && ledger.defers.get()
        {
            self.end_deferral(ledger);
        }
    }

    #[cold]
    #[inline(never)]
    fn end_deferral(&self, ledger: &Ledger) {
        self.fence.store(NEVER, Relaxed);
        self.credit_all(ledger);
        ledger.defers.set(false);
        ledger.until.set(AT_ONCE);
    }

    /// Brings the rows of its sites up to date.
    pub fn credit(&self) {
        if let Some(ledger) = self.ledger.get()
            && ledger.defers.get()
        {
            self.credit_all(ledger);
        }
    }

    fn credit_all(&self, ledger: &Ledger) {
        for class in 1..=COUNT {
            self.credit_class(ledger, class);
        }
    }

    /// Credits the blocks on the stack of a class, before they leave it.
    #[inline]
    pub fn credit_stack(&self, class: usize) {
        if let Some(ledger) = self.ledger.get()
            && ledger.defers.get()
        {
            self.credit_class(ledger, class);
        }
    }

    #[cold]
    #[inline(never)]
    fn credit_class(&self, ledger: &Ledger, class: usize) {
        let usable = CLASSES[class].slot.into();
        ledger.settle(&self.counters, class, None);
        ledger.lately_of(class).spoil();
        let share = Share { blocks: 1, asked: 0, usable };
        for block in self.stacks[class].blocks() {
            let Some(entry) = pagemap::entry(block.get()) else { continue };
            let Some(slab) = slab::of(entry, entry.key.load(Relaxed)) else { continue };
            let Some(number) = slab.kind().slot_at(block.get()) else { continue };
            let site = slab.marks.take(number, slab.kind().slots as usize);
            if let Some(row) = ledger.met(site) {
                row.freed(self.epoch(), share, false);
            }
        }
    }
}
