//! The calling thread's heap, in a word of thread-local memory. Zero stands for the empty heap.

use crate::heap::{EMPTY, Heap};

thread_word!("mems_heap");

/// The calling thread's heap; None before the thread's first allocation.
#[inline(always)]
pub fn own() -> Option<&'static Heap> {
    // SAFETY: the word is null or a heap's address, and heaps are never unmapped.
    unsafe { (read() as *const Heap).as_ref() }
}

/// Makes `heap` the calling thread's.
#[inline]
pub fn set_heap(heap: &'static Heap) {
    write(if core::ptr::eq(heap, &EMPTY) { 0 } else { heap.address() });
}

/// Makes `heap`, which [`own`] gave, the calling thread's again.
#[inline(always)]
pub fn set_back(heap: &'static Heap) {
    write(heap.address());
}

/// As [`own`], the empty heap for None.
#[inline(always)]
pub fn heap() -> &'static Heap {
    own().unwrap_or(&EMPTY)
}
