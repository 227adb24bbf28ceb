//! The calling thread's heap, in a word of thread-local memory. Zero stands for the empty heap.
//!
//! A second word is what the fast paths look at: the same heap, or none where every call is to be seen. Then a third is what
//! they look at that see it: the heap's ledger.

use core::sync::atomic::{AtomicBool, Ordering::*};

use crate::heap::{EMPTY, Heap};
use crate::ledger::Ledger;

// The heap's address.
thread_word!(heap_word, "mems_heap");
// The same, for the fast paths.
thread_word!(open_word, "mems_open_heap");
// The ledger's address, for those that book.
thread_word!(books_word, "mems_books");

/// Whether the fast paths find no heap.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// The calling thread's heap; None before the thread's first allocation.
#[inline(always)]
pub fn own() -> Option<&'static Heap> {
    // SAFETY: the word is null or a heap's address, and heaps are never unmapped.
    unsafe { (heap_word::read() as *const Heap).as_ref() }
}

/// The same for fast paths: None also while every call is to be seen.
#[inline(always)]
pub fn open() -> Option<&'static Heap> {
    // SAFETY: as above.
    unsafe { (open_word::read() as *const Heap).as_ref() }
}

/// The calling thread's heap and its ledger, while the fast paths find no heap and it has one.
#[inline(always)]
pub fn books() -> Option<(&'static Heap, &'static Ledger)> {
    // SAFETY: the word is null or a ledger's address, and ledgers are never unmapped.
    let ledger = unsafe { (books_word::read() as *const Ledger).as_ref() }?;
    // SAFETY: a ledger that stands there knows its heap's address.
    let heap = unsafe { &*(ledger.heap.get() as *const Heap) };
    Some((heap, ledger))
}

/// From now on fast paths of this thread, and of those that have no heap yet, find none. For good.
pub fn close() {
    CLOSED.store(true, Release);
    open_word::write(0);
}

/// Makes `heap` the calling thread's.
#[inline]
pub fn set_heap(heap: &'static Heap) {
    let address = if core::ptr::eq(heap, &EMPTY) { 0 } else { heap.address() };
    heap_word::write(address);
    if !CLOSED.load(Relaxed) {
        return open_word::write(address);
    }
    let ledger = heap.ledger.get();
    if let Some(ledger) = ledger {
        ledger.heap.set(address);
    }
    books_word::write(ledger.map_or(0, |ledger| core::ptr::from_ref(ledger).addr()));
}

/// Makes `heap`, which [`own`] gave, the calling thread's again.
#[inline(always)]
pub fn set_back(heap: &'static Heap) {
    heap_word::write(heap.address());
}

/// As [`own`], the empty heap for None.
#[inline(always)]
pub fn heap() -> &'static Heap {
    own().unwrap_or(&EMPTY)
}
