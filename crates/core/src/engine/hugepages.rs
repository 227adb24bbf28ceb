//! Huge pages, where `MEMS_HUGEPAGES=1` asks for them: one madvise a large region. It is the only memory call beside mmap and
//! munmap, and nobody gets it unasked.
//!
//! Owns the answer and the count of the calls. The kernel decides what it makes of the advice; regions that were mapped before
//! the options were read stay as they are.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::os;

/// Bytes of a huge page (x86-64, and aarch64 with pages of 4 KiB).
pub const HUGE_PAGE: usize = 2 << 20;

static ON: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicU64 = AtomicU64::new(0);

/// From now on large regions are asked to be huge pages.
pub fn start() {
    ON.store(true, Relaxed);
}

/// Whether they are.
#[inline]
pub(super) fn are_on() -> bool {
    ON.load(Relaxed)
}

/// The calls that the kernel granted, over the whole process.
pub(super) fn asked() -> u64 {
    ASKED.load(Relaxed)
}

/// Asks for huge pages in a range of a region, where that is on and the range can hold one.
#[inline]
pub(super) fn ask(at: NonNull<u8>, len: usize) {
    if are_on() {
        advise(at, len);
    }
}

#[cold]
#[inline(never)]
fn advise(at: NonNull<u8>, len: usize) {
    // SAFETY: the caller's own pages.
    if len >= HUGE_PAGE && unsafe { os::advise_huge(at, len) } {
        ASKED.fetch_add(1, Relaxed);
    }
}
