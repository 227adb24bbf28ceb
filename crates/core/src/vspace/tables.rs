//! Memory for the page table: handed out front to back, zeroed, given back only all at once.
//!
//! Pieces grow with what they have to hold: one page at first, then an eighth of all before, so that little is
//! ahead of need; where the kernel refuses that, just what is needed. Blocks and bits that serve no address any more
//! are kept for others, linked through their first word.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::os::{self, PAGE};
use crate::vspace::mapped;
use crate::vspace::sheet::Block;
use crate::vspace::unit::Bits;

/// What tables are made of.
///
/// # Safety
/// Zero bytes are a value of it, its first word is an `AtomicU64`, and its alignment is at most 64.
pub unsafe trait Plain {}

/// At the front of a piece.
#[repr(C)]
struct Piece {
    before: *mut Piece,
    len: usize,
}

const HEADER: usize = 64;
const _: () = assert!(size_of::<Piece>() <= HEADER);

/// Owned by the address space, under the lock.
pub struct Tables {
    last: *mut Piece,
    /// Bytes of the last piece that are handed out.
    used: usize,
    /// Bytes of the last piece.
    len: usize,
    /// Bytes of all pieces.
    total: usize,
    /// The addresses of a block and of bits that are kept, each with the next one's in its first word; 0: none.
    blocks: u64,
    bits: u64,
}

// SAFETY: the pieces are reached only through the Tables, which has one owner at a time.
unsafe impl Send for Tables {}

impl Tables {
    /// No memory.
    pub const fn new() -> Self {
        Tables { last: ptr::null_mut(), used: 0, len: 0, total: 0, blocks: 0, bits: 0 }
    }

    /// A block, zeroed. None: the kernel has no page. So with the others.
    pub fn block(&mut self) -> Option<&'static Block> {
        again(&mut self.blocks).or_else(|| self.zeroed())
    }

    /// Bits, zeroed.
    pub fn bits(&mut self) -> Option<&'static Bits> {
        again(&mut self.bits).or_else(|| self.zeroed())
    }

    /// Keeps a block that has become all zero and serves no live segment.
    pub fn keep_block(&mut self, block: &'static Block) {
        keep(&mut self.blocks, block);
    }

    /// Keeps such bits.
    pub fn keep_bits(&mut self, bits: &'static Bits) {
        keep(&mut self.bits, bits);
    }

    /// A new table, zeroed.
    pub fn zeroed<T: Plain>(&mut self) -> Option<&'static T> {
        self.used = self.used.next_multiple_of(align_of::<T>());
        if self.len.saturating_sub(self.used) < size_of::<T>() {
            self.more(size_of::<T>())?;
        }
        let at = self.last.wrapping_byte_add(self.used).cast::<T>();
        self.used += size_of::<T>();
        // SAFETY: size_of::<T>() fresh zero bytes of the last piece, aligned (pieces are to pages, and `used` was rounded), a
        // value of T as its trait says; mapped until release, after which nothing refers to it.
        Some(unsafe { &*at })
    }

    #[cold]
    #[inline(never)]
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

/// The first of the kept ones, all zero again.
fn again<T: Plain>(first: &mut u64) -> Option<&'static T> {
    let at = ptr::with_exposed_provenance::<T>(*first as usize);
    let object = NonNull::new(at.cast_mut())?;
    // SAFETY: `keep` put it there: a T, mapped until release.
    let link = unsafe { object.cast::<AtomicU64>().as_ref() };
    *first = link.swap(0, Relaxed);
    // SAFETY: as above.
    Some(unsafe { object.as_ref() })
}

fn keep<T: Plain>(first: &mut u64, object: &'static T) {
    let at = ptr::from_ref(object);
    // SAFETY: a T begins with such a word.
    let link = unsafe { &*at.cast::<AtomicU64>() };
    link.store(*first, Relaxed);
    *first = at.expose_provenance() as u64;
}
