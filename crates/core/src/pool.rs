//! Memory for the library's own bookkeeping: small objects of a few sizes, cut from mappings of their own.
//!
//! Out of line: no bookkeeping lies among the program's blocks. Objects are reused by size and never unmapped,
//! so a reference to one stays valid for the life of the process. Objects above 8 KiB are whole mappings.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::lock::Lock;
use crate::{mode, os};

/// Sizes that are kept apart: 64 << i bytes.
const SIZES: usize = 8;
/// Larger objects are mappings of their own, and page-aligned.
const LARGEST: usize = 64 << (SIZES - 1);
/// The first line of a mapping stays unused, so that the word before an object may be read (see `Stack::is_newest`).
const FRONT: usize = 64;
const FIRST_GRANT: usize = 16 << 10;
const SMALLEST_GRANT: usize = 32 << 10;
const LARGEST_GRANT: usize = 1 << 20;

struct Pool {
    /// Free objects by size, linked through their first word.
    free: [Option<NonNull<Free>>; SIZES],
    /// The unused rest of the newest mapping.
    next: usize,
    end: usize,
}

struct Free {
    next: Option<NonNull<Free>>,
}

// SAFETY: what the pointers refer to belongs to the pool, which is behind a lock.
unsafe impl Send for Pool {}

static POOL: Lock<Pool> = Lock::new(Pool { free: [None; SIZES], next: 0, end: 0 });

/// Bytes mapped for bookkeeping.
pub static MAPPED: AtomicUsize = AtomicUsize::new(0);

const fn row(size: usize) -> usize {
    let mut i = 0;
    while (64 << i) < size {
        i += 1;
    }
    i
}

/// Memory for a `T` that is to live for good or until [`put`]; its content is arbitrary. None when the kernel
/// refuses, or when this thread is inside the pool already (a signal handler). O(1).
pub fn take<T>() -> Option<NonNull<T>> {
    const { assert!(size_of::<T>() > LARGEST || align_of::<T>() <= 64) };
    take_bytes(size_of::<T>()).map(NonNull::cast)
}

/// As [`take`], by size in bytes.
pub fn take_bytes(size: usize) -> Option<NonNull<u8>> {
    if size > LARGEST {
        return map(os::round_to_pages(size)?);
    }
    let row = row(size);
    let size = 64 << row;
    let mut pool = POOL.take()?;
    if let Some(at) = pool.free[row] {
        // SAFETY: a free object of the pool holds a Free.
        pool.free[row] = unsafe { at.as_ref() }.next;
        return Some(at.cast());
    }
    if pool.end - pool.next < size {
        let mut grant = match pool.end {
            0 => FIRST_GRANT,
            _ => (MAPPED.load(Relaxed) / 8).clamp(SMALLEST_GRANT, LARGEST_GRANT) & !(os::PAGE - 1),
        };
        let least = os::round_to_pages(FRONT + size)?;
        let at = loop {
            match map(grant) {
                Some(at) => break at,
                None if grant > least => grant = (grant / 2).max(least) & !(os::PAGE - 1),
                None => return None,
            }
        };
        pool.next = at.as_ptr() as usize + FRONT;
        pool.end = at.as_ptr() as usize + grant;
    }
    let at = pool.next;
    pool.next += size;
    NonNull::new(at as *mut u8)
}

/// Gives an object back for reuse. When this thread is inside the pool already, the object is lost.
///
/// # Safety
/// `at` came from [`take`] or [`take_bytes`] with the same size (8 KiB at most), and nothing refers to it any more.
pub unsafe fn put(at: NonNull<u8>, size: usize) {
    let Some(mut pool) = POOL.take() else { return };
    let row = row(size);
    let free = at.cast::<Free>();
    // SAFETY: the object is ours and at least 64 bytes.
    unsafe { free.write(Free { next: pool.free[row] }) };
    pool.free[row] = Some(free);
}

/// Maps memory for bookkeeping: in hardened mode between guard pages.
pub fn map(len: usize) -> Option<NonNull<u8>> {
    let at = if mode::is_hardened() { os::map_guarded(len)? } else { os::map(len, 0)? };
    MAPPED.fetch_add(len, Relaxed);
    Some(at)
}

/// Before fork: no other thread is inside until [`fork_done`].
pub fn fork_prepare() {
    POOL.park();
}

/// After fork, in parent and child.
///
/// # Safety
/// The calling thread called [`fork_prepare`] (or is its copy in the child).
pub unsafe fn fork_done() {
    // SAFETY: passed on; the thread that holds the lock is this one.
    unsafe { POOL.reset() };
}
