//! The engine as others see it: its figures, a walk of its chain, the segment at an address.
//!
//! Takes the lock only if it is free, since a report may be written on any way out. Changes nothing.

use core::sync::atomic::Ordering::Relaxed;

use crate::count::{EngineRow, WalkItem};
use crate::engine::{ENGINE, MAPPED, PHYSICAL, address, hugepages};
use crate::os::{self, PAGE};

/// Fills a snapshot's row from the engine as it stands. Takes no lock: when the engine is busy, what needs the
/// chain stays 0 and false is returned.
pub fn row(out: &mut EngineRow) -> bool {
    out.mmap = os::CALLS.mmap.load(Relaxed);
    out.munmap = os::CALLS.munmap.load(Relaxed);
    out.madvise = hugepages::asked();
    out.bookkeeping = crate::pool::MAPPED.load(Relaxed) as u64;
    out.mapped = MAPPED.load(Relaxed) as u64 + out.bookkeeping;
    let Some(engine) = ENGINE.try_take() else { return false };
    let counters = engine.chain.counters();
    out.regions = counters.regions;
    out.process = counters.process;
    out.hole = counters.holes;
    out.hole_bytes = counters.hole_granules * PAGE as u64;
    out.largest_hole = engine.chain.largest_hole() * PAGE as u64;
    out.splits = counters.splits;
    out.joins = counters.joins;
    true
}

/// The segment that holds a physical address: its start, bytes, and whether it is a PROCESS segment. O(regions). None
/// for addresses in no region, and when the engine is busy.
pub fn segment_at(at: usize) -> Option<(usize, usize, bool)> {
    let engine = ENGINE.try_take()?;
    let page = (at / PAGE) as u64;
    let region = engine.chain.regions().find(|region| {
        let first = region.start & ((1 << PHYSICAL) - 1);
        (first..first + region.size).contains(&page)
    })?;
    let segment = engine.chain.find(region.start & !((1 << PHYSICAL) - 1) | page)?;
    let segment = engine.chain.segment(segment);
    Some((address(segment.start), segment.size as usize * PAGE, segment.process))
}

/// The addresses of the word that names the main chain's first node, and of the tiers of nodes: for a reader from outside.
/// None when the engine is busy.
pub fn places() -> Option<(usize, usize)> {
    let engine = ENGINE.take()?;
    Some((core::ptr::from_ref(engine.chain.first_place()) as usize, engine.chain.nodes().tiers()))
}

/// Shows the main chain, region by region, segment by segment; what a segment is used for is the caller's to
/// find out. False when the engine is busy.
pub fn walk(see: &mut dyn FnMut(WalkItem)) -> bool {
    let Some(engine) = ENGINE.try_take() else { return false };
    for region in engine.chain.regions() {
        see(WalkItem::Region { start: address(region.start), bytes: region.size as usize * PAGE });
        for (_, segment) in engine.chain.segments(region.id) {
            let (start, bytes) = (address(segment.start), segment.size as usize * PAGE);
            see(match segment.process {
                true => WalkItem::Process { start, bytes, slab: None },
                false => WalkItem::Hole { start, bytes },
            });
        }
    }
    true
}
