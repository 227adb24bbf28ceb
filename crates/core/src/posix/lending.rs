//! Frees on pages that lend: onto a stack of this thread's heap, where nothing is out of the ordinary.
//!
//! Such pages have the key of a stack that is never opened, so the fast path sends their blocks here, those of the slab
//! itself among them. Owns nothing. Never reports: what is not plainly a live block of this thread's heap is left to the
//! way in full.

use core::sync::atomic::Ordering::Relaxed;

use crate::class::LIMIT;
use crate::heap::{State, owner_of};
use crate::loans::{CLOSED, Place};
use crate::slab::Slab;
use crate::stack::class_of;
use crate::{block, pagemap, registry, tls};

/// Frees the block at `pointer`; false (nothing done) where it is none that is plainly to be freed here. O(1).
#[inline(always)]
pub(super) fn free(pointer: usize) -> bool {
    let Some(entry) = pagemap::near_entry(pointer) else { return false };
    let key = entry.key.load(Relaxed);
    if class_of(key) != CLOSED {
        return false;
    }
    let heap = tls::heap();
    if owner_of(key) != heap.address() || heap.state.load(Relaxed) != State::Live as u8 {
        return false;
    }
    // By now it is as cold as the slab and its table of loans: so that they come together.
    block::fetch(pointer);
    // SAFETY: the key names a stack of this heap.
    let slab = unsafe { Slab::behind(entry) };
    let Some(number) = slab.kind().slot_at(pointer) else { return false };
    let class = match slab.place(number) {
        Place::Own => slab.class.get() as usize % LIMIT,
        Place::Lent(class) => class,
        Place::Covered(..) => return false,
    };
    let level = &heap.counters.level;
    if level.is_above_peak() || block::may_be_marked(pointer, heap.secret.get()) {
        return false;
    }
    let entry = registry::begin(heap);
    level.sub(heap.stacks[class].weight.get());
    block::mark(pointer, heap.secret.get());
    heap.put(class, pointer);
    drop(entry);
    true
}
