//! The marks of a slab: a number a slot, by which free finds the site of a block, where call sites are recorded.
//!
//! Out of line, 4 bytes a slot, made when the first slot of the slab gets one. Whoever has a block writes its mark,
//! and takes it. Owns their memory.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::*};

use crate::pool;

/// The mark of a block that another thread freed, where its owner has to be told.
const LEFT: u32 = u32::MAX;

/// A number a slot of a slab, made when the first slot gets one.
pub struct Marks(AtomicUsize);

impl Marks {
    /// No marks.
    pub const fn new() -> Marks {
        Marks(AtomicUsize::new(0))
    }

    fn places(&self, slots: usize) -> Option<&'static [AtomicU32]> {
        let at = self.0.load(Acquire);
        if at == 0 {
            return None;
        }
        // SAFETY: set made room for `slots` marks, which stays until drop_all, when no slot is in use.
        Some(unsafe { core::slice::from_raw_parts(at as *const AtomicU32, slots) })
    }

    /// Gives slot `number` of `slots` a mark. False when memory is short. Whoever has the block calls this.
    #[inline]
    pub fn set(&self, number: usize, slots: usize, mark: u32) -> bool {
        let places = match self.places(slots) {
            Some(places) => places,
            None if mark == 0 => return true,
            None => match self.make(slots) {
                Some(places) => places,
                None => return false,
            },
        };
        if let Some(place) = places.get(number) {
            place.store(mark, Relaxed);
        }
        true
    }

    #[cold]
    fn make(&self, slots: usize) -> Option<&'static [AtomicU32]> {
        let at = pool::take_bytes(slots * 4)?;
        // SAFETY: the pool gave room for that many bytes.
        unsafe { core::ptr::write_bytes(at.as_ptr(), 0, slots * 4) };
        if self.0.compare_exchange(0, at.as_ptr() as usize, AcqRel, Acquire).is_err() {
            // Another thread, with another block of the slab, was first.
            // SAFETY: it was just taken with this size.
            unsafe { pool::put(at, slots * 4) };
        }
        self.places(slots)
    }

    /// The places themselves, where there are any.
    #[inline(always)]
    pub fn made(&self) -> Option<Made> {
        NonNull::new(self.0.load(Relaxed) as *mut AtomicU32).map(Made)
    }

    /// The mark of slot `number`, taken off; 0: it has none. Whoever frees the block calls this, once.
    #[inline]
    pub fn take(&self, number: usize, slots: usize) -> u32 {
        let Some(place) = self.places(slots).and_then(|places| places.get(number)) else { return 0 };
        let mark = place.load(Relaxed);
        if mark != 0 {
            place.store(0, Relaxed);
        }
        mark
    }

    /// The mark of slot `number`, for a thread that does not own the slab: `LEFT` stays in its place.
    pub fn leave(&self, number: usize, slots: usize) -> u32 {
        let Some(place) = self.places(slots).and_then(|places| places.get(number)) else { return 0 };
        match place.load(Relaxed) {
            0 | LEFT => 0,
            _ => match place.swap(LEFT, Relaxed) {
                LEFT => 0,
                mark => mark,
            },
        }
    }

    /// Whether slot `number` was left so; then it has no mark any more. Only the slab's owner calls this.
    pub fn was_left(&self, number: usize, slots: usize) -> bool {
        let Some(place) = self.places(slots).and_then(|places| places.get(number)) else { return false };
        let left = place.load(Relaxed) == LEFT;
        if left {
            place.store(0, Relaxed);
        }
        left
    }

    /// Gives the room back: no slot is in use.
    #[inline]
    pub fn drop_all(&self, slots: usize) {
        let at = self.0.load(Relaxed);
        if let Some(at) = NonNull::new(at as *mut u8) {
            self.0.store(0, Relaxed);
            // SAFETY: make took it with this size, and nobody reads marks of free slots.
            unsafe { pool::put(at, slots * 4) };
        }
    }
}

/// The places of a slab's marks. A number is below the slab's slots.
#[derive(Clone, Copy)]
pub struct Made(NonNull<AtomicU32>);

impl Made {
    #[inline(always)]
    fn at(self, number: usize) -> &'static AtomicU32 {
        let at = self.0.as_ptr().wrapping_add(number);
        // SAFETY: there is a place for each of the slab's slots, and it stays while one of them is in use.
        unsafe { &*at }
    }

    /// Gives slot `number` a mark.
    #[inline(always)]
    pub fn put(self, number: usize, mark: u32) {
        self.at(number).store(mark, Relaxed);
    }

    /// The mark of slot `number`; 0: it has none.
    #[inline(always)]
    pub fn get(self, number: usize) -> u32 {
        self.at(number).load(Relaxed)
    }
}

impl Default for Marks {
    fn default() -> Self {
        Self::new()
    }
}
