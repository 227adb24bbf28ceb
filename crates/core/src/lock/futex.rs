//! Sleeping on a word, and waking who sleeps: futex, by system calls made directly.
//!
//! The kernel looks at 32 bits of the word: the low ones, which hold the lock's mark that it is waited for. Two owners that
//! differ in the high ones only are woken alike. Owns nothing.

use core::sync::atomic::AtomicUsize;

use crate::syscall;

/// Sleeps until woken if the word still has this value; at most so many nanoseconds (less than a second) where they are given.
/// It may also return at once.
pub fn wait(word: &AtomicUsize, value: usize, most: Option<u64>) {
    let most = most.map(|ns| libc::timespec { tv_sec: 0, tv_nsec: ns as libc::c_long });
    let most = most.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
    call(word, libc::FUTEX_WAIT, value as u32 as usize, most as usize);
}

/// Sleeps for so many nanoseconds (less than a second), or shorter. No cancellation point.
pub fn pause(ns: u64) {
    wait(&AtomicUsize::new(0), 0, Some(ns));
}

/// Wakes one that sleeps.
pub fn wake(word: &AtomicUsize) {
    call(word, libc::FUTEX_WAKE, 1, 0);
}

fn call(word: &AtomicUsize, operation: i32, value: usize, most: usize) {
    let operation = (operation | libc::FUTEX_PRIVATE_FLAG) as usize;
    let low = word.as_ptr().cast::<u32>().wrapping_add(usize::from(cfg!(target_endian = "big")));
    // SAFETY: the word outlives the call, and so does the time that `most` is the address of, if it is not null.
    unsafe { syscall::call(libc::SYS_futex, [low as usize, operation, value, most, 0, 0]) };
}
