//! Where a stack runs empty with a packet behind it, or full with room for one: the packet moves, and the fast path goes on.
//!
//! The first thing that the slow ways of malloc and free try, since in batches of blocks it is all that they lack. Where
//! anything else waits to be done nothing is, and the long way follows. Owns nothing.

use core::sync::atomic::Ordering::Relaxed;

use super::{free_fast, pop};
use crate::whole::WHOLE;
use crate::{class, pagemap, registry, tls};

/// A block of malloc, or operator new, for `size` bytes: from the packet behind the empty stack of its class.
#[inline]
pub(super) fn take<const NEW: bool>(size: usize) -> Option<*mut u8> {
    let heap = tls::own()?;
    if !heap.pass.is_small(size) {
        return None;
    }
    let offset = class::offset_of_small(size);
    let stack = heap.stack_at(offset);
    if !stack.is_behind() || heap.is_owed() {
        return None;
    }
    let entry = registry::begin(heap);
    heap.unstow(stack);
    drop(entry);
    pop::<NEW>(heap, offset, size)
}

/// Frees a block onto the full stack of its class, whose oldest blocks go behind it; false (nothing done) where more than that
/// is to be done. With a second thread there is: blocks may be on their way to other heaps.
#[inline]
pub(super) fn put(block: usize) -> bool {
    let Some(heap) = tls::own() else { return false };
    let Some(twin) = pagemap::unwatched_twin(block) else { return false };
    let stack = heap.twin_at(twin);
    if stack.place().is_some() || !stack.takes_packet() || WHOLE.shared.load(Relaxed) || heap.is_owed() {
        return false;
    }
    let entry = registry::begin(heap);
    let moved = heap.stow(stack);
    drop(entry);
    moved && free_fast(Some(heap), block)
}
