//! The purge: when free pages go back to the kernel, which, and how.
//!
//! Works on the engine's chain under its lock. Never touches a PROCESS segment; a call that the kernel refuses changes
//! nothing, and the pages stay in their HOLE.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mems_chain::NodeId;

use crate::engine::{ENGINE, Engine, MAPPED, address, hugepages};
use crate::os::{self, PAGE};
use crate::pagemap;

/// Dirty pages in holes that are always kept.
const KEPT_PAGES: usize = 256;
/// Only runs of at least this many dirty pages are given back while the region is in use; of huge pages, whole ones.
fn purge_run() -> usize {
    if hugepages::are_on() { hugepages::HUGE_PAGE / PAGE } else { 16 }
}
/// First pause between purges after one that was regretted.
const PAUSE_NS: u64 = 1_000_000_000;
const LONGEST_PAUSE_NS: u64 = 64 * PAUSE_NS;

/// A block of at least this many pages is huge: the last one that was freed is kept for [`GRACE_NS`], since what
/// was taken and dropped at that size is often taken again at once, and its page faults are what it costs.
pub(super) const HUGE: usize = 256;
/// Above this many pages it is not.
const SPARED: usize = 16_384;
const GRACE_NS: u64 = 100_000_000;
/// How long the most that was live counts in full.
const HIGH_NS: u64 = 1_000_000_000;

/// When the pause ends that a purge waits for (CLOCK_MONOTONIC, ns); 0: none waits.
static DUE: AtomicU64 = AtomicU64::new(0);

/// Called by every slow path of every thread: gives back what had to wait, when its time has come, though nobody frees
/// any more. One load when nothing waits, a look at the coarse clock when something does.
#[inline]
pub fn look() {
    let due = DUE.load(Relaxed);
    if due != 0 && os::coarse_ns() >= due {
        settle_late();
    }
}

#[cold]
#[inline(never)]
fn settle_late() {
    if let Some(mut engine) = ENGINE.try_take() {
        DUE.store(0, Relaxed);
        engine.settle();
    }
}

impl Engine {
    /// Gives pages back when too many lie unused.
    ///
    /// A quarter of what is live may lie around, and at least a MiB; for a tenth of a second also the huge block that was
    /// freed last. What is above goes back at once, unless the last purge was regretted: if within a second half of what
    /// went back was mapped anew, the next one waits a second, then eight, then 64. So a program that frees and fills
    /// its heap in turn pays for a few purges in its life, and one that frees its heap for good gives it back
    /// there and then.
    pub(super) fn settle(&mut self) {
        self.stuck = self.stuck.min(self.dirty);
        let kept = (self.live / 4).max(KEPT_PAGES);
        let bound = (kept + kept / 2).max(self.stuck + kept / 2);
        if self.dirty <= bound {
            return;
        }
        let now = os::coarse_ns();
        if now - self.high_at >= HIGH_NS {
            self.high = self.live + self.high.saturating_sub(self.live) / 2;
            self.high_at = now;
        }
        if now >= self.spared_until {
            self.spared = 0;
        }
        if self.dirty <= bound + self.spared {
            DUE.store(self.spared_until, Relaxed);
            return;
        }
        let since = now - self.purged_at;
        if self.purged > 0 && self.missed * 2 >= self.purged {
            // Regretted: what went back was soon mapped again.
            if since < 2 * PAUSE_NS.max(self.pause) {
                self.pause = (self.pause * 8).clamp(PAUSE_NS, LONGEST_PAUSE_NS);
            } else {
                self.pause = 0;
            }
            self.purged = 0;
        }
        if since < self.pause {
            DUE.store(self.purged_at + self.pause, Relaxed);
            return;
        }
        DUE.store(if self.spared > 0 { self.spared_until } else { 0 }, Relaxed);
        self.purged = self.purge(kept / 2 + self.spared, purge_run());
        // What is left in short runs between live pages is not looked at again before there is more.
        self.stuck = self.dirty;
        self.missed = 0;
        self.purged_at = now;
    }

    /// After the block at `base` with `touched` pages that may be dirty was freed.
    #[inline]
    pub(super) fn spare(&mut self, base: usize, touched: usize) {
        if touched >= HUGE {
            self.spared = if touched <= SPARED { touched } else { 0 };
            self.spared_at = base;
            self.spared_until = os::coarse_ns() + GRACE_NS;
        }
    }

    /// After pages were given out: those of the block that is let alone are no longer free.
    #[inline]
    pub(super) fn retaken(&mut self, base: usize, pages: usize) {
        if (base..base + pages * PAGE).contains(&self.spared_at) {
            let end = base + pages * PAGE;
            self.spared = self.spared.saturating_sub((end - self.spared_at) / PAGE);
            self.spared_at = end;
        }
    }

    /// After `fresh` of the pages just given out came untouched from the kernel. While dirty ones lie elsewhere, together
    /// they may be half more than ever was live of late, and two MiB: whatever pauses a purge, a heap whose blocks
    /// come to lie elsewhere each time does not hold its pages twice.
    #[inline]
    pub(super) fn freshened(&mut self, fresh: usize) {
        self.missed += fresh;
        self.high = self.high.max(self.live);
        let most = self.high + self.high / 2 + 2 * KEPT_PAGES;
        if fresh > 0 && self.live + self.dirty > most && self.dirty > self.stuck + self.high / 16 {
            self.shed();
        }
    }

    #[cold]
    #[inline(never)]
    fn shed(&mut self) {
        self.purge((self.high + self.high / 4 + KEPT_PAGES).saturating_sub(self.live), purge_run());
        self.stuck = self.dirty;
    }

    /// Gives back dirty pages in runs of at least `run` until `keep` are left. Returns how many went. The newest
    /// regions go first: first fit comes to them last. The one with the block that is let alone stays as it is.
    pub(super) fn purge(&mut self, keep: usize, run: usize) -> usize {
        let before = self.dirty;
        let mut at = self.chain.last_region();
        while let Some(region) = at {
            if self.dirty <= keep {
                break;
            }
            let node = region.id;
            at = self.chain.region_before(node);
            let (base, len) = (address(region.start), region.size as usize);
            let first = self.chain.segment(region.first);
            if self.spared > 0 && (base..base + len * PAGE).contains(&self.spared_at) {
                continue;
            }
            if region.first == region.last && !first.process {
                self.unmap(node, base, len);
                continue;
            }
            let mut from = region.start;
            while let Some(hole) = self.chain.next_hole(from, run as u64) {
                let hole = self.chain.segment(hole);
                if hole.start >= region.start + region.size || self.dirty <= keep {
                    break;
                }
                self.purge_hole(address(hole.start), hole.size as usize, run);
                from = hole.start + hole.size;
            }
        }
        before - self.dirty
    }

    /// Unmaps the region of `hole` if it is all there is in it.
    pub(super) fn leave(&mut self, hole: NodeId) {
        let region = self.chain.region(self.chain.segment(hole).region);
        if region.first == region.last {
            self.unmap(region.id, address(region.start), region.size as usize);
        }
    }

    fn unmap(&mut self, region: NodeId, base: usize, pages: usize) {
        let Some(at) = NonNull::new(base as *mut u8) else { return };
        // SAFETY: the region is one HOLE, so no block lies in it.
        if unsafe { os::unmap(at, pages * PAGE) } {
            self.dirty -= pagemap::clear_dirty(base, pages);
            self.chain.remove_region(region);
            MAPPED.fetch_sub(pages * PAGE, Relaxed);
            self.hint = 0;
        } else {
            // vm.max_map_count: the range stays a HOLE and is used again; its pages may still go.
            self.purge_hole(base, pages, 1);
        }
    }

    fn purge_hole(&mut self, mut base: usize, mut pages: usize, run: usize) {
        while let Some((start, len)) = pagemap::dirty_run(base, pages) {
            if len >= run
                && let Some(at) = NonNull::new(start as *mut u8)
                // SAFETY: the pages lie in a HOLE: no block has them.
                && unsafe { os::purge(at, len * PAGE) }
            {
                hugepages::ask(at, len * PAGE);
                self.dirty -= pagemap::clear_dirty(start, len);
            }
            let end = start + len * PAGE;
            pages -= (end - base) / PAGE;
            base = end;
        }
    }
}
