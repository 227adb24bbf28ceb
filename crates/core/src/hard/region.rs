//! The regions of hardened slabs: address space that belongs to one size class for the life of the process.
//!
//! All heaps take their slabs' places here, under one lock, once a slab. A region is reserved, never given back and never
//! used for another class, so an address that was once a block of one size is never a block of another.

use core::ptr::NonNull;

use crate::class::COUNT;
use crate::hard::slab;
use crate::lock::Lock;
use crate::{os, pagemap};

/// Slabs that the first region of a class has room for; each further one has twice as many as the one before.
const FIRST: usize = 4;
/// The largest region in bytes.
const LARGEST: usize = 64 << 20;

#[derive(Clone, Copy)]
struct Region {
    /// The unused rest of the newest region.
    next: usize,
    end: usize,
    /// Slabs that the next region will have room for; 0: none was reserved yet.
    room: usize,
}

static REGIONS: Lock<[Region; COUNT + 1]> = Lock::new([Region { next: 0, end: 0, room: 0 }; COUNT + 1]);

/// A place for a slab of `class`: reserved, covered by the page map, with a guard page in front. None when the kernel
/// refuses, or in a signal handler that may not wait for it.
pub fn place(class: usize) -> Option<usize> {
    let mut regions = REGIONS.enter()?;
    let region = regions.get_mut(class)?;
    let stride = slab::stride(class);
    if region.next == region.end {
        let mut room = region.room.max(FIRST).min(LARGEST / stride);
        let (at, len) = loop {
            // One stride more for the guard page in front and what the alignment costs.
            let len = (room + 1) * stride;
            match os::reserve(len) {
                Some(at) => break (at, len),
                None if room > 1 => room = (room / 4).max(1),
                None => return None,
            }
        };
        let base = (at.as_ptr() as usize + os::PAGE).next_multiple_of(stride);
        if !pagemap::cover(base, room * stride) {
            // SAFETY: nobody has seen this range yet.
            unsafe { os::release(at, len) };
            return None;
        }
        *region = Region { next: base, end: base + room * stride, room: room * 2 };
        trim(at, len, base - os::PAGE, base + room * stride);
    }
    let base = region.next;
    region.next += stride;
    Some(base)
}

/// Gives back what lies outside `[from, to)` of a range just reserved.
fn trim(at: NonNull<u8>, len: usize, from: usize, to: usize) {
    let start = at.as_ptr() as usize;
    for (begin, end) in [(start, from), (to, start + len)] {
        if end > begin
            && let Some(part) = NonNull::new(begin as *mut u8)
        {
            // SAFETY: a part of the range that no slab will use. Where it is refused it stays reserved, no more.
            unsafe { os::release(part, end - begin) };
        }
    }
}

/// Before fork: no other thread is inside until [`fork_done`].
pub fn fork_prepare() {
    REGIONS.park();
}

/// After fork, in parent and child.
///
/// # Safety
/// The calling thread called [`fork_prepare`] (or is its copy in the child).
pub unsafe fn fork_done() {
    // SAFETY: passed on.
    unsafe { REGIONS.reset() };
}
