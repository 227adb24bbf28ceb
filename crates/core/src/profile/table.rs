//! A table that grows, and is read without a lock while it does.
//!
//! One writer at a time. When a table grows its entries are copied to a mapping of twice the room; the old one stays, for those
//! who are just reading it. So there is always a whole table to read, and small programs have small ones. Owns its mappings,
//! which are never unmapped.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::*};

use crate::pool;

/// Entries of a type for which zero bytes are valid, and which may be copied while they are read: numbers.
pub struct Table<T: 'static> {
    /// Where it is; published before `room`.
    at: AtomicPtr<T>,
    room: AtomicUsize,
}

impl<T> Table<T> {
    /// A table without room.
    pub const fn new() -> Table<T> {
        Table { at: AtomicPtr::new(ptr::null_mut()), room: AtomicUsize::new(0) }
    }

    /// All entries.
    #[inline]
    pub fn all(&self) -> &'static [T] {
        let room = self.room.load(Acquire);
        match NonNull::new(self.at.load(Acquire)) {
            // SAFETY: a mapping that was published has at least the room that was read before it, zero bytes are valid
            // entries, and it is never unmapped.
            Some(at) => unsafe { core::slice::from_raw_parts(at.as_ptr(), room) },
            None => &[],
        }
    }

    /// The address of the word that holds where the table is: for a reader from outside.
    pub fn place(&self) -> usize {
        ptr::from_ref(&self.at).addr()
    }

    /// Makes room for `room` entries, more than there is; `fill` puts the old ones into the new table. False when memory is
    /// short. Only the writer calls this.
    pub fn grow(&self, room: usize, fill: impl FnOnce(&'static [T], &'static [T])) -> bool {
        // Above the pool's sizes: a mapping of its own, zero, and touched as it is used.
        let Some(at) = pool::take_bytes((room * size_of::<T>()).max(12 << 10)) else { return false };
        let at = at.cast::<T>();
        // SAFETY: as in `all`; just mapped.
        fill(self.all(), unsafe { core::slice::from_raw_parts(at.as_ptr(), room) });
        self.at.store(at.as_ptr(), Release);
        self.room.store(room, Release);
        true
    }

    /// As [`Table::grow`], each entry in its place.
    pub fn lengthen(&self, room: usize) -> bool {
        self.grow(room, |old, new| {
            // SAFETY: the new table is at least as long and nobody else's yet.
            unsafe { ptr::copy_nonoverlapping(old.as_ptr(), new.as_ptr().cast_mut(), old.len()) };
        })
    }
}
