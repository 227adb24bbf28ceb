//! What is known of a guarded block's page: its block, and the stacks of the calls that took and freed it.
//!
//! Words that the holder of the lock in `guard` writes, and anyone reads: a signal handler that reports a fault takes no
//! lock. What it reads may be half of one block and half of the next only where a program faults on both at once.

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering::*};

use crate::os::PAGE;
use crate::profile::{Caller, stacks};

/// Frames that are kept of a stack.
const FRAMES: usize = 24;

/// No block was here yet.
pub const SET_UP: u8 = 0;
/// A block lives here.
pub const LIVE: u8 = 1;
/// The block was freed: the page is gone.
pub const FREED: u8 = 2;

/// A stack, innermost first.
pub struct Stack {
    count: AtomicUsize,
    frames: [AtomicUsize; FRAMES],
}

impl Stack {
    fn set(&self, caller: &Caller) {
        let mut frames = [0; FRAMES];
        let count = stacks::of(caller, &mut frames);
        for (to, from) in self.frames.iter().zip(frames) {
            to.store(from, Relaxed);
        }
        self.count.store(count, Release);
    }

    /// Its return addresses.
    pub fn frames(&self) -> impl Iterator<Item = usize> {
        let count = self.count.load(Acquire).min(FRAMES);
        self.frames[..count].iter().map(|frame| frame.load(Relaxed))
    }
}

/// See the module. All zero bytes are one that had no block yet.
pub struct Page {
    state: AtomicU8,
    new: AtomicU8,
    base: AtomicUsize,
    asked: AtomicUsize,
    /// Of the call that took the block.
    pub taken: Stack,
    /// Of the call that freed it.
    pub freed: Stack,
}

impl Page {
    /// LIVE, FREED or SET_UP.
    pub fn state(&self) -> u8 {
        self.state.load(Acquire)
    }

    /// Whether a block lives here.
    pub fn is_live(&self) -> bool {
        self.state() == LIVE
    }

    /// Address of the block that is or was here.
    pub fn base(&self) -> usize {
        self.base.load(Relaxed)
    }

    /// Bytes asked of it.
    pub fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }

    /// Whether operator new gave it out.
    pub fn is_new(&self) -> bool {
        self.new.load(Relaxed) != 0
    }

    /// A block stands here from now on.
    pub fn take(&self, base: usize, asked: usize, new: bool, caller: &Caller) {
        self.base.store(base, Relaxed);
        self.asked.store(asked, Relaxed);
        self.new.store(u8::from(new), Relaxed);
        self.taken.set(caller);
        self.state.store(LIVE, Release);
    }

    /// It is freed.
    pub fn free(&self, caller: &Caller) {
        self.freed.set(caller);
        self.state.store(FREED, Release);
    }

    /// Whether bytes of the page beside its live block were written to: in front of it (true), or behind.
    pub fn is_written_beside(&self, start: usize) -> Option<bool> {
        let (base, end) = (self.base() - start, self.base() - start + self.asked());
        // SAFETY: the page of a live block, which the lock's holder alone takes away.
        let bytes = unsafe { core::slice::from_raw_parts(start as *const u8, PAGE) };
        let written = |part: &[u8]| part.iter().fold(0, |all, byte| all | byte) != 0;
        if written(&bytes[end..]) {
            return Some(false);
        }
        written(&bytes[..base]).then_some(true)
    }
}
