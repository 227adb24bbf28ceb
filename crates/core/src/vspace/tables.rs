//! Memory for the page table: handed out front to back, zeroed, given back only all at once.
//!
//! Pieces grow with what they have to hold: one page at first, then an eighth of all before, so that little is
//! ahead of need; where the kernel refuses that, just what is needed.

use core::ptr::{self, NonNull};

use crate::os::{self, PAGE};
use crate::vspace::mapped;

/// At the front of a piece.
#[repr(C)]
struct Piece {
    before: *mut Piece,
    len: usize,
}

const HEADER: usize = 64;
const _: () = assert!(size_of::<Piece>() <= HEADER);

/// Owned by the marker, under the lock.
pub struct Tables {
    last: *mut Piece,
    /// Bytes of the last piece that are handed out.
    used: usize,
    /// Bytes of the last piece.
    len: usize,
    /// Bytes of all pieces.
    total: usize,
}

// SAFETY: the pieces are reached only through the Tables, which has one owner at a time.
unsafe impl Send for Tables {}

impl Tables {
    /// No memory.
    pub const fn new() -> Self {
        Tables { last: ptr::null_mut(), used: 0, len: 0, total: 0 }
    }

    /// `size` bytes (a multiple of 8), zeroed, on a cache line's border, exposed. None: the kernel has no page.
    pub fn zeroed(&mut self, size: usize) -> Option<usize> {
        let size = size.next_multiple_of(64);
        if self.len - self.used < size {
            self.more(size)?;
        }
        let at = self.last.wrapping_byte_add(self.used).expose_provenance();
        self.used += size;
        Some(at)
    }

    #[cold]
    fn more(&mut self, size: usize) -> Option<()> {
        let least = os::round_to_pages(size + HEADER)?;
        let ahead = (self.total / 8).next_multiple_of(PAGE);
        let (at, len) = match mapped::bookkeeping(least.max(ahead)) {
            Some(at) => (at, least.max(ahead)),
            None if ahead > least => (mapped::bookkeeping(least)?, least),
            None => return None,
        };
        let piece = at.cast::<Piece>().as_ptr();
        // SAFETY: the piece is fresh, page-aligned, and longer than its header.
        unsafe { piece.write(Piece { before: self.last, len }) };
        self.last = piece;
        self.used = HEADER;
        self.len = len;
        self.total += len;
        Some(())
    }

    /// Gives all memory back.
    ///
    /// # Safety
    /// Nothing refers to it any more.
    pub unsafe fn release(&mut self) {
        let mut at = self.last;
        while let Some(piece) = NonNull::new(at) {
            // SAFETY: `more` wrote this header, and the piece is still mapped.
            let Piece { before, len } = unsafe { piece.read() };
            // SAFETY: `more` mapped exactly this, and the caller vouches that it is unused.
            unsafe { mapped::release_bookkeeping(piece.cast(), len) };
            at = before;
        }
        *self = Tables::new();
    }
}
