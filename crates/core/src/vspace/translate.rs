//! From MeMS virtual to physical address: what mems_get reads, without a lock.
//!
//! The last start at or before the address says whether its byte is PROCESS, and that start's sheet how far the physical
//! address is: a handful of loads, however many segments. Only mems_finish takes the tables away; it waits for the
//! readers inside. Owns nothing.

use core::ptr;
use core::sync::atomic::Ordering::{Acquire, Relaxed};

use crate::vspace::reader::Reader;
use crate::vspace::tree::{self, END, SCALE, START};

/// The physical address of the byte at MeMS virtual address `address`; None when no PROCESS segment holds it.
/// No lock; O(1).
#[inline]
pub fn physical(address: u64) -> Option<*mut u8> {
    let at = address.wrapping_sub(START.load(Relaxed));
    let reader = Reader::enter();
    let scale = SCALE.load(Relaxed);
    let seen = if at < END.load(Acquire) >> scale { tree::glance(at << scale) } else { None };
    drop(reader);
    match seen {
        Some((true, distance)) => Some(reach(at, distance)),
        Some((false, _)) => None,
        None => physical_far(at),
    }
}

/// As `physical`, for a byte far from the start of its segment; `at` is counted from the start.
#[cold]
#[inline(never)]
fn physical_far(at: u64) -> Option<*mut u8> {
    let _reader = Reader::enter();
    let scale = SCALE.load(Relaxed);
    let seen = if at < END.load(Acquire) >> scale { tree::last(at << scale) } else { None };
    let (_, process, distance) = seen?;
    process.then(|| reach(at, distance))
}

#[inline(always)]
fn reach(at: u64, distance: u64) -> *mut u8 {
    ptr::with_exposed_provenance_mut(at.wrapping_add(distance) as usize)
}
