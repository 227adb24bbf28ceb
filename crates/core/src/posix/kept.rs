//! Large blocks that a thread frees and takes again, without entering its heap.
//!
//! The short way of malloc and free for what `large` keeps; where anything is out of the ordinary, nothing is done and the
//! long way follows. Owns nothing.

use core::sync::atomic::Ordering::Relaxed;

use super::{SLAB_MAX, function};
use crate::count::weight;
use crate::heap::State;
use crate::{engine, large, pagemap, tls};

/// A block for `size` bytes that this thread freed, counted.
#[inline(always)]
pub(super) fn take<const NEW: bool>(size: usize) -> Option<*mut u8> {
    if size <= SLAB_MAX {
        return None;
    }
    let heap = tls::heap();
    let large = large::take_kept(heap, size)?;
    engine::look();
    heap.counters.block(function::<NEW>(), size, large.usable());
    Some(large.base.get() as *mut u8)
}

/// Keeps the block at `pointer`; false (nothing done) where it is none that is to be kept.
#[inline(always)]
pub(super) fn put(pointer: usize) -> bool {
    let Some(entry) = pagemap::near_entry(pointer) else { return false };
    let key = entry.key.load(Relaxed);
    if key != large::LARGE {
        return false;
    }
    let heap = tls::heap();
    if heap.state.load(Relaxed) != State::Live as u8 || heap.counters.level.is_above_peak() {
        return false;
    }
    let Some(large) = large::keep(heap, pointer, entry, key) else { return false };
    heap.counters.level.sub(weight(large.usable()));
    true
}
