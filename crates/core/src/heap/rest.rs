//! A heap between two threads: what one whose thread has ended may keep for the next.
//!
//! A thread that ends gives its heap's free memory back. But where threads come and go the next one asks for the same
//! again at once, so a few heaps in which little lies free stay as they are: they rest *warm*. Owns the count of those;
//! who hands heaps on is `registry`. Never touches a heap that its caller does not have.

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use super::Heap;
use crate::class::{CLASSES, COUNT};
use crate::os::PAGE;
use crate::{large, mode, remote};

/// Most heaps that rest warm at once.
const WARM: usize = 4;
/// Most bytes that lie free in such a heap, on its stacks and in its slabs.
const WARM_BYTES: usize = 1 << 20;

/// Heaps that rest warm.
static WARM_NOW: AtomicUsize = AtomicUsize::new(0);

impl Heap {
    /// The heap's thread ends: its free memory goes back, or stays if there is little and few heaps rest warm.
    pub fn rest(&'static self) {
        remote::collect(self);
        if !self.has_little() || !self.warm_up() {
            return self.release();
        }
        large::release(self);
        remote::post_all(self);
    }

    /// Takes the blocks back that came to a heap without a thread.
    pub fn tidy(&'static self) {
        if self.warm.get() {
            remote::collect(self);
            if self.has_little() {
                return remote::post_all(self);
            }
            self.wake();
        }
        self.release();
    }

    /// The heap rests no more: a thread has taken it over, or its memory goes back.
    pub fn wake(&self) {
        if self.warm.replace(false) {
            WARM_NOW.fetch_sub(1, Relaxed);
        }
    }

    fn warm_up(&self) -> bool {
        let next = |now| (now < WARM).then_some(now + 1);
        self.warm.set(WARM_NOW.fetch_update(Relaxed, Relaxed, next).is_ok());
        self.warm.get()
    }

    /// Whether what lies free is little. O(classes).
    fn has_little(&self) -> bool {
        let of_class = |class: usize| {
            let free = self.stacks[class].held() + self.shelves[class].free_slots() as usize;
            free * CLASSES[class].slot as usize
        };
        let spare: usize =
            self.spare.iter().flatten().filter_map(|slab| slab.get()).map(|slab| slab.pages()).sum();
        !mode::is_hardened() && (1..=COUNT).map(of_class).sum::<usize>() + spare * PAGE <= WARM_BYTES
    }
}
