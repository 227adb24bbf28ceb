//! The malloc family while call sites are recorded: each call as it ever is, and what `profile` wants to know of it.
//!
//! Reached from the slow paths only. A small malloc or free takes a fast path of its own here, on the heap that the thread
//! keeps; all else goes through the plain functions, before and after. Owns nothing.

use core::sync::atomic::Ordering::Relaxed;

use super::{SMALL_MAX, enter, free_fast, pop, release};
use crate::class::{self, CLASSES, LIMIT};
use crate::count::{Counters, Function, Tally};
use crate::hard::Giving;
use crate::heap::{Heap, State};
use crate::profile::place::Place;
use crate::profile::{self, Caller, Mode};
use crate::slab::{self, Slab};
use crate::{pagemap, registry};

/// malloc or operator new.
#[inline(always)]
pub fn malloc(
    function: Function,
    size: usize,
    caller: &Caller,
    tallies: impl Fn(&Counters) -> &[Tally; LIMIT],
) -> *mut u8 {
    let heap = registry::mine();
    if size <= SMALL_MAX {
        let class = class::of_small(size);
        if let Some(ledger) = heap.ledger.get()
            && let Some(block) = pop(heap, class, size, &tallies)
        {
            let sampling = profile::mode() == Mode::Sample;
            if sampling && !profile::is_sampled(ledger, CLASSES[class].slot as usize) {
                return block;
            }
            if let Some((slab, number)) = own_slot(block as usize) {
                profile::record(heap, ledger, block as usize, Place::Slot(slab, number, class), size, caller);
            }
            return block;
        }
    }
    took(super::allocate_tallied(function, size, tallies), size, caller)
}

/// The slab and slot of a block that came from a stack of this class.
#[inline(always)]
fn own_slot(block: usize) -> Option<(&'static Slab, usize)> {
    let entry = pagemap::entry(block)?;
    let slab = slab::of(entry, entry.key.load(Relaxed))?;
    // The slab may have lent the block: then its slots are of another size.
    Some((slab, slab.kind().slot_at(block)?))
}

/// Records a block of `size` bytes, if it is one, and hands it on.
#[inline(never)]
pub fn took(block: *mut u8, size: usize, caller: &Caller) -> *mut u8 {
    if !block.is_null()
        && let Some(place) = Place::of(block as usize)
    {
        profile::took(block as usize, place, size, caller);
    }
    block
}

/// free or operator delete, of a pointer that is not null.
#[inline(always)]
pub fn free(giving: Giving, pointer: usize, site: usize) {
    let heap = registry::mine();
    if heap.state.load(Relaxed) != State::Live as u8 {
        return free_late(giving, pointer, site);
    }
    if giving.delete {
        heap.counters.calls[Function::Delete as usize].blocks.add(1);
    }
    let place = if profile::may_have_site(pointer) { place_of(heap, pointer) } else { None };
    let leaving = place.and_then(|place| profile::leaving(heap, pointer, place));
    if !free_fast(Some(heap), pointer) {
        release(enter(), giving, pointer, site);
    }
    if let Some(leaving) = leaving {
        profile::left(heap, &leaving);
    }
}

/// Where the mark of the block at `pointer` is.
#[inline(always)]
fn place_of(heap: &'static Heap, pointer: usize) -> Option<Place> {
    if let Some(entry) = pagemap::near_entry(pointer) {
        let key = entry.key.load(Relaxed);
        if heap.stack_of(key).is_some()
            && let Some(slab) = slab::of(entry, key)
            && slab.loans.get().is_none()
            && let Some(number) = slab.kind().slot_at(pointer)
        {
            return Some(Place::Slot(slab, number, slab.class.get() as usize % LIMIT));
        }
    }
    Place::of(pointer)
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
        let place = if profile::may_have_site(pointer) { Place::of(pointer) } else { None };
        if let Some(leaving) = place.and_then(|place| profile::leaving(entry.heap, pointer, place)) {
            profile::left(entry.heap, &leaving);
        }
    }
    release(entry, giving, pointer, site);
}

/// realloc or reallocarray.
pub fn realloc(function: Function, pointer: *mut u8, size: usize, caller: &Caller) -> *mut u8 {
    let old = pointer as usize;
    let leaving = match if old == 0 { None } else { Place::of(old) } {
        None => None,
        Some(place) => enter().and_then(|entry| profile::leaving(entry.heap, old, place)),
    };
    let new = super::realloc::realloc_as(function, pointer, size, caller.site);
    if let Some(leaving) = leaving {
        match enter() {
            _ if new.is_null() && size > 0 => profile::stays(&leaving, old),
            Some(entry) => profile::left(entry.heap, &leaving),
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
