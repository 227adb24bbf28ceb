//! The malloc family while call sites are recorded: each call as it ever is, and what `profile` wants to know of it.
//!
//! All calls go through the plain functions, before and after; what the fast paths of these modes (`booked`) leave over comes
//! here. Owns nothing.

use core::hint::black_box;
use core::sync::atomic::Ordering::Relaxed;

use super::release::{elsewhere, give_back, release_null};
use super::{SLAB_MAX, SMALL_MAX, allocate_tallied, booked, enter, pop, release};
use crate::class;
use crate::count::{Function, Stream, weight};
use crate::hard::Giving;
use crate::heap::State;
use crate::os::PAGE;
use crate::profile::place::{self, Place};
use crate::profile::{Caller, Mode, book, mode, sample};
use crate::{large, tls};

/// malloc, or operator new, in a mode that is not off.
#[inline(never)]
pub extern "C" fn malloc<const NEW: bool>(size: usize, site: usize, stack: usize, frame: usize) -> *mut u8 {
    let caller = Caller { site, stack, frame };
    let heap = tls::heap();
    if mode() == Mode::Sites && size <= SLAB_MAX {
        book::begin(heap, class::of(size));
    }
    let newest = if size <= SMALL_MAX { pop::<NEW>(heap, class::offset_of_small(size), size) } else { None };
    let block = newest.unwrap_or_else(|| allocate_tallied::<NEW>(size));
    if mode() == Mode::Sample && size <= SLAB_MAX {
        return sampled(block, size, &caller, Some(Stream::of::<NEW>(class::of(size))));
    }
    took(block, size, &caller)
}

/// Records a block of `size` bytes, just counted, if it is due to be sampled, in the stream of bytes or in this one, and hands
/// it on, or another in its place.
fn sampled(block: *mut u8, size: usize, caller: &Caller, stream: Option<Stream>) -> *mut u8 {
    let heap = tls::heap();
    if block.is_null() || heap.state.load(Relaxed) != State::Live as u8 {
        return block;
    }
    let Some(ledger) = book::ledger(heap) else { return block };
    let usable = place::usable_at(block as usize);
    let come = |stream| sample::has_come(&heap.counters, ledger, stream, usable);
    // Both are looked at: each has to be told when its next block is due.
    if stream.is_some_and(come) | come(Stream::Bytes) {
        return watch(block, size, caller);
    }
    block
}

/// Records the block and hands it on. Where it cannot be watched, since its slab is another heap's, one on a page of its own
/// takes its place, with what is in it.
#[cold]
#[inline(never)]
fn watch(block: *mut u8, size: usize, caller: &Caller) -> *mut u8 {
    let Some(place) = Place::of(block as usize) else { return block };
    match place {
        Place::Slot(slab, ..) if slab.owner.get() != tls::heap().address() => {
            record_at_place(on_own_page(block, place, size), size, caller)
        }
        _ => {
            book::took(block as usize, place, size, caller);
            block
        }
    }
}

fn on_own_page(block: *mut u8, place: Place, size: usize) -> *mut u8 {
    let Some(entry) = enter() else { return block };
    let Some(taken) = large::take(size, PAGE, None) else { return block };
    // SAFETY: both blocks are live and apart, each at least this long.
    unsafe { core::ptr::copy_nonoverlapping(block, taken.block as *mut u8, size) };
    let counters = &entry.heap.counters;
    if give_back(Some(&entry), "malloc", block as usize).is_none() {
        counters.usable_beside((taken.usable - place.usable()) as u64);
        counters.level.add(weight(taken.usable));
    }
    taken.block as *mut u8
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
        return sampled(block, size, caller, None);
    }
    let small = mode() == Mode::Sites && size <= SMALL_MAX;
    if small && booked::booked(tls::heap(), size, block as usize, caller.site) {
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
        book::raise(entry.heap);
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
        heap.counters.deleted();
    }
    if heap.counters.level.is_above_peak() {
        book::raise(heap);
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
            entry.heap.counters.deleted();
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
    if tls::heap().counters.level.is_above_peak() {
        book::raise(tls::heap());
    }
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
    let given = took(new, size, caller);
    if given != new && new == pointer {
        tls::heap().counters.realloc_in_place.add(1u64.wrapping_neg());
    }
    given
}

/// reallocarray.
pub fn reallocarray(pointer: *mut u8, count: usize, size: usize, caller: &Caller) -> *mut u8 {
    match count.checked_mul(size) {
        Some(bytes) => realloc(Function::Reallocarray, pointer, bytes, caller),
        None => super::reallocarray(pointer, count, size, caller.site),
    }
}
