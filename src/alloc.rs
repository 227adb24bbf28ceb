//! The library's own memory, for what its Rust crates allocate: outside the program's heap and its statistics.
//!
//! Blocks of powers of two from pages of the os floor, kept in a free list a size; large ones are mapped one by one. Used
//! at load and by the log, never by a malloc of the program. A thread that comes in while it is inside (a signal handler)
//! gets pages of its own.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{self, NonNull};

use mems_core::lock::{Lock, Rank};
use mems_core::os;

/// The largest block that is kept in a list, in bytes.
const LARGEST: usize = 32 * 1024;
/// Sizes from 16 bytes to LARGEST.
const SIZES: usize = 12;
/// Mapped at a time to cut small blocks from, in bytes.
const SPAN: usize = 64 * 1024;

/// A free block holds the address of the next.
struct Free(*mut Free);

struct Lists {
    free: [*mut Free; SIZES],
    /// The uncut rest of the last span.
    next: usize,
    end: usize,
}

impl Lists {
    const NEW: Lists = Lists { free: [ptr::null_mut(); SIZES], next: 0, end: 0 };
}

// SAFETY: the pointers are to memory that only the holder of the lock touches.
unsafe impl Send for Lists {}

/// Serves the Rust code of this library.
pub struct Private {
    lists: Lock<Lists>,
}

#[global_allocator]
static PRIVATE: Private = Private { lists: Lock::new(Rank::Private, Lists::NEW) };

/// In a forked child: another thread may have been inside at the fork, and will not come out. What lay free is let go.
pub fn forked() {
    // SAFETY: the child has one thread.
    unsafe { PRIVATE.lists.renew(Lists::NEW) };
}

/// The size that a block of `layout` takes: the power of two that also aligns it.
fn size_of_block(layout: &Layout) -> usize {
    layout.size().max(layout.align()).max(16).checked_next_power_of_two().unwrap_or(usize::MAX)
}

/// The list that keeps blocks of `size`.
fn list_of(size: usize) -> usize {
    (size.trailing_zeros() as usize).saturating_sub(4).min(SIZES - 1)
}

/// Whole pages for `size` bytes, or null.
fn map(size: usize) -> *mut u8 {
    os::round_to_pages(size).and_then(|len| os::map(len, 0)).map_or(ptr::null_mut(), NonNull::as_ptr)
}

impl Private {
    fn take(&self, size: usize) -> *mut u8 {
        let Some(mut lists) = self.lists.take() else {
            return map(size);
        };
        let list = list_of(size);
        let Some(head) = lists.free.get_mut(list) else { return ptr::null_mut() };
        if !head.is_null() {
            let block = *head;
            // SAFETY: what is in a list is a free block that begins with a Free.
            *head = unsafe { (*block).0 };
            return block.cast();
        }
        let at = lists.next.next_multiple_of(size.min(os::PAGE));
        if at + size <= lists.end {
            lists.next = at + size;
            return ptr::with_exposed_provenance_mut(at);
        }
        let Some(span) = os::map(SPAN, 0) else { return ptr::null_mut() };
        lists.next = span.as_ptr().expose_provenance() + size;
        lists.end = lists.next - size + SPAN;
        span.as_ptr()
    }

    fn put(&self, block: *mut u8, size: usize) {
        // A signal handler inside the lists lets the block go: it is small, and it is rare.
        let Some(mut lists) = self.lists.take() else { return };
        if let Some(head) = lists.free.get_mut(list_of(size)) {
            let block: *mut Free = block.cast();
            // SAFETY: the block is free now, aligned to 16 and at least 16 bytes.
            unsafe { block.write(Free(*head)) };
            *head = block;
        }
    }
}

// SAFETY: a block is as large and as aligned as its power of two, is in one hand at a time, and stays until it is freed.
unsafe impl GlobalAlloc for Private {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = size_of_block(&layout);
        match size {
            ..=LARGEST if layout.align() <= os::PAGE => self.take(size),
            _ if layout.align() <= os::PAGE => map(layout.size()),
            _ => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let size = size_of_block(&layout);
        if size <= LARGEST {
            return self.put(block, size);
        }
        if let (Some(at), Some(len)) = (NonNull::new(block), os::round_to_pages(layout.size())) {
            // SAFETY: alloc mapped exactly this for a layout of this size, and the caller gives it up.
            unsafe { os::unmap(at, len) };
        }
    }
}
