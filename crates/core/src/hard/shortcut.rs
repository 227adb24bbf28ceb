//! The short ways of a hardened malloc and free: where everything is in order, without a lock and without entering the heap.
//!
//! The caller has put the busy heap in the place of its own, so that a signal handler does not meet a half-changed row.
//! Whatever is out of the ordinary is left as it was, for `hard` to find it again. For short blocks (`SHORT`) nothing is
//! called, so that no register need be kept. Owns nothing.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

use super::facts::{Facts, State};
use super::slab::{self, NOTHING, Slab};
use super::vault::Vault;
use super::{canary, give_out};
use crate::class::{self, CLASSES};
use crate::heap::Heap;
use crate::{pagemap, remote};

/// What was taken.
pub struct Taken {
    /// The block.
    pub block: usize,
    /// Bytes of its slot.
    pub slot: usize,
}

/// A slot for `size` bytes, 1 to [`super::LONGEST`], if `SHORT` to [`super::SHORT`]. None when none lies ready.
#[inline(always)]
pub fn take<const SHORT: bool>(vault: &Vault, size: usize, new: bool, secret: usize) -> Option<Taken> {
    let whole = size + canary::LONGEST;
    let class = if SHORT { class::of_small(whole) } else { class::of(whole) };
    let row = vault.row(class);
    let (block, word) = row.next()?;
    let slot = CLASSES[class].slot as usize;
    // SAFETY: a slot that lies ready in the row of its class, which serves the size with a canary.
    if !unsafe { give_out::<SHORT>(block, word, slot, size, new, secret) } {
        return None;
    }
    row.pop();
    Some(Taken { block, slot })
}

/// A live block in a slot.
#[derive(Clone, Copy)]
pub struct Live {
    slab: &'static Slab,
    slot: usize,
    word: &'static AtomicU32,
    facts: Facts,
    pointer: usize,
}

/// The block at `pointer` if it is a live one of malloc, or of operator new with `new`, in a slot of at least one byte.
#[inline(always)]
pub fn live(pointer: usize, new: bool) -> Option<Live> {
    let entry = pagemap::near_entry(pointer)?;
    let slab = slab::of(entry, entry.key.load(Relaxed))?;
    let (number, starts) = slab.slot_at(pointer);
    let word = if starts { slab.word(number)? } else { return None };
    let facts = Facts::unpack(word.load(Relaxed));
    let fits = facts.state == State::Live && facts.new == new && slab.class != NOTHING;
    fits.then_some(Live { slab, slot: slab.slot, word, facts, pointer })
}

impl Live {
    /// Bytes asked.
    #[inline(always)]
    pub fn asked(&self) -> usize {
        self.facts.asked
    }

    /// Bytes of its slot.
    #[inline(always)]
    pub fn slot(&self) -> usize {
        self.slot
    }

    /// Whether it can be freed with `SHORT`.
    #[inline(always)]
    pub fn is_short(&self, heap: &Heap) -> bool {
        self.slot <= canary::SHORT && self.slab.owner == heap.address()
    }

    #[inline(always)]
    fn is_whole(&self, secret: usize) -> bool {
        // SAFETY: a live block in its slot.
        unsafe { canary::is_whole(self.pointer, self.facts.asked, secret) }
    }

    /// Whether it is whole, and has to move to be `size` bytes long (1 to [`super::LONGEST`]).
    #[inline(always)]
    pub fn moves(&self, size: usize, secret: usize) -> bool {
        self.slab.class != class::of(size + canary::LONGEST) && self.is_whole(secret)
    }

    /// Frees it: a block of the calling thread's heap that [`Live::is_short`] if `SHORT`, else any. False (nothing done) where
    /// anything is out of the ordinary.
    #[inline(always)]
    pub fn put<const SHORT: bool>(self, heap: &'static Heap, vault: &Vault) -> bool {
        let Live { slab, word, facts, pointer, .. } = self;
        if !self.is_whole(heap.secret.get()) {
            return false;
        }
        let own = SHORT || slab.owner == heap.address();
        if own && !vault.row(slab.class).bury(pointer, word, &vault.random) {
            return false;
        }
        // Slots and their sizes are multiples of 16.
        let len = (facts.asked + canary::LONGEST + 15) & !15;
        if SHORT {
            // SAFETY: the block is given back; the caller's word that it is a short one.
            unsafe { canary::wipe_short(pointer, len) };
        } else {
            // SAFETY: the block is given back.
            unsafe { canary::wipe(pointer, len) };
        }
        let state = if own { State::Free } else { State::Freed };
        word.store(Facts { state, ..facts }.pack(), Relaxed);
        if !own {
            remote::send(heap, slab.owner, pointer);
        }
        true
    }
}
