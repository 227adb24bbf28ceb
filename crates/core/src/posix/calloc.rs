//! calloc: a block of a slab from the thread's stack, cleared; all else in full.
//!
//! Only what was asked for is cleared of a block that lies ready. Owns nothing.

use super::hardened;
use super::{allocate, bytes, enter, fail, guarded, watched};
use crate::block;
use crate::class::{self, CLASSES, SLAB_MAX};
use crate::count::Function;
use crate::heap::Heap;
use crate::profile::{self, Caller};
use crate::{guard, tls};

/// calloc. O(1) amortized, and the clearing.
#[inline(always)]
pub fn calloc(count: usize, size: usize) -> *mut u8 {
    if let Some(heap) = tls::open()
        && let Some(block) = ready(heap, count, size, heap.pass.slab_below())
    {
        return block;
    }
    calloc_cold(count, size)
}

/// A block that lies ready, of less than `below` bytes (at most SLAB_MAX + 1).
#[inline(always)]
fn ready(heap: &Heap, count: usize, size: usize, below: usize) -> Option<*mut u8> {
    let bytes = count.checked_mul(size).filter(|bytes| *bytes < below)?;
    let class = class::of(bytes);
    let block = claimed(heap, class)?;
    let kind = &CLASSES[class];
    heap.counters.slot(Function::Calloc, bytes, kind);
    heap.counters.level.add(kind.weight);
    // SAFETY: the block was just taken, and its slot holds that many bytes.
    Some(unsafe { bytes::clear(block, bytes) })
}

/// A block from a stack, to be counted by `Counters::slot`; None when the stack is empty, for one that lost its mark, and
/// when the next block is due to be sampled.
#[inline(always)]
pub(super) fn claimed(heap: &Heap, class: usize) -> Option<usize> {
    if heap.counters.would_be_due(CLASSES[class].slot) {
        return None;
    }
    let stack = &heap.stacks[class];
    let block = stack.pop()?;
    if !block::claim(block, heap.secret.get()) {
        // Back it goes, as in `pop`.
        stack.push(block);
        return None;
    }
    Some(block)
}

with_caller! {
    /// Reached by a jump from the exported function, so that the return address is still the program's.
    calloc_cold(count, size) -> *mut u8, 2 => calloc_slow
}

extern "C" fn calloc_slow(count: usize, size: usize, site: usize, stack: usize, frame: usize) -> *mut u8 {
    if profile::is_on()
        && let Some(block) = ready(tls::heap(), count, size, SLAB_MAX + 1)
    {
        return watched::took(block, count * size, &Caller { site, stack, frame });
    }
    let bytes = count.checked_mul(size);
    if let Some(block) = bytes.and_then(|bytes| hardened::allocate_fast(Function::Calloc, bytes)) {
        return block;
    }
    if guard::is_on()
        && let Some(bytes) = bytes
        && let Some(block) = guarded::in_turn(Function::Calloc, bytes, &Caller { site, stack, frame })
    {
        return block;
    }
    let entry = enter();
    let Some(bytes) = bytes else { return fail(entry.as_ref(), Function::Calloc) };
    let block = allocate(entry.as_ref(), Function::Calloc, bytes, 1, true);
    drop(entry);
    if profile::is_on() {
        return watched::took(block, bytes, &Caller { site, stack, frame });
    }
    block
}
