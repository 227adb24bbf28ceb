//! The book-keeping: what a block's coming and its going add to the rows of its site.
//!
//! A small block of the thread's own heap in modes `sites` and `stacks` is booked by short functions on the
//! fast paths of `posix::booked`; everything else comes through [`took`], [`leaving`] and [`left`]. Owns nothing: rows are
//! the ledger's, marks stand beside the slots.

use core::sync::atomic::Ordering::Relaxed;

use super::place::Place;
use super::{Caller, Mode, look_for_closed, mode, modules, sample, site_of_stack, sites, timeline};
use crate::class::SMALL_MAX;
use crate::heap::{Heap, State};
use crate::ledger::{Ledger, Row, Share};
use crate::registry::{self, Entry};
use crate::tls;

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
    if tls::own().is_some_and(|own| core::ptr::eq(own, heap)) {
        tls::set_heap(heap);
    }
    ledger
}

#[inline]
fn share(mode: Mode, asked: usize, usable: usize) -> Share {
    match mode {
        Mode::Sample => sample::share(asked, usable),
        _ => Share { blocks: 1, asked: asked as u64, usable: usable as u64 },
    }
}

/// Makes the level now the peak, for whose sites all frees so far are credited.
#[cold]
pub fn raise(heap: &Heap) {
    heap.credit_at_once();
    heap.counters.level.raise();
}

/// So long rows may wait to be brought up to date, in nanoseconds: for those who look at them from outside.
const OLDEST: u64 = 100_000_000;
/// The fewest and the most calls between two looks at the clock.
const PACE: [i32; 2] = [timeline::EVERY_CALL as i32, 4096];

/// Looks at the clock: whether a sample of the time line is due, or the rows are to be brought up to date.
#[cold]
#[inline(never)]
pub fn look_around(heap: &Heap, ledger: &Ledger) {
    let (now, early) = timeline::tick();
    // Where samples are far between compared to calls, the clock is read less often.
    let pace = if early { ledger.pace.get() * 2 } else { ledger.pace.get() / 4 };
    ledger.pace.set(pace.clamp(PACE[0], PACE[1]));
    ledger.beat.set(ledger.pace.get());
    if now - ledger.settled_at.get() > OLDEST {
        ledger.settled_at.set(now);
        heap.credit();
    }
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
    if mode() == Mode::Sites {
        inherit(heap, ledger, place);
    }
    let (site, row) = if mode() == Mode::Sites {
        let recent = ledger.at(caller.site);
        match recent.found() {
            Some(found) if recent.is(caller.site) => found,
            _ => {
                let site = sites::number(caller.site as u64, &[caller.site]);
                let Some(row) = row_of(ledger, site) else { return };
                recent.set(caller.site, site, row);
                (site, row)
            }
        }
    } else {
        let site = site_of_stack(caller);
        let Some(row) = row_of(ledger, site) else { return };
        (site, row)
    };
    note(heap, ledger, row, site, address, place, asked);
    if mode() == Mode::Sites && asked <= SMALL_MAX {
        ledger.at(caller.site).widen(asked);
    }
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

/// Before a block of `class` is given out and counted: what its last one did goes to its row.
pub fn begin(heap: &Heap, class: usize) {
    if let Some(ledger) = heap.ledger.get() {
        ledger.settle(&heap.counters, class, None);
        ledger.follow_apart(class, 0);
    }
}

/// The block's last owner has freed it, and may not be credited with that yet.
fn inherit(heap: &Heap, ledger: &Ledger, place: Place) {
    let Place::Slot(_, _, class) = place else { return };
    let usable = place.usable() as u64;
    begin(heap, class);
    if let Some(row) = ledger.met(place.take_mark()) {
        row.freed(heap.epoch(), Share { blocks: 1, asked: 0, usable }, false);
    }
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
        if mode == Mode::Sites
            && let Place::Slot(_, _, class) = place
        {
            ledger.follow_apart(class, site);
        }
        row.took(heap.epoch(), share(mode, asked, place.usable()), asked);
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
    if let (Place::Slot(_, _, class), Some(ledger)) = (place, heap.ledger.get()) {
        ledger.lately_of(class).spoil();
    }
    if site == 0 {
        return None;
    }
    if heap.counters.level.is_above_peak() {
        raise(heap);
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
        row.freed(heap.epoch(), share(mode(), 0, leaving.usable), leaving.at_once);
    }
}

/// It has not: the realloc failed, and the block stays.
pub fn stays(heap: &'static Heap, leaving: &Leaving) {
    if mode() != Mode::Sample || leaving.place.watch(heap) {
        leaving.place.mark(leaving.site);
    }
}
