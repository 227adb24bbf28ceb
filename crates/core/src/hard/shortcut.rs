//! The short way of a hardened malloc and free: where everything is in order, without a lock and without entering the heap.
//!
//! The caller has put the busy heap in the place of its own, so that a signal handler does not meet a half-changed row.
//! Whatever is out of the ordinary is left as it was, for `hard` to find it again. Owns nothing.

use core::sync::atomic::Ordering::Relaxed;

use super::facts::{Facts, State};
use super::slab::{self, NOTHING, Slab};
use super::vault::Vault;
use super::{canary, give_out};
use crate::class;
use crate::heap::Heap;
use crate::{pagemap, remote};

/// A slot for `size` bytes, 1 to less than [`class::SLAB_MAX`], and what the level counts for it. None when none lies ready.
#[inline(always)]
pub fn take(vault: &Vault, size: usize, new: bool, secret: usize) -> Option<(usize, usize)> {
    let class = class::of(size + 1);
    let row = vault.row(class);
    let (block, word) = row.next()?;
    let slot = class::CLASSES[class].slot as usize;
    // SAFETY: a slot that lies ready in the row of its class, which serves one byte more than the size.
    if !unsafe { give_out(block, word, slot, size, new, secret) } {
        return None;
    }
    row.pop();
    Some((block, slot))
}

/// The slab that a pointer lies in, and its slot's number, if it is the start of one.
#[inline(always)]
fn slot(pointer: usize) -> Option<(&'static Slab, usize)> {
    let entry = pagemap::near_entry(pointer)?;
    let slab = slab::of(entry, entry.key.load(Relaxed))?;
    let (number, starts) = slab.slot_at(pointer);
    starts.then_some((slab, number))
}

/// Bytes asked of a live block of malloc in a slot, its canary whole, that has to move to be `size` bytes long (1 to less than
/// [`class::SLAB_MAX`]); None where anything is out of the ordinary, and where it can stay.
#[inline(always)]
pub fn moves(pointer: usize, size: usize, secret: usize) -> Option<usize> {
    let (slab, number) = slot(pointer)?;
    let facts = Facts::unpack(slab.word(number)?.load(Relaxed));
    if facts.state != State::Live || facts.new || slab.class == NOTHING || slab.class == class::of(size + 1) {
        return None;
    }
    // SAFETY: a live block in its slot.
    unsafe { canary::is_whole(pointer, facts.asked, slab.slot, secret) }.then_some(facts.asked)
}

/// Frees a slot's block of the calling thread's heap, or of another one. What the level is to fall by; None (nothing done)
/// where anything is out of the ordinary.
#[inline(always)]
pub fn put(
    heap: &'static Heap,
    vault: &Vault,
    pointer: usize,
    delete: bool,
    named: Option<usize>,
) -> Option<usize> {
    let (slab, number) = slot(pointer)?;
    let word = slab.word(number)?;
    let facts = Facts::unpack(word.load(Relaxed));
    let (asked, place) = (facts.asked, slab.slot);
    if facts.state != State::Live || facts.new != delete || slab.class == NOTHING {
        return None;
    }
    if named.is_some_and(|named| named != asked) {
        return None;
    }
    // SAFETY: a live block in its slot.
    if !unsafe { canary::is_whole(pointer, asked, place, heap.secret.get()) } {
        return None;
    }
    // SAFETY: the block is given back; slots and their sizes are multiples of 16.
    let wipe = || unsafe { canary::wipe(pointer, ((asked + canary::LONGEST + 15) & !15).min(place)) };
    if slab.owner != heap.address() {
        wipe();
        word.store(Facts { state: State::Freed, ..facts }.pack(), Relaxed);
        remote::send(heap, slab.owner, pointer);
        return Some(place);
    }
    if !vault.row(slab.class).bury(pointer, word, &vault.random) {
        return None;
    }
    wipe();
    word.store(Facts { state: State::Free, ..facts }.pack(), Relaxed);
    Some(place)
}
