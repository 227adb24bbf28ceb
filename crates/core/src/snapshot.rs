//! The snapshot: every heap's counters summed, and the engine's row. No lock, no allocation, at any moment.
//!
//! In a forked child everything counts from the fork: what stood at that moment is kept and subtracted.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering::*};

use crate::account::{ACCOUNT, Account};
use crate::class::{CLASSES, COUNT};
use crate::count::{Counters, Function, SIZES, Snapshot, WalkItem};
use crate::{engine, registry, slab};

/// Written once, by a forked child's only thread, before FORKED is set. Zero until then, on no page of the process.
struct AtFork(UnsafeCell<MaybeUninit<Snapshot>>);

// SAFETY: see its comment.
unsafe impl Sync for AtFork {}

static AT_FORK: AtFork = AtFork(UnsafeCell::new(MaybeUninit::zeroed()));
/// Apart, since every process asks it.
static FORKED: AtomicBool = AtomicBool::new(false);

/// Fills `out` with what is known now. Returns false when the engine was busy, and its row is not whole.
pub fn take(out: &mut Snapshot) -> bool {
    *out = Snapshot::EMPTY;
    sum(out);
    if FORKED.load(Acquire) {
        // SAFETY: FORKED is set, so it is written no more in this process while this is its only writer.
        let base = unsafe { &*AT_FORK.0.get() };
        // SAFETY: it was written before that.
        subtract(out, unsafe { base.assume_init_ref() });
    }
    derive(out);
    let whole = engine::row(&mut out.engine);
    let held = out.engine.bookkeeping + out.engine.hole_bytes + out.live_usable;
    out.engine.slack = out.engine.mapped.saturating_sub(held);
    out.engine.rounding = out.usable_asked.saturating_sub(out.asked.iter().sum());
    whole
}

/// The same of another process, from its pages; `base`: what a forked child's counters began at. The engine's row has
/// only what the kernel's calls tell.
pub fn of_pages<'a>(
    account: &Account,
    heaps: impl Iterator<Item = &'a Counters>,
    base: Option<&Snapshot>,
    out: &mut Snapshot,
) {
    *out = Snapshot::EMPTY;
    let mut total = Total::default();
    for counters in heaps {
        counters.sum_into(out);
        total.add(counters, true);
    }
    total.end(account, out);
    if let Some(base) = base {
        subtract(out, base);
    }
    derive(out);
    out.engine.mmap = account.calls.mmap.load(Relaxed);
    out.engine.munmap = account.calls.munmap.load(Relaxed);
    out.engine.mapped = account.calls.mapped.load(Relaxed) as u64;
    out.engine.rounding = out.usable_asked.saturating_sub(out.asked.iter().sum());
}

/// Fills in what follows from the sums.
fn derive(out: &mut Snapshot) {
    let freed = (out.inherited_blocks + out.blocks_asked).saturating_sub(out.blocks_live);
    out.blocks_freed = freed;
    out.freed_usable = (out.inherited_bytes + out.usable_asked).saturating_sub(out.live_usable);
    let reallocs = out.calls[Function::Realloc as usize] + out.calls[Function::Reallocarray as usize];
    let refused = out.failed[Function::Realloc as usize] + out.failed[Function::Reallocarray as usize];
    let by_realloc = reallocs.saturating_sub(refused + out.realloc_null);
    let by_delete = out.calls[Function::Delete as usize].saturating_sub(out.delete_null);
    let by_free = freed.saturating_sub(by_realloc + by_delete);
    out.calls[Function::Free as usize] = by_free + out.free_null.saturating_sub(out.delete_null);
    for (i, row) in out.sizes.iter_mut().enumerate() {
        row.le = if i + 1 == SIZES { u64::MAX } else { 16 << i };
    }
}

/// What is live, summed over heaps.
#[derive(Default)]
struct Total {
    live: (i64, i64),
    peak: (i64, i64, u64),
}

impl Total {
    /// `current`: a thread has this heap, or none but the last has had it; else its own peak is long past.
    fn add(&mut self, counters: &Counters, current: bool) {
        let (bytes, blocks) = counters.level.live();
        let (top, at_top, when) = if current { counters.level.peak() } else { (bytes, blocks, 0) };
        self.live = (self.live.0 + bytes, self.live.1 + blocks);
        self.peak = (self.peak.0 + top, self.peak.1 + at_top, self.peak.2.max(when));
    }

    fn end(&self, account: &Account, out: &mut Snapshot) {
        let whole = &account.whole;
        let [free, delete] = core::array::from_fn(|i| account.nulls[i].load(Relaxed));
        out.free_null += free + delete;
        out.delete_null += delete;
        out.calls[Function::Delete as usize] += delete;
        out.live_usable = self.live.0.max(0) as u64;
        out.blocks_live = self.live.1.max(0) as u64;
        out.threads = core::array::from_fn(|i| account.threads[i].load(Relaxed));
        out.peak.mapped = account.calls.mapped_peak.load(Relaxed) as u64;
        out.peak.exact = !whole.shared.load(Acquire);
        if out.peak.exact {
            out.peak.live_usable = self.peak.0.max(0) as u64;
            out.peak.live_blocks = self.peak.1.max(0) as u64;
            out.peak.at_ns = self.peak.2;
            return;
        }
        out.peak.live_usable = (whole.peak.load(Relaxed).max(0) as u64 * 16).max(out.live_usable);
        out.peak.live_blocks = whole.peak_blocks().max(out.blocks_live);
        out.peak.at_ns = whole.peak_at.load(Relaxed);
        out.peak.bound = whole.step.load(Relaxed) as u64 * 16 * out.threads[1];
    }
}

/// Sums the heaps: what was ever counted, and what is live.
fn sum(out: &mut Snapshot) {
    let mut total = Total::default();
    for heap in registry::heaps() {
        heap.counters.sum_into(out);
        total.add(&heap.counters, heap.state() == crate::heap::State::Live);
        for (class, kind) in CLASSES.iter().enumerate().take(COUNT + 1).skip(1) {
            let stack = &heap.stacks[class];
            let shelf = &heap.shelves[class];
            let slabs = shelf.slabs() as u64;
            let row = &mut out.classes[class];
            row.slot = kind.slot as u64;
            row.slabs += slabs;
            row.slots += slabs * kind.slots as u64;
            let free = shelf.free_slots() as u64 + stack.held() as u64;
            row.used += (slabs * kind.slots as u64).saturating_sub(free);
        }
    }
    total.end(&ACCOUNT, out);
}

/// The addresses of the byte that is 1 in a forked child, and of what its counters began at.
pub fn places() -> (usize, usize) {
    (core::ptr::from_ref(&FORKED) as usize, AT_FORK.0.get() as usize)
}

fn subtract(out: &mut Snapshot, base: &Snapshot) {
    let minus = |a: &mut u64, b: u64| *a = a.wrapping_sub(b);
    for i in 0..out.calls.len() {
        minus(&mut out.calls[i], base.calls[i]);
        minus(&mut out.failed[i], base.failed[i]);
        minus(&mut out.asked[i], base.asked[i]);
    }
    for (row, old) in out.sizes.iter_mut().zip(&base.sizes) {
        minus(&mut row.blocks, old.blocks);
        minus(&mut row.asked, old.asked);
    }
    minus(&mut out.free_null, base.free_null);
    minus(&mut out.delete_null, base.delete_null);
    minus(&mut out.realloc_null, base.realloc_null);
    minus(&mut out.realloc_zero, base.realloc_zero);
    minus(&mut out.realloc_in_place, base.realloc_in_place);
    minus(&mut out.blocks_asked, base.blocks_asked);
    minus(&mut out.usable_asked, base.usable_asked);
    out.inherited_blocks = base.blocks_live;
    out.inherited_bytes = base.live_usable;
}

/// In a forked child: counts from here. Returns the blocks and usable bytes that are live now.
///
/// # Safety
/// The calling thread is the only one of this process.
pub unsafe fn restart() -> (u64, u64) {
    let sums = AT_FORK.0.get();
    // SAFETY: the only thread; nobody else reads or writes.
    let sums = unsafe { &mut *sums };
    let sums = sums.write(Snapshot::EMPTY);
    sum(sums);
    FORKED.store(true, Release);
    (sums.blocks_live, sums.live_usable)
}

/// Shows the main chain, region by region, segment by segment. False when the engine is busy. A slab that changes
/// meanwhile is shown as it was or as it is.
pub fn walk(see: &mut dyn FnMut(WalkItem)) -> bool {
    engine::walk(&mut |item| {
        see(match item {
            WalkItem::Process { start, bytes, .. } => {
                WalkItem::Process { start, bytes, slab: slab::seen_at(start) }
            }
            other => other,
        });
    })
}
