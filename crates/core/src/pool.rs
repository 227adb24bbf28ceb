//! Memory for the library's own bookkeeping: small objects of a few sizes, cut from mappings of their own.
//!
//! Out of line: no bookkeeping lies among the program's blocks. Objects are reused by size and never unmapped,
//! so a reference to one stays valid for the life of the process. Objects above 8 KiB are whole mappings.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::*};

use crate::lock::{Lock, Rank, Side};
use crate::pile::{Pile, Piled};
use crate::{mode, os};

/// Sizes in steps of this many bytes, and how many of them; above those they double. (A slab's table of loans has any size
/// up to a KiB; where sparse slabs lend there is one for nearly every slab.)
const STEP: usize = 64;
const STEPS: usize = 16;
/// Sizes that are kept apart.
const SIZES: usize = STEPS + 3;
/// Larger objects are mappings of their own, page-aligned, and never given back.
pub const LARGEST: usize = bytes(SIZES - 1);
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

/// An object that a signal handler gave back while its thread was inside the pool.
struct Late {
    next: AtomicPtr<Late>,
    row: usize,
}

impl Piled for Late {
    fn under(&self) -> &AtomicPtr<Late> {
        &self.next
    }
}

/// All of them; whoever is inside next makes them free.
static LATE: Pile<Late> = Pile::new();

// SAFETY: what the pointers refer to belongs to the pool, which is behind a lock.
unsafe impl Send for Pool {}

static POOL: Lock<Pool> = Lock::new(Rank::Pool, Pool { free: [None; SIZES], next: 0, end: 0 });

/// Bytes mapped for bookkeeping.
pub static MAPPED: AtomicUsize = AtomicUsize::new(0);

/// Bytes of the objects of a row.
const fn bytes(row: usize) -> usize {
    if row < STEPS { (row + 1) * STEP } else { (STEPS * STEP) << (row + 1 - STEPS) }
}

const fn row(size: usize) -> usize {
    if size <= STEPS * STEP {
        return size.saturating_sub(1) / STEP;
    }
    let mut row = STEPS;
    while bytes(row) < size {
        row += 1;
    }
    row
}

/// Memory for a `T` that is to live for good or until [`put`]; its content is arbitrary. None when the kernel
/// refuses. O(1).
///
/// This is the one lock that a signal handler may wait for wherever it came in: nobody waits for anything inside.
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
    let size = bytes(row);
    // A signal handler whose thread is inside gets pages of its own.
    let Some(mut pool) = POOL.take() else { return map(os::round_to_pages(size)?) };
    pool.end_late();
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

impl Pool {
    /// Makes free what came late.
    #[inline]
    fn end_late(&mut self) {
        if LATE.is_empty() {
            return;
        }
        let mut late = LATE.take();
        while let Some(object) = late {
            let row = object.row;
            late = object.below();
            // SAFETY: what lay on the pile is now only ours, and nobody refers to it any more.
            unsafe { self.add(NonNull::from(object).cast(), row) };
        }
    }

    /// # Safety
    /// `at` is an object of this row's size that nothing refers to any more.
    unsafe fn add(&mut self, at: NonNull<u8>, row: usize) {
        let free = at.cast::<Free>();
        // SAFETY: the object is ours and at least 64 bytes.
        unsafe { free.write(Free { next: self.free[row] }) };
        self.free[row] = Some(free);
    }
}

/// Gives an object back for reuse.
///
/// # Safety
/// `at` came from [`take`] or [`take_bytes`] with the same size (8 KiB at most), and nothing refers to it any more.
pub unsafe fn put(at: NonNull<u8>, size: usize) {
    let row = row(size);
    if let Some(mut pool) = POOL.take() {
        // SAFETY: the caller's promise.
        return unsafe { pool.add(at, row) };
    }
    let late = at.cast::<Late>();
    // SAFETY: the object is ours and at least 64 bytes.
    unsafe { late.write(Late { next: AtomicPtr::new(core::ptr::null_mut()), row }) };
    // SAFETY: it was just written, and is the pile's until whoever takes that makes it free.
    LATE.put(unsafe { late.as_ref() });
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
pub unsafe fn fork_done(side: Side) {
    // SAFETY: passed on; the thread that holds the lock is this one.
    unsafe { POOL.reset(side) };
}
