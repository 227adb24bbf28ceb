//! The ranges of hardened large blocks: how long they are, and where they come from.
//!
//! Makes them and their bookkeeping; what is in them is `large`'s.

use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU8, Ordering::Relaxed};

use super::{FREED, Large};
use crate::os::{self, PAGE};
use crate::{engine, pool};

/// The size to which ranges for `bytes` are rounded, so that one fits many blocks: eight in a doubling.
pub fn rounded(bytes: usize) -> usize {
    let step = (bytes.next_power_of_two() / 16).max(PAGE);
    bytes.next_multiple_of(step)
}

/// A reserved range with room for `room` bytes. None when the kernel refuses.
pub fn make(room: usize) -> Option<&'static Large> {
    let whole_bytes = room.checked_add(2 * PAGE)?;
    known(os::reserve(whole_bytes)?, whole_bytes)
}

/// A range whose pages are there from the beginning.
#[cold]
pub fn make_open(room: usize) -> Option<&'static Large> {
    let whole_bytes = room.checked_add(2 * PAGE)?;
    let at = os::map(whole_bytes, 0)?;
    for guard in [0, whole_bytes - PAGE] {
        let Some(guard) = NonNull::new((at.as_ptr() as usize + guard) as *mut u8) else { continue };
        // SAFETY: a page of the mapping, which nobody has seen yet.
        unsafe { os::decommit(guard, PAGE) };
    }
    let large = known(at, whole_bytes)?;
    large.start.set(large.whole + PAGE);
    large.bytes.set(room);
    engine::MAPPED.fetch_add(room, Relaxed);
    Some(large)
}

/// The bookkeeping of a range just had.
fn known(at: NonNull<u8>, whole_bytes: usize) -> Option<&'static Large> {
    let Some(place) = pool::take::<Large>() else {
        // SAFETY: nobody has seen this range yet.
        unsafe { os::release(at, whole_bytes) };
        return None;
    };
    let whole = at.as_ptr() as usize;
    let large = Large {
        base: Cell::new(whole + PAGE),
        asked: Cell::new(0),
        end: Cell::new(whole + PAGE),
        start: Cell::new(whole + PAGE),
        bytes: Cell::new(0),
        whole,
        whole_bytes,
        state: AtomicU8::new(FREED),
        new: Cell::new(false),
        moves: Cell::new(0),
        next: AtomicPtr::default(),
    };
    // SAFETY: the pool gave room for a Large.
    unsafe { place.write(large) };
    // SAFETY: it was just written, and goes back to the pool only in end.
    Some(unsafe { place.as_ref() })
}
