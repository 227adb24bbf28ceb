//! The fast paths of the profiled modes: a small malloc or free of the thread's own heap, with its book-keeping.
//!
//! Leaf functions, entered and left by jumps. Where anything is out of the ordinary they go on in [`super::watched`]: a free
//! before anything was done, a malloc also when it has its block and only the book-keeping is left. Owns nothing.

use core::sync::atomic::Ordering::{Relaxed, Release};
use core::sync::atomic::compiler_fence;

use super::{SMALL_MAX, pop, watched};
use crate::class;
use crate::count::{Function, usable_of};
use crate::heap::Heap;
use crate::ledger::Share;
use crate::profile::{book, timeline};
use crate::slab::Slab;
use crate::{block, pagemap, tls};

/// malloc, or operator new, in mode `sites`.
#[inline(never)]
pub extern "C" fn malloc_at_site<const NEW: bool>(
    size: usize,
    site: usize,
    _stack: usize,
    _frame: usize,
) -> *mut u8 {
    if size > SMALL_MAX {
        return watched::malloc::<NEW>(size, site, 0, 0);
    }
    let Some(heap) = tls::own() else { return watched::malloc::<NEW>(size, site, 0, 0) };
    let class = class::of_small(size);
    let Some(block) = pop::<NEW>(heap, class * 16, size) else {
        return watched::malloc::<NEW>(size, site, 0, 0);
    };
    if booked(heap, class, block as usize, size, site) {
        return block;
    }
    watched::record(size, site, block)
}

/// Books a block of this heap's stack of `class` for its site; false (nothing done) where that takes more.
#[inline(always)]
pub fn booked(heap: &'static Heap, class: usize, block: usize, size: usize, caller: usize) -> bool {
    let stack = &heap.stacks[class];
    let Some(ledger) = heap.ledger.get() else { return false };
    let Some((site, row)) = book::lately(ledger, caller) else { return false };
    let Some(entry) = pagemap::near_entry(block) else { return false };
    // Another class's key: the slab lends the block, or some of that page's.
    if !core::ptr::eq(heap.twin_of(entry.key.load(Relaxed)), stack) || !row.spans(size) {
        return false;
    }
    // SAFETY: the key names the stack of this class, in the heap that owns the slab.
    let slab = unsafe { Slab::behind(entry) };
    let Some(marks) = slab.marks.made() else { return false };
    let beat = heap.beat.get().wrapping_add(1);
    if beat.is_multiple_of(timeline::EVERY_CALL) {
        return false;
    }
    heap.beat.set(beat);
    marks.put(stack.slot_of(block), site);
    ledger.last.set(block);
    let usable = usable_of(stack.weight.get());
    row.took_as_ever(book::epoch(heap), Share { blocks: 1, asked: size as u64, usable });
    true
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
    block::mark(pointer, heap.secret.get());
    compiler_fence(Release);
    stack.push_at(free, pointer);
    let weight = stack.weight.get();
    counters.level.sub(weight);
    let share = Share { blocks: 1, asked: 0, usable: usable_of(weight) };
    row.freed(book::epoch(heap), share, ledger.last.get() == pointer);
    if DELETE {
        counters.calls[Function::Delete as usize].blocks.add(1);
    }
    true
}
