//! Bytes that are kept for the life of the process: written once, at load, and read by whoever comes later.
//!
//! The program's own copies (arguments, environment) may be overwritten or gone by the time the dump is written. Lives
//! in static memory, whose pages cost nothing until they are written.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const EMPTY: u8 = 0;
const WRITING: u8 = 1;
const WRITTEN: u8 = 2;

/// Room for up to `N` bytes.
pub struct Place<const N: usize> {
    bytes: UnsafeCell<[u8; N]>,
    len: AtomicUsize,
    state: AtomicU8,
}

// SAFETY: the bytes are written by the one thread that moved `state` from EMPTY to WRITING, and read by others only once
// it is WRITTEN, after which they never change.
unsafe impl<const N: usize> Sync for Place<N> {}

impl<const N: usize> Place<N> {
    /// An empty place.
    pub const fn new() -> Self {
        Place { bytes: UnsafeCell::new([0; N]), len: AtomicUsize::new(0), state: AtomicU8::new(EMPTY) }
    }

    /// Lets `write` fill the place and say how many bytes it wrote. Only the first call has an effect.
    pub fn set(&self, write: impl FnOnce(&mut [u8; N]) -> usize) {
        if self.state.compare_exchange(EMPTY, WRITING, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return;
        }
        // SAFETY: this thread made the place WRITING, so nobody else reads or writes.
        let bytes = unsafe { &mut *self.bytes.get() };
        let len = write(bytes).min(N);
        self.len.store(len, Ordering::Relaxed);
        self.state.store(WRITTEN, Ordering::Release);
    }

    /// The bytes; none before they were written.
    pub fn get(&self) -> &[u8] {
        if self.state.load(Ordering::Acquire) != WRITTEN {
            return &[];
        }
        // SAFETY: the place is WRITTEN, so the bytes do not change any more.
        let bytes = unsafe { &*self.bytes.get() };
        bytes.get(..self.len.load(Ordering::Relaxed)).unwrap_or_default()
    }
}
