//! The process's secret: what free blocks' marks and bookkeeping's check words are mixed with.
//!
//! From the random bytes that the kernel gave the process at its start: no system call, the same until exec.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A number that an attacker does not know, the same for the life of the process.
#[inline]
pub fn get() -> usize {
    static SECRET: AtomicUsize = AtomicUsize::new(0);
    let known = SECRET.load(Relaxed);
    if known != 0 {
        return known;
    }
    // SAFETY: getauxval has no precondition.
    let at = unsafe { libc::getauxval(libc::AT_RANDOM) } as *const [usize; 2];
    // SAFETY: AT_RANDOM is the address of 16 random bytes that the kernel put on the first stack, or 0.
    let random = unsafe { at.as_ref() }.map_or(0, |words| words[1].rotate_left(23) ^ words[0]);
    // No mark may begin with a zero byte: blocks are multiples of 16, so their last four bits leave these as they are.
    let fresh = random & !15 | 0b1011;
    SECRET.store(fresh, Relaxed);
    fresh
}
