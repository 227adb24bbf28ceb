//! calloc: a small block from the thread's stack, cleared; all else in full.
//!
//! Only what was asked for is cleared of a block that lies ready. Owns nothing.

use super::{allocate, clear, enter, fail};
use crate::block;
use crate::class::{self, CLASSES, SMALL_MAX};
use crate::count::Function;
use crate::heap::Heap;
use crate::tls;

/// calloc. O(1) amortized.
#[inline(always)]
pub fn calloc(count: usize, size: usize) -> *mut u8 {
    let heap = tls::heap();
    if let Some(bytes) = count.checked_mul(size)
        && bytes <= SMALL_MAX
        && let Some(block) = claimed(heap, class::of_small(bytes))
    {
        let kind = &CLASSES[class::of_small(bytes)];
        heap.counters.block(Function::Calloc, bytes, kind.slot as usize);
        clear(block, bytes);
        return block as *mut u8;
    }
    in_full(count, size)
}

/// A block from a stack, uncounted; None when the stack is empty, and for one that lost its mark.
#[inline(always)]
pub(super) fn claimed(heap: &Heap, class: usize) -> Option<usize> {
    let stack = &heap.stacks[class];
    let block = stack.pop()?;
    if !block::claim(block, heap.secret.get()) {
        // Back it goes, as in `pop`.
        stack.push(block);
        return None;
    }
    Some(block)
}

#[inline(never)]
fn in_full(count: usize, size: usize) -> *mut u8 {
    let entry = enter();
    match count.checked_mul(size) {
        Some(bytes) => allocate(entry.as_ref(), Function::Calloc, bytes, 1, true),
        None => fail(entry.as_ref(), Function::Calloc),
    }
}
