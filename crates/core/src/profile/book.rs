//! The book-keeping: what a block's coming and its going add to the rows of its site.
//!
//! A small block of the thread's own heap in modes `sites` and `stacks` is booked by short functions on the
//! fast paths of `posix::booked`; everything else comes through [`took`], [`leaving`] and [`left`]. Owns nothing: rows are
//! the ledger's, marks stand beside the slots.

use core::sync::atomic::Ordering::Relaxed;

use super::place::Place;
use super::{Caller, Mode, look_for_closed, mode, modules, sample, site_of_stack, sites, timeline};
use crate::heap::{Heap, State};
use crate::ledger::{Ledger, Row, Share};
use crate::registry::{self, Entry};
use crate::tls;
use crate::whole::WHOLE;

/// Marks the peak: another one means that the peak was raised meanwhile.
#[inline(always)]
pub fn epoch(heap: &Heap) -> u64 {
    let peak = if WHOLE.shared.load(Relaxed) {
        WHOLE.peak.load(Relaxed) as u64
    } else {
        heap.counters.level.peak_units()
    };
    peak << 1 | 1
}

/// The ledger of a heap, made when it is first needed.
#[inline]
pub fn ledger(heap: &'static Heap) -> Option<&'static Ledger> {
    match heap.ledger.get() {
        None => new_ledger(heap),
        ledger => ledger,
    }
}

#[cold]
fn new_ledger(heap: &'static Heap) -> Option<&'static Ledger> {
    let ledger = Ledger::make(mode().room().sites);
    heap.ledger.set(ledger);
    ledger
}

#[inline]
fn share(mode: Mode, asked: usize, usable: usize) -> Share {
    match mode {
        Mode::Sample => sample::share(asked, usable),
        _ => Share { blocks: 1, asked: asked as u64, usable: usable as u64 },
    }
}

/// The site and row of a direct caller that this thread met lately, if nothing was unloaded since.
#[inline(always)]
pub fn lately(ledger: &'static Ledger, address: usize) -> Option<(u32, &'static Row)> {
    let recent = ledger.at(address);
    if recent.address.get() != address || ledger.unloads.get() != modules::unloads() {
        return None;
    }
    Some((recent.site.get(), recent.row.get()))
}

/// A block of `asked` bytes was given to `caller`, by a thread that is not inside its heap.
#[inline]
pub fn took(address: usize, place: Place, asked: usize, caller: &Caller) {
    let heap = tls::heap();
    if heap.state.load(Relaxed) != State::Live as u8 {
        return took_late(address, place, asked, caller);
    }
    if let Some(ledger) = ledger(heap) {
        record(heap, ledger, address, place, asked, caller);
    }
}

/// Records a block on the ledger of the thread's own heap.
#[inline(never)]
pub fn record(
    heap: &'static Heap,
    ledger: &'static Ledger,
    address: usize,
    place: Place,
    asked: usize,
    caller: &Caller,
) {
    let unloads = modules::unloads();
    if ledger.unloads.get() != unloads {
        look_for_closed(ledger, unloads);
    }
    let (site, row) = if mode() == Mode::Sites {
        match lately(ledger, caller.site) {
            Some(found) => found,
            None => {
                let site = sites::number(caller.site as u64, &[caller.site]);
                let Some(row) = row_of(ledger, site) else { return };
                ledger.at(caller.site).set(caller.site, site, row);
                (site, row)
            }
        }
    } else {
        let site = site_of_stack(caller);
        let Some(row) = row_of(ledger, site) else { return };
        (site, row)
    };
    note(heap, ledger, row, site, address, place, asked);
    if mode() != Mode::Sample {
        beat(heap);
    }
}

/// Counts a call, so that the time line is looked at now and then.
#[inline(always)]
pub fn beat(heap: &Heap) {
    let beat = heap.beat.get().wrapping_add(1);
    heap.beat.set(beat);
    if beat.is_multiple_of(timeline::EVERY_CALL) {
        timeline::tick();
    }
}

#[inline]
fn row_of(ledger: &Ledger, site: u32) -> Option<&'static Row> {
    if site == 0 { None } else { ledger.row(site) }
}

fn note(
    heap: &'static Heap,
    ledger: &Ledger,
    row: &Row,
    site: u32,
    address: usize,
    place: Place,
    asked: usize,
) {
    ledger.last.set(address);
    let mode = mode();
    if mode == Mode::Sample {
        if !place.watch(heap) {
            return;
        }
        row.samples.add(1);
        ledger.sampled_at.set(heap.counters.state());
    }
    if place.mark(site) {
        row.took(epoch(heap), share(mode, asked, place.usable()), asked);
    }
}

/// By a thread whose heap is gone, or is being changed while a signal handler runs: on the shared heap's ledger, but for
/// samples, whose streams are a thread's own.
#[cold]
#[inline(never)]
fn took_late(address: usize, place: Place, asked: usize, caller: &Caller) {
    let site = match mode() {
        Mode::Sample => return,
        Mode::Sites => sites::number(caller.site as u64, &[caller.site]),
        _ => site_of_stack(caller),
    };
    if let Some(Entry { heap, .. }) = &registry::enter()
        && let Some(ledger) = ledger(heap)
        && let Some(row) = row_of(ledger, site)
    {
        note(heap, ledger, row, site, address, place, asked);
    }
}

/// A block that is about to be freed, or moved by realloc.
pub struct Leaving {
    place: Place,
    site: u32,
    usable: usize,
    at_once: bool,
}

/// Before a block is freed: what its site is to be credited with, if it has one. Raises the peak where that is due, so that
/// the credit does not come before it.
#[inline]
pub fn leaving(heap: &'static Heap, address: usize, place: Place) -> Option<Leaving> {
    let sampling = mode() == Mode::Sample;
    let site = if sampling { place.unwatch(heap) } else { place.take_mark() };
    if site == 0 {
        return None;
    }
    if heap.counters.level.is_above_peak() {
        heap.counters.level.raise();
    }
    let at_once = heap.ledger.get().is_some_and(|ledger| {
        ledger.last.get() == address && (!sampling || ledger.sampled_at.get() == heap.counters.state())
    });
    Some(Leaving { place, site, usable: place.usable(), at_once })
}

/// The block has been freed by the thread that has `heap`.
#[inline]
pub fn left(heap: &'static Heap, leaving: &Leaving) {
    if let Some(row) = ledger(heap).and_then(|ledger| ledger.row(leaving.site)) {
        row.freed(epoch(heap), share(mode(), 0, leaving.usable), leaving.at_once);
    }
}

/// It has not: the realloc failed, and the block stays.
pub fn stays(heap: &'static Heap, leaving: &Leaving) {
    if mode() != Mode::Sample || leaving.place.watch(heap) {
        leaving.place.mark(leaving.site);
    }
}
