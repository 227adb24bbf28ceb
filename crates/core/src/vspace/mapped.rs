//! What the mems_* address space has mapped, counted apart from the malloc heap's.
//!
//! Passes calls on to `os` and counts their bytes and numbers; owns nothing else.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::os;

/// Bytes and calls of the mems_* address space; all of it is in `os::CALLS` too.
pub struct Mapped {
    /// Bytes of regions now, kernel pages.
    pub regions: AtomicU64,
    /// Bytes of bookkeeping now.
    pub bookkeeping: AtomicU64,
    /// mmap calls that succeeded.
    pub mmap: AtomicU64,
    /// munmap calls that succeeded.
    pub munmap: AtomicU64,
    /// Bytes that earlier finishes had to leave.
    left: AtomicU64,
}

/// Counted over the whole process.
pub static MAPPED: Mapped = Mapped {
    regions: AtomicU64::new(0),
    bookkeeping: AtomicU64::new(0),
    mmap: AtomicU64::new(0),
    munmap: AtomicU64::new(0),
    left: AtomicU64::new(0),
};

/// Bytes mapped for regions and bookkeeping now.
pub fn bytes() -> u64 {
    MAPPED.regions.load(Relaxed) + bookkeeping_bytes()
}

/// Bytes mapped for bookkeeping now.
pub fn bookkeeping_bytes() -> u64 {
    MAPPED.bookkeeping.load(Relaxed)
}

/// After everything was given back: the bytes that were left, earlier ones not counted again.
pub fn left() -> u64 {
    let now = bytes();
    now.saturating_sub(MAPPED.left.swap(now, Relaxed))
}

/// Maps memory for a region; None when the kernel refuses.
pub fn region(len: usize) -> Option<NonNull<u8>> {
    counted(len, &MAPPED.regions)
}

/// Maps memory for bookkeeping; None when the kernel refuses.
pub fn bookkeeping(len: usize) -> Option<NonNull<u8>> {
    counted(len, &MAPPED.bookkeeping)
}

fn counted(len: usize, bytes: &AtomicU64) -> Option<NonNull<u8>> {
    let at = os::map(len, 0)?;
    MAPPED.mmap.fetch_add(1, Relaxed);
    bytes.fetch_add(len as u64, Relaxed);
    Some(at)
}

/// Unmaps what [`region`] gave, or neighbours of it in one call. False: refused, and still mapped.
///
/// # Safety
/// As `os::unmap`.
pub unsafe fn release_region(at: NonNull<u8>, len: usize) -> bool {
    // SAFETY: the caller keeps os::unmap's promise.
    let done = unsafe { os::unmap(at, len) };
    if done {
        MAPPED.munmap.fetch_add(1, Relaxed);
        MAPPED.regions.fetch_sub(len as u64, Relaxed);
    }
    done
}

/// Unmaps what [`bookkeeping`] gave. A refusal (`vm.max_map_count`) leaves it mapped and counted.
///
/// # Safety
/// As `os::unmap`.
pub unsafe fn release_bookkeeping(at: NonNull<u8>, len: usize) -> bool {
    // SAFETY: the caller keeps os::unmap's promise.
    let done = unsafe { os::unmap(at, len) };
    if done {
        MAPPED.munmap.fetch_add(1, Relaxed);
        MAPPED.bookkeeping.fetch_sub(len as u64, Relaxed);
    }
    done
}
