//! A block of malloc, or operator new, that lies ready on the thread's stack of its class, and its way back onto one: the
//! fast paths themselves.
//!
//! Counts the block. Where anything is out of the ordinary nothing is done. Owns nothing.

use core::cell::Cell;
use core::sync::atomic::Ordering::Release;
use core::sync::atomic::compiler_fence;

use crate::block;
use crate::class;
use crate::count::{Counters, Tallies};
use crate::heap::Heap;
use crate::stack::Stack;

/// 16 times the class for `size` bytes; None when no stack has such blocks, or the call has to be seen.
#[inline(always)]
pub(super) fn fitting(heap: &Heap, size: usize) -> Option<usize> {
    if heap.pass.is_small(size) { Some(class::offset_of_small(size)) } else { medium(heap, size) }
}

/// 16 times the class for a size above SMALL_MAX. Apart, so that the straight way is the small sizes'.
#[cold]
#[inline]
fn medium(heap: &Heap, size: usize) -> Option<usize> {
    (size < heap.pass.slab_below()).then(|| class::of_medium(size) * 16)
}

/// The tallies of malloc, or of operator new.
#[inline(always)]
pub(super) fn tallies<const NEW: bool>(counters: &Counters) -> &Tallies {
    if NEW { &counters.new } else { &counters.malloc }
}

/// A block from the heap's stack of a class, counted; None when it is empty, or the next block is due to be sampled.
/// `offset`: 16 times the class.
#[inline(always)]
pub(super) fn pop<const NEW: bool>(heap: &Heap, offset: usize, size: usize) -> Option<*mut u8> {
    let tally = tallies::<NEW>(&heap.counters).at(offset);
    if tally.is_next_due() {
        return None;
    }
    popped::<NEW>(heap, offset, size)
}

/// As [`pop`], where no block is sampled.
#[inline(always)]
pub(super) fn popped<const NEW: bool>(heap: &Heap, offset: usize, size: usize) -> Option<*mut u8> {
    let stack = heap.stack_at(offset);
    let block = stack.pop()?;
    if !block::claim(block, heap.secret.get()) {
        // Back it goes: the slow path meets it again, reports it and drops it. A call from here would cost a stack frame.
        stack.push(block);
        return None;
    }
    tallies::<NEW>(&heap.counters).at(offset).add(size);
    heap.counters.level.add(stack.weight.get());
    Some(block as *mut u8)
}

/// Puts a block that is freed onto a stack of its class, at the place that this gave, and counts it.
#[inline(always)]
pub(super) fn push(heap: &Heap, stack: &Stack, place: &'static Cell<usize>, block: usize) {
    // Before it is on the stack: a signal handler that takes it there must find the mark.
    block::mark(block, heap.secret.get());
    compiler_fence(Release);
    stack.push_at(place, block);
    heap.counters.level.sub(stack.weight.get());
}
