//! A descriptor of our own, at a high number, out of the way of shells and scripts, which use the low ones.
//!
//! The program may close it, or have something else stand there: so each use asks whether it is still what it was. Zero
//! bytes are none, on no page of a process that has none.

use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, AtomicU64, Ordering::Relaxed};

use crate::raw;

/// The first number that is tried, as for the copy of stderr (see `stderr`).
const LEAST: c_int = 230;

/// See the module.
pub struct Descriptor {
    /// The number + 1; 0: none.
    number: AtomicI32,
    inode: AtomicU64,
}

impl Descriptor {
    /// None yet.
    pub const fn new() -> Descriptor {
        Descriptor { number: AtomicI32::new(0), inode: AtomicU64::new(0) }
    }

    /// Takes over what was just opened as `got`, and moves it up where there is a number free.
    pub fn hold(&self, got: c_int) {
        let high = raw::duplicate(got, LEAST);
        let number = if high >= 0 { high as c_int } else { got };
        if high >= 0 {
            raw::close(got);
        }
        self.inode.store(raw::status(number).map_or(0, |file| file.st_ino), Relaxed);
        self.number.store(number + 1, Relaxed);
    }

    /// The number, if it is still ours.
    pub fn get(&self) -> Option<c_int> {
        let number = self.number.load(Relaxed) - 1;
        let is_ours =
            |number| raw::status(number).is_some_and(|file| file.st_ino == self.inode.load(Relaxed));
        (number >= 0 && is_ours(number)).then_some(number)
    }

    /// Lets it go, and closes it if it is still ours.
    pub fn close(&self) {
        if let Some(number) = self.get() {
            raw::close(number);
        }
        self.number.store(0, Relaxed);
    }
}
