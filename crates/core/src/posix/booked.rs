//! The fast paths of the profiled modes: a small malloc or free of the thread's own heap, with its book-keeping.
//!
//! Leaf functions, entered and left by jumps. Where anything is out of the ordinary they go on in [`super::watched`]: a free
//! before anything was done, a malloc also when it has its block and only the book-keeping is left. Owns nothing.

use core::sync::atomic::Ordering::Relaxed;

use super::{SMALL_MAX, free_cold, popped, push, watched};
use crate::class;
use crate::count::usable_of;
use crate::heap::Heap;
use crate::ledger::{Ledger, Share};
use crate::os::PAGE;
use crate::profile::{self, Mode, book};
use crate::slab::Slab;
use crate::stack::Stack;
use crate::{block, pagemap, tls};

/// malloc, or operator new, in mode `sites`: reached by a jump, with the program's return address.
#[inline(never)]
pub extern "C" fn malloc_at_site<const NEW: bool>(size: usize, site: usize) -> *mut u8 {
    if size > SMALL_MAX {
        return watched_malloc::<NEW>(size, site);
    }
    let offset = class::offset_of_small(size);
    let Some((heap, ledger)) = tls::books() else { return watched_malloc::<NEW>(size, site) };
    let lately = ledger.lately(offset * 4);
    if !lately.is_of(site, size) {
        return another_site::<NEW>(size, site, heap, ledger, offset);
    }
    let Some(block) = popped::<NEW>(heap, offset, size) else { return watched_malloc::<NEW>(size, site) };
    if !lately.is_turn(block as usize) {
        return booked_in_full(size, site, heap, ledger, offset, block);
    }
    ledger.last.set(block as usize);
    if beat(ledger) {
        return look_around(size, site, heap, ledger, offset, block);
    }
    block
}

/// These take their arguments where [`malloc_at_site`] has them, so that the way there is a jump and nothing more.
#[cold]
#[inline(never)]
extern "C" fn watched_malloc<const NEW: bool>(size: usize, site: usize) -> *mut u8 {
    watched::malloc::<NEW>(size, site, 0, 0)
}

/// malloc at a site that is not the one at which a block of the class was given out last.
#[inline(never)]
extern "C" fn another_site<const NEW: bool>(
    size: usize,
    site: usize,
    heap: &'static Heap,
    ledger: &'static Ledger,
    offset: usize,
) -> *mut u8 {
    let recent = ledger.at(site);
    if !recent.is(site) || !recent.spans(size) {
        return watched_malloc::<NEW>(size, site);
    }
    match popped::<NEW>(heap, offset, size) {
        Some(block) => booked_in_full(size, site, heap, ledger, offset, block),
        None => watched_malloc::<NEW>(size, site),
    }
}

#[cold]
#[inline(never)]
extern "C" fn look_around(
    _: usize,
    _: usize,
    heap: &'static Heap,
    ledger: &'static Ledger,
    _: usize,
    block: *mut u8,
) -> *mut u8 {
    book::look_around(heap, ledger);
    block
}

/// The book-keeping of a small block of malloc's or new's that does not come in turn.
#[inline(never)]
extern "C" fn booked_in_full(
    size: usize,
    site: usize,
    heap: &'static Heap,
    ledger: &'static Ledger,
    offset: usize,
    block: *mut u8,
) -> *mut u8 {
    ledger.settle(&heap.counters, offset / 16, Some(size));
    if !changed_hands(heap, ledger, offset, block as usize, size, site) {
        return watched::record(size, site, block);
    }
    ledger.last.set(block as usize);
    if beat(ledger) {
        book::look_around(heap, ledger);
    }
    block
}

/// Counts a call; true when the clock is to be looked at.
#[inline(always)]
fn beat(ledger: &Ledger) -> bool {
    let beat = ledger.beat.get() - 1;
    ledger.beat.set(beat);
    beat < 0
}

/// Books a block that this thread took off its stack of a class just now, whose last owner may be another site; false
/// (nothing done) where that takes more. The class is settled. `offset`: 16 times the class.
#[inline(always)]
fn changed_hands(
    heap: &'static Heap,
    ledger: &'static Ledger,
    offset: usize,
    block: usize,
    size: usize,
    caller: usize,
) -> bool {
    let stack = heap.stack_at(offset);
    let recent = ledger.at(caller);
    if !recent.is(caller) || !recent.spans(size) {
        return false;
    }
    let Some((site, row)) = recent.found() else { return false };
    let Some(entry) = pagemap::near_entry(block) else { return false };
    // Another class's key: the slab lends the block, or some of that page's.
    if !core::ptr::eq(heap.twin_of(entry.key.load(Relaxed)), stack) {
        return false;
    }
    // SAFETY: the key names the stack of this class, in the heap that owns the slab.
    let slab = unsafe { Slab::behind(entry) };
    let Some(marks) = slab.marks.made() else { return false };
    let number = stack.slot_of(block);
    let usable = usable_of(stack.weight.get());
    ledger.follow(offset / 16, block, caller, recent);
    let before = marks.get(number);
    if before == site {
        // Freed and not yet credited: a turn like any other.
        row.turned(1, size as u64, usable, 0);
    } else {
        let epoch = heap.epoch();
        if let Some(row) = ledger.met(before) {
            row.freed(epoch, Share { blocks: 1, asked: 0, usable }, false);
        }
        marks.put(number, site);
        row.took_as_ever(epoch, Share { blocks: 1, asked: size as u64, usable });
    }
    if !ledger.defers.get() {
        ledger.lately(offset * 4).spoil();
    }
    true
}

/// Books a small block that a function other than malloc took off a stack of this heap's; false (nothing done) where that takes
/// more.
pub fn booked(heap: &'static Heap, size: usize, block: usize, caller: usize) -> bool {
    let Some(ledger) = heap.ledger.get() else { return false };
    ledger.settle(&heap.counters, class::of_small(size), None);
    if !changed_hands(heap, ledger, class::offset_of_small(size), block, size, caller) {
        return false;
    }
    ledger.last.set(block);
    if beat(ledger) {
        book::look_around(heap, ledger);
    }
    true
}

/// free in mode `sites`: reached by a jump from the exported function.
pub extern "C" fn free_at_site(pointer: usize) {
    if !put_off(pointer) {
        free_cold(pointer);
    }
}

/// free, or operator delete, in modes `sites` and `stacks`.
#[inline(never)]
pub extern "C" fn free<const DELETE: bool>(pointer: usize, site: usize) {
    if !free_own::<DELETE>(pointer) {
        watched::free::<DELETE>(pointer, site);
    }
}

/// Frees a block of this heap's slabs where nothing is out of the ordinary; false (nothing done) otherwise.
#[inline(always)]
pub fn free_own<const DELETE: bool>(pointer: usize) -> bool {
    if !put_off(pointer) && !free_at_once(pointer) {
        return false;
    }
    if DELETE {
        tls::heap().counters.deleted();
    }
    true
}

/// As [`free_own`], where the site is credited later.
#[inline(always)]
fn put_off(pointer: usize) -> bool {
    let Some((heap, ledger)) = tls::books() else { return false };
    let Some(entry) = pagemap::near_entry(pointer) else { return false };
    let stack = heap.twin_of(entry.key.load(Relaxed));
    let counters = &heap.counters;
    if !stack.starts_slot(pointer)
        || !counters.level.is_below(heap.fence.load(Relaxed))
        || block::may_be_marked(pointer, heap.secret.get())
    {
        return false;
    }
    let Some(free) = stack.place() else { return false };
    push(heap, stack, free, pointer);
    if ledger.last.get() == pointer {
        ledger.lately(offset_of(stack)).is_temporary();
    }
    true
}

/// 64 times the class of a heap's stack.
#[inline(always)]
fn offset_of(stack: &'static Stack) -> usize {
    const { assert!(size_of::<Stack>() == 64) };
    core::ptr::from_ref(stack).addr() % PAGE
}

/// As [`free_own`], where the site is credited at once.
#[inline(always)]
fn free_at_once(pointer: usize) -> bool {
    let Some(heap) = tls::own() else { return false };
    let Some(entry) = pagemap::near_entry(pointer) else { return false };
    let stack = heap.twin_of(entry.key.load(Relaxed));
    let counters = &heap.counters;
    let Some(number) = stack.slot_at(pointer) else { return false };
    if counters.level.is_above_peak() || block::may_be_marked(pointer, heap.secret.get()) {
        return false;
    }
    let Some(free) = stack.place() else { return false };
    // SAFETY: a slot starts there, so the key names the stack of a class.
    let slab = unsafe { Slab::behind(entry) };
    let (Some(marks), Some(ledger)) = (slab.marks.made(), heap.ledger.get()) else { return false };
    let Some(row) = ledger.met(marks.get(number)) else { return false };
    // Before the block is on the stack, where a signal handler may take it.
    marks.put(number, 0);
    ledger.lately(offset_of(stack)).spoil();
    push(heap, stack, free, pointer);
    let share = Share { blocks: 1, asked: 0, usable: usable_of(stack.weight.get()) };
    row.freed(heap.epoch(), share, ledger.last.get() == pointer);
    if profile::mode() == Mode::Sites {
        heap.credited_at_once(ledger);
    }
    true
}
