//! Bytes that are kept for the life of the process: written once, at load, and read by whoever comes later.
//!
//! The program's own copies (arguments, environment) may be overwritten or gone by the time the dump is written. All
//! places share one store and lie in it one behind the other, as long as their contents are: what a process keeps at its
//! start is a few hundred bytes, on one page.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const EMPTY: u8 = 0;
const WRITING: u8 = 1;
const WRITTEN: u8 = 2;

/// Enough for all places at their largest (arguments, executable, options, two paths).
const ROOM: usize = 32 << 10;
/// In `used`: somebody is writing.
const BUSY: usize = usize::MAX;

/// `used` first, so that it is on the page of the first bytes.
#[repr(C)]
struct Store {
    used: AtomicUsize,
    bytes: UnsafeCell<[u8; ROOM]>,
}

// SAFETY: the bytes from `used` on are written by the one thread that found `used` not BUSY and made it so; those before
// never change again.
unsafe impl Sync for Store {}
static STORE: Store = Store { used: AtomicUsize::new(0), bytes: UnsafeCell::new([0; ROOM]) };

/// Some bytes of the store.
pub struct Place {
    start: AtomicUsize,
    len: AtomicUsize,
    state: AtomicU8,
}

impl Place {
    /// An empty place.
    pub const fn new() -> Self {
        Place { start: AtomicUsize::new(0), len: AtomicUsize::new(0), state: AtomicU8::new(EMPTY) }
    }

    /// Lets `write` fill at most `most` bytes and say how many it wrote. Only the first call has an effect.
    pub fn set(&self, most: usize, write: impl FnOnce(&mut [u8]) -> usize) {
        if self.state.compare_exchange(EMPTY, WRITING, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return;
        }
        let start = STORE.used.swap(BUSY, Ordering::Acquire);
        if start == BUSY {
            return;
        }
        // SAFETY: this thread made the store BUSY, so nobody else has a reference to what is behind `start`.
        let rest = unsafe { rest(start, most) };
        let len = write(rest).min(rest.len());
        self.start.store(start, Ordering::Relaxed);
        self.len.store(len, Ordering::Relaxed);
        self.state.store(WRITTEN, Ordering::Release);
        STORE.used.store(start + len, Ordering::Release);
    }

    /// The bytes; none before they were written.
    pub fn get(&self) -> &'static [u8] {
        if self.state.load(Ordering::Acquire) != WRITTEN {
            return &[];
        }
        // SAFETY: the place is WRITTEN, so its bytes lie in the store and do not change any more.
        unsafe {
            core::slice::from_raw_parts(
                STORE.bytes.get().cast::<u8>().wrapping_add(self.start.load(Ordering::Relaxed)),
                self.len.load(Ordering::Relaxed),
            )
        }
    }
}

/// At most `most` bytes of the store from `start` on.
///
/// # Safety
/// `start <= ROOM`, and nobody else has a reference to them.
unsafe fn rest(start: usize, most: usize) -> &'static mut [u8] {
    // SAFETY: the caller's promise; the length ends within the store.
    unsafe {
        core::slice::from_raw_parts_mut(
            STORE.bytes.get().cast::<u8>().wrapping_add(start),
            most.min(ROOM - start),
        )
    }
}
