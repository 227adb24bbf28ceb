//! What the fast paths may serve: sizes up to their limits, or none while every call has to be seen.
//!
//! The limits are words of the heap, so that whether anybody watches costs the fast paths nothing: they compare with memory
//! where they would compare with a constant. Owned by the heap's thread.

use core::cell::Cell;

use crate::class::{SLAB_MAX, SMALL_MAX};

/// See the module. Zero bytes let nothing pass.
pub struct Pass {
    /// SMALL_MAX + 1, or 0.
    small_below: Cell<usize>,
    /// SLAB_MAX + 1, or 0.
    slab_below: Cell<usize>,
    /// SLAB_MAX, or 0.
    slab_most: Cell<usize>,
}

impl Pass {
    /// Lets all pass, or nothing.
    pub fn set(&self, all: bool) {
        self.small_below.set(if all { SMALL_MAX + 1 } else { 0 });
        self.slab_below.set(if all { SLAB_MAX + 1 } else { 0 });
        self.slab_most.set(if all { SLAB_MAX } else { 0 });
    }

    /// Whether the fast path of malloc may serve `size`, which is at most SMALL_MAX then.
    #[inline(always)]
    pub fn is_small(&self, size: usize) -> bool {
        let passes = size < self.small_below.get();
        // SAFETY: `set` writes SMALL_MAX + 1 or 0.
        unsafe { core::hint::assert_unchecked(!passes || size <= SMALL_MAX) };
        passes
    }

    /// Sizes below this are served by other fast paths: at most SLAB_MAX + 1.
    #[inline(always)]
    pub fn slab_below(&self) -> usize {
        let below = self.slab_below.get();
        // SAFETY: `set` writes SLAB_MAX + 1 or 0.
        unsafe { core::hint::assert_unchecked(below <= SLAB_MAX + 1) };
        below
    }

    /// The largest size but 0 that they serve: at most SLAB_MAX.
    #[inline(always)]
    pub fn slab_most(&self) -> usize {
        let most = self.slab_most.get();
        // SAFETY: `set` writes SLAB_MAX or 0.
        unsafe { core::hint::assert_unchecked(most <= SLAB_MAX) };
        most
    }
}
