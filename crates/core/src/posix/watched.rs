//! The malloc family while call sites are recorded: each call as it ever is, and what `profile` wants to know of it.
//!
//! All calls go through the plain functions, before and after; what the fast paths of these modes (`booked`) leave over comes
//! here. Owns nothing.

use core::hint::black_box;
use core::sync::atomic::Ordering::Relaxed;

use super::release::{elsewhere, release_null};
use super::{
    SLAB_MAX, SMALL_MAX, allocate, allocate_tallied, booked, enter, function, pop, release, tallies,
};
use crate::class::{self, CLASSES};
use crate::count::{Function, weight};
use crate::hard::Giving;
use crate::heap::{State, owner_of};
use crate::os::PAGE;
use crate::profile::place::{self, Place};
use crate::profile::{Caller, Mode, book, mode, sample};
use crate::registry::Entry;
use crate::{block, pagemap, tls};

/// malloc, or operator new, in a mode that is not off.
#[inline(never)]
pub extern "C" fn malloc<const NEW: bool>(size: usize, site: usize, stack: usize, frame: usize) -> *mut u8 {
    let caller = Caller { site, stack, frame };
    let heap = tls::heap();
    if size <= SLAB_MAX
        && mode() == Mode::Sample
        && heap.state.load(Relaxed) == State::Live as u8
        && let Some(ledger) = heap.ledger.get()
    {
        let class = class::of(size);
        if sample::is_due(ledger, CLASSES[class].weight) {
            return sampled::<NEW>(class, size, &caller);
        }
        return match pop::<NEW>(heap, class, size) {
            Some(block) => block,
            None => allocate_tallied::<NEW>(size),
        };
    }
    let newest = if size <= SMALL_MAX { pop::<NEW>(heap, class::of_small(size), size) } else { None };
    let block = newest.unwrap_or_else(|| allocate_tallied::<NEW>(size));
    took(block, size, &caller)
}

/// A block of `class` that is recorded: one of this heap's slabs, which can be watched, or else a block of its own page.
#[cold]
#[inline(never)]
fn sampled<const NEW: bool>(class: usize, size: usize, caller: &Caller) -> *mut u8 {
    let entry = enter();
    let own = match &entry {
        Some(Entry { heap, .. }) => heap.take(class).filter(|block| {
            let owned = pagemap::entry(*block).map(|e| owner_of(e.key.load(Relaxed))) == Some(heap.address());
            if !owned {
                block::mark(*block, heap.secret.get());
                heap.put(class, *block);
            }
            owned
        }),
        None => None,
    };
    let block = match (own, &entry) {
        (Some(block), Some(Entry { heap, .. })) => {
            tallies::<NEW>(&heap.counters)[class].add(size);
            heap.counters.level.add(CLASSES[class].weight);
            block as *mut u8
        }
        _ => allocate(entry.as_ref(), function::<NEW>(), size, PAGE, false),
    };
    drop(entry);
    record_at_place(block, size, caller)
}

/// Records a block of `size` bytes for its direct caller, and hands it on.
#[inline(never)]
pub extern "C" fn record(size: usize, site: usize, block: *mut u8) -> *mut u8 {
    // Not seen to be what came in, so that it need not be kept where this is jumped to.
    black_box(took(block, size, &Caller { site, stack: 0, frame: 0 }))
}

/// Records a block of `size` bytes, if it is one, and hands it on.
#[inline(never)]
pub fn took(block: *mut u8, size: usize, caller: &Caller) -> *mut u8 {
    if mode() == Mode::Sample {
        let heap = tls::heap();
        if block.is_null() || heap.state.load(Relaxed) != State::Live as u8 {
            return block;
        }
        match book::ledger(heap) {
            Some(ledger) if sample::is_due(ledger, weight(place::usable_at(block as usize))) => {}
            _ => return block,
        }
    }
    let small = mode() == Mode::Sites && size <= SMALL_MAX;
    if small && booked::booked(tls::heap(), class::of_small(size), block as usize, size, caller.site) {
        return block;
    }
    record_at_place(block, size, caller)
}

fn record_at_place(block: *mut u8, size: usize, caller: &Caller) -> *mut u8 {
    if !block.is_null()
        && let Some(place) = Place::of(block as usize)
    {
        book::took(block as usize, place, size, caller);
    }
    block
}

/// free, or operator delete.
#[inline(never)]
pub extern "C" fn free<const DELETE: bool>(pointer: usize, site: usize) {
    let function = if DELETE { Function::Delete } else { Function::Free };
    if pointer == 0 {
        return release_null(function);
    }
    if tls::heap().counters.level.is_above_peak()
        && let Some(entry) = enter()
    {
        entry.heap.counters.level.raise();
        drop(entry);
        if booked::free_own::<DELETE>(pointer) {
            return;
        }
    }
    free_block(Giving::by(function, None), pointer, site);
}

/// Frees a block, whatever it is, in a mode that is not off.
pub fn free_block(giving: Giving, pointer: usize, site: usize) {
    let heap = tls::heap();
    if heap.state.load(Relaxed) != State::Live as u8 {
        return free_late(giving, pointer, site);
    }
    if giving.delete {
        heap.counters.calls[Function::Delete as usize].blocks.add(1);
    }
    let watched = mode() != Mode::Sample || place::may_be_watched(pointer);
    let leaving =
        if watched { Place::of(pointer) } else { None }.and_then(|place| book::leaving(heap, pointer, place));
    if !elsewhere(pointer) {
        release(enter(), giving, pointer, site);
    }
    if let Some(leaving) = leaving {
        book::left(heap, &leaving);
    }
}

/// By a thread without a heap of its own to use, or with none yet.
#[cold]
#[inline(never)]
fn free_late(giving: Giving, pointer: usize, site: usize) {
    let entry = enter();
    if let Some(entry) = &entry {
        if giving.delete {
            entry.heap.counters.calls[Function::Delete as usize].blocks.add(1);
        }
        if let Some(leaving) = Place::of(pointer).and_then(|place| book::leaving(entry.heap, pointer, place))
        {
            book::left(entry.heap, &leaving);
        }
    }
    release(entry, giving, pointer, site);
}

/// realloc or reallocarray.
pub fn realloc(function: Function, pointer: *mut u8, size: usize, caller: &Caller) -> *mut u8 {
    let old = pointer as usize;
    let passes = old == 0 || mode() == Mode::Sample && !place::may_be_watched(old);
    let leaving = match if passes { None } else { Place::of(old) } {
        None => None,
        Some(place) => enter().and_then(|entry| book::leaving(entry.heap, old, place)),
    };
    let first = if old == 0 && function == Function::Realloc { super::realloc::first(size) } else { None };
    let new = match first {
        Some(block) => block as *mut u8,
        None => super::realloc::realloc_as(function, pointer, size, caller.site),
    };
    if let Some(leaving) = leaving {
        match enter() {
            Some(entry) if new.is_null() && size > 0 => book::stays(entry.heap, &leaving),
            Some(entry) => book::left(entry.heap, &leaving),
            None => {}
        }
    }
    took(new, size, caller)
}

/// reallocarray.
pub fn reallocarray(pointer: *mut u8, count: usize, size: usize, caller: &Caller) -> *mut u8 {
    match count.checked_mul(size) {
        Some(bytes) => realloc(Function::Reallocarray, pointer, bytes, caller),
        None => super::reallocarray(pointer, count, size, caller.site),
    }
}
