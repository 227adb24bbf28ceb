//! Steps: equal entries by index, in pieces that get larger with their number; an entry never moves.
//!
//! Piece sizes in pages: eight of 1, eight of 2, eight of 4 and so on, so that at most an eighth of what is mapped
//! is ahead of need and an index finds its entry with one look into a table of 1.5 KiB. Where the kernel
//! refuses a piece, half of it is tried, down to one page; the indices of the part that is missing are skipped.
//! Owns its pieces; gives them back only all at once.

use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::os;
use crate::vspace::mapped;

/// Pieces that 2^32 entries of 64 bytes take are 192; a power of two needs no check.
const PIECES: usize = 256;
const PAGE: usize = os::PAGE;

/// The table of pieces. Reading it takes no lock; only [`Cursor`], under the lock, adds to it.
pub struct Steps<T> {
    /// Entry i of the piece is at `origin.wrapping_byte_add(i * size_of::<T>())`: the piece's address less that of its
    /// first index, so that no subtraction is needed; null: not there.
    origins: [AtomicPtr<u8>; PIECES],
    entry: PhantomData<T>,
}

// SAFETY: the table is atomic; what it leads to is the callers' business, who get raw pointers.
unsafe impl<T> Sync for Steps<T> {}

impl<T> Steps<T> {
    /// Entries a page; a power of two.
    const ENTRIES: usize = PAGE / size_of::<T>();
    /// What `piece` subtracts, so that entry 0 is in piece 0.
    const FIRST: usize = 8 * (8 * Self::ENTRIES).ilog2() as usize + 8;

    /// No pieces.
    pub const fn new() -> Self {
        Steps { origins: [const { AtomicPtr::new(ptr::null_mut()) }; PIECES], entry: PhantomData }
    }

    /// The piece that holds entry `index`: 8 pieces a doubling of the pages.
    #[inline(always)]
    const fn piece(index: u32) -> usize {
        let index = index as u64 + 8 * Self::ENTRIES as u64;
        let doubling = u64::BITS - 1 - index.leading_zeros();
        // The first piece has doubling log2(8 ENTRIES) and, in the three bits behind the first, 0.
        8 * doubling as usize + (index >> (doubling - 3)) as usize - Self::FIRST
    }

    /// First page of a piece, and its pages.
    const fn span(piece: usize) -> (usize, usize) {
        let doubling = piece / 8;
        let part = piece % 8 + 8;
        ((part << doubling) - 8, 1 << doubling)
    }

    /// Where entry `index` is. Only for indices that [`Cursor::next`] gave and before [`Cursor::release`].
    #[inline(always)]
    pub fn at(&self, index: u32) -> *mut T {
        let piece = Self::piece(index);
        // Relaxed: whoever learnt of the index, under the lock or from an entry published with Release, sees the
        // origin that was stored before.
        let origin = self.origins[piece % PIECES].load(Ordering::Relaxed);
        origin.wrapping_add(index as usize * size_of::<T>()).cast()
    }
}

/// How far the entries are used: what must be under the lock.
pub struct Cursor {
    /// The next fresh index.
    next: u32,
    /// One past the last index that has memory behind it.
    limit: u32,
    /// The next piece to be mapped.
    piece: usize,
    /// Pages behind each piece.
    backed: [u32; PIECES],
}

impl Cursor {
    /// Nothing used.
    pub const fn new() -> Self {
        Cursor { next: 0, limit: 0, piece: 0, backed: [0; PIECES] }
    }

    /// A fresh index, zero bytes behind it. None: the kernel has no page, or 2^32 entries are used.
    pub fn next<T>(&mut self, steps: &Steps<T>) -> Option<u32> {
        if self.next == self.limit {
            self.more(steps)?;
        }
        let index = self.next;
        self.next += 1;
        Some(index)
    }

    /// Maps the next piece, or as much of its front as the kernel allows.
    #[cold]
    fn more<T>(&mut self, steps: &Steps<T>) -> Option<()> {
        let (first, pages) = Steps::<T>::span(self.piece);
        let entries = Steps::<T>::ENTRIES;
        let mut got = pages;
        // The last index is left out: one past it must fit too.
        if (first + pages) * entries > u32::MAX as usize {
            return None;
        }
        let at = loop {
            match mapped::bookkeeping(got * PAGE) {
                Some(at) => break at,
                None if got > 1 => got /= 2,
                None => return None,
            }
        };
        let origin = at.as_ptr().wrapping_sub(first * entries * size_of::<T>());
        steps.origins.get(self.piece)?.store(origin, Ordering::Release);
        *self.backed.get_mut(self.piece)? = got as u32;
        self.next = (first * entries) as u32;
        self.limit = ((first + got) * entries) as u32;
        self.piece += 1;
        Some(())
    }

    /// Unmaps every piece.
    ///
    /// # Safety
    /// Nothing refers to an entry any more.
    pub unsafe fn release<T>(&mut self, steps: &Steps<T>) {
        for piece in 0..self.piece {
            let (first, _) = Steps::<T>::span(piece);
            let (Some(slot), Some(&pages)) = (steps.origins.get(piece), self.backed.get(piece)) else {
                continue;
            };
            let origin = slot.swap(ptr::null_mut(), Ordering::AcqRel);
            let at = origin.wrapping_add(first * Steps::<T>::ENTRIES * size_of::<T>());
            if let Some(at) = NonNull::new(at) {
                // SAFETY: `more` mapped exactly these pages here, and the caller vouches that they are unused.
                unsafe { mapped::release_bookkeeping(at, pages as usize * PAGE) };
            }
        }
        *self = Cursor::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_lies_in_the_piece_that_spans_it() {
        let entries = Steps::<[u8; 64]>::ENTRIES;
        for piece in 0..PIECES - 80 {
            let (first, pages) = Steps::<[u8; 64]>::span(piece);
            for index in [first * entries, (first + pages) * entries - 1] {
                assert_eq!(Steps::<[u8; 64]>::piece(index as u32), piece, "index {index}");
            }
        }
        assert_eq!(Steps::<[u8; 32]>::piece(0), 0);
        assert!(Steps::<[u8; 32]>::piece(u32::MAX) < PIECES);
        assert!(Steps::<[u8; 64]>::piece(u32::MAX) < PIECES);
    }

    #[test]
    fn entries_stay_where_they_are_and_are_their_own() {
        static STEPS: Steps<u64> = Steps::new();
        let mut cursor = Cursor::new();
        for i in 0..100_000u64 {
            let index = cursor.next(&STEPS).unwrap();
            assert_eq!(index as u64, i);
            // SAFETY: the index was just given.
            assert_eq!(unsafe { STEPS.at(index).read() }, 0);
            // SAFETY: as above.
            unsafe { STEPS.at(index).write(i) };
        }
        for i in 0..100_000 {
            // SAFETY: all of these were given.
            assert_eq!(unsafe { STEPS.at(i).read() }, i as u64);
        }
        // SAFETY: nothing refers to an entry.
        unsafe { cursor.release(&STEPS) };
    }
}
