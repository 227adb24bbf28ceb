//! A place: where the mark of a block is, by which free finds the block's site.
//!
//! Slots of slabs have theirs out of line beside the slab, large blocks in their bookkeeping. Owns nothing.

use core::sync::atomic::Ordering::Relaxed;

use crate::block::{self, Kind};
use crate::class::{CLASSES, LIMIT};
use crate::{large, slab};

/// Where a block's mark is.
#[derive(Clone, Copy)]
pub enum Place {
    /// A slot of a slab, and the class of the block that begins there (the slab's, or another where it lends).
    Slot(&'static slab::Slab, usize, usize),
    /// With the bookkeeping of a large block.
    Large(&'static large::Large),
}

impl Place {
    /// The place for the block at `address`, if it is one.
    pub fn of(address: usize) -> Option<Place> {
        match block::kind(address) {
            Kind::Slot { slab, number, class, .. } => Some(Place::Slot(slab, number, class)),
            Kind::Large(large) => Some(Place::Large(large)),
            _ => None,
        }
    }

    /// The usable bytes of the block.
    #[inline]
    pub fn usable(self) -> usize {
        match self {
            Place::Slot(_, _, class) => CLASSES[class % LIMIT].slot as usize,
            Place::Large(large) => large.usable(),
        }
    }

    /// Marks the block with its site. False when memory is short.
    #[inline]
    pub fn mark(self, site: u32) -> bool {
        match self {
            Place::Slot(slab, number, _) => slab.marks.set(number, slab.kind().slots as usize, site),
            Place::Large(large) => {
                large.mark.store(site, Relaxed);
                true
            }
        }
    }

    /// The mark, taken off; 0: none. Whoever frees the block calls this, once.
    #[inline]
    pub fn take_mark(self) -> u32 {
        match self {
            Place::Slot(slab, number, _) => slab.marks.take(number, slab.kind().slots as usize),
            Place::Large(large) => large.mark.swap(0, Relaxed),
        }
    }
}
