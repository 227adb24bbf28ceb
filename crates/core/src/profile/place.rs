//! A place: where the mark of a block is, by which free finds the block's site.
//!
//! Slots of slabs have theirs out of line beside the slab, large blocks in their bookkeeping. Where blocks are sampled, the
//! pages of a recorded one are watched (see `loans`), so that its free comes by; all others take the fast path. Owns nothing.

use core::sync::atomic::Ordering::Relaxed;

use crate::block::{self, Kind};
use crate::class::{CLASSES, LIMIT};
use crate::heap::Heap;
use crate::loans::CLOSED;
use crate::stack::class_of;
use crate::{large, os, pagemap, slab};

/// Where a block's mark is.
#[derive(Clone, Copy)]
pub enum Place {
    /// A slot of a slab, and the class of the block that begins there (the slab's, or another where it lends).
    Slot(&'static slab::Slab, usize, usize),
    /// With the bookkeeping of a large block.
    Large(&'static large::Large),
}

/// Whether the block at `address` may be a recorded one, where blocks are sampled: it is large, or in a page that is watched.
#[inline]
pub fn may_be_watched(address: usize) -> bool {
    let key = pagemap::entry(address).map_or(0, |entry| entry.key.load(Relaxed));
    key != 0 && (key < os::PAGE || class_of(key) == CLOSED)
}

/// The usable bytes of the block at `address`; 0 where there is none.
#[inline]
pub fn usable_at(address: usize) -> usize {
    let key = pagemap::entry(address).map_or(0, |entry| entry.key.load(Relaxed));
    if key < os::PAGE || class_of(key) == CLOSED {
        return Place::of(address).map_or(0, Place::usable);
    }
    CLASSES[class_of(key)].slot as usize
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

    /// Sees to it that the block's free comes by. False when memory is short, or the slab is not `heap`'s.
    pub fn watch(self, heap: &Heap) -> bool {
        match self {
            Place::Slot(slab, number, _) => slab.owner.get() == heap.address() && slab.watch(number),
            Place::Large(_) => true,
        }
    }

    /// The mark, taken off, of a block that was watched; 0: it was not. In a slab of another heap the pages stay watched
    /// until the block has come home.
    pub fn unwatch(self, heap: &Heap) -> u32 {
        let Place::Slot(slab, number, _) = self else { return self.take_mark() };
        let slots = slab.kind().slots as usize;
        if slab.owner.get() != heap.address() {
            return slab.marks.leave(number, slots);
        }
        let site = slab.marks.take(number, slots);
        if site != 0 {
            slab.unwatch(number);
        }
        site
    }
}
