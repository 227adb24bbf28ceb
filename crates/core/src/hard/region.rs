//! The regions of hardened slabs: address space that belongs to one size class for as long as there is any other.
//!
//! All heaps take their slabs' places here, under one lock, once a slab. A region is reserved and never used for another
//! class, so an address that was once a block of one size is never a block of another; only where the kernel refuses
//! address space do the places of unused slabs go back (see `Slab::end`). The first region of a class is small, so that a
//! program that uses a little of everything starts in a small address space.

use core::ptr::NonNull;

use crate::class::COUNT;
use crate::hard::slab;
use crate::lock::{Lock, Rank, Side};
use crate::os::{self, PAGE};
use crate::pagemap;

/// The largest region in bytes.
const LARGEST: usize = 64 << 20;

#[derive(Clone, Copy)]
struct Region {
    /// The unused rest of the newest region.
    next: usize,
    end: usize,
    /// Bytes of its slabs, each with its guard page.
    unit: usize,
    /// Slabs that the next region will have room for; 0: it is to be a small one.
    room: usize,
}

static REGIONS: Lock<[Region; COUNT + 1]> =
    Lock::new(Rank::Regions, [Region { next: 0, end: 0, unit: 0, room: 0 }; COUNT + 1]);

/// A place for a slab of `class`: its address, and bytes with the guard page at its end. It is reserved, covered by the
/// page map, and has a page in front of it that nobody can read or write. None when the kernel refuses, or in a
/// signal handler that may not wait for it.
pub fn place(class: usize) -> Option<(usize, usize)> {
    let mut regions = REGIONS.take()?;
    let region = regions.get_mut(class)?;
    if region.next == region.end {
        let (least, full) = (slab::least(class), slab::stride(class));
        // One slab, larger each time, until they are full-grown; then twice as many each time.
        let unit = if region.room == 0 { least } else { (region.unit * 2).min(full) };
        let room = if unit < full { 1 } else { region.room.clamp(1, LARGEST / full) };
        let shapes = [(room, unit), (room.div_ceil(4), unit), (1, unit), (1, least)];
        *region = shapes.into_iter().find_map(|(slabs, unit)| {
            let room = if unit < full { 1 } else { room * 2 };
            reserve(slabs, unit, room)
        })?;
    }
    let base = region.next;
    region.next += region.unit;
    Some((base, region.unit))
}

fn reserve(slabs: usize, unit: usize, room: usize) -> Option<Region> {
    let len = slabs * unit + PAGE;
    let at = os::reserve(len)?;
    let base = at.as_ptr() as usize + PAGE;
    if !pagemap::cover(base, slabs * unit) {
        // SAFETY: nobody has seen this range yet.
        unsafe { os::release(at, len) };
        return None;
    }
    Some(Region { next: base, end: base + slabs * unit, unit, room })
}

/// Gives back what no slab has had yet, since the kernel refuses other memory.
pub fn release() {
    let Some(mut regions) = REGIONS.take() else { return };
    for region in regions.iter_mut() {
        let left = region.end - region.next;
        if let Some(at) = NonNull::new(region.next as *mut u8)
            && left > 0
            // SAFETY: the rest of a reserved range, of which nobody knows.
            && unsafe { os::release(at, left) }
        {
            region.end = region.next;
        }
        region.room = 0;
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
pub unsafe fn fork_done(side: Side) {
    // SAFETY: passed on.
    unsafe { REGIONS.reset(side) };
}
