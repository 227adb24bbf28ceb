//! The live memory of the whole process, over all heaps.
//!
//! While the process has had one thread its heap's [`crate::count::Level`] is exact and this is not used. From the
//! second thread on, heaps publish their changes here on slow paths, in steps; the peak is then known within the
//! largest step a thread.

use core::sync::atomic::Ordering::*;

use crate::account::{ACCOUNT, Whole};
use crate::heap::Heap;
use crate::os;

/// This process's.
pub static WHOLE: &Whole = &ACCOUNT.whole;

/// Changes below this many units of 16 bytes wait.
const STEP: u64 = 1024;

impl Whole {
    /// Adds what changed in `heap` since it was last published.
    #[inline]
    pub fn publish(&self, heap: &Heap) {
        if !self.shared.load(Acquire) {
            return;
        }
        let (bytes, blocks) = heap.counters.level.live();
        let now = bytes / 16;
        let (old, old_blocks) = heap.published.get();
        let change = now - old;
        if change.unsigned_abs() < STEP {
            return;
        }
        heap.published.set((now, blocks));
        let blocks = self.blocks.fetch_add(blocks - old_blocks, Relaxed) + blocks - old_blocks;
        self.step.fetch_max(change.unsigned_abs() as usize, Relaxed);
        let live = self.live.fetch_add(change, Relaxed) + change;
        if live > self.peak.load(Relaxed) && self.peak.fetch_max(live, Relaxed) < live {
            self.peak_at.store(os::coarse_ns(), Relaxed);
            self.peak_blocks.store(blocks, Relaxed);
        }
    }

    /// From now on heaps publish: the process gets a second thread. `live` (bytes, blocks) and `peak` (bytes, blocks,
    /// time) are what the first one's level said.
    pub fn share(&self, live: (i64, i64), peak: (i64, i64, u64)) {
        self.live.store(live.0 / 16, Relaxed);
        self.blocks.store(live.1, Relaxed);
        self.peak.store(peak.0 / 16, Relaxed);
        self.peak_blocks.store(peak.1, Relaxed);
        self.peak_at.store(peak.2, Relaxed);
        self.step.store(STEP as usize, Relaxed);
        self.shared.store(true, Release);
    }

    /// Live blocks at the peak.
    pub fn peak_blocks(&self) -> u64 {
        self.peak_blocks.load(Relaxed).max(0) as u64
    }
}
