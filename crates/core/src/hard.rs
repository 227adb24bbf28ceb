//! Hardened mode (`MEMS_HARDEN=1`): a heap that stops misuse early, for some of the speed and memory of the plain one.
//!
//! In this mode a heap's stacks stay without room, so every call takes the slow path, which comes here: to `shortcut` for
//! what is in order, to this file for all else. Blocks stand in slots of slabs by class (see `slab`) at random places, or
//! between guard pages (see `large`); each has a canary at its asked end, is zero when it is given out, and is looked at
//! before it is given out again. All that is known of a block lies elsewhere, between guard pages. Counting is `posix`'s,
//! as ever. What is wrong is returned, and reported by `posix`; only what malloc finds is reported here.

mod canary;
mod facts;
mod graves;
mod kept;
mod large;
mod random;
pub mod region;
mod row;
pub mod shortcut;
mod slab;
pub mod vault;
mod wide;

use crate::class::{self, COUNT};
use crate::count::Function;
use crate::heap::Heap;
use crate::lock::{self, Rank};
use crate::misuse::{self, Misuse};
use crate::pagemap;
use crate::remote;
use crate::secret;
use facts::{Facts, State};
use large::{Large, Wish};
use slab::{NOTHING, Slab};
use vault::Vault;

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed};

/// The longest block that stands in a slot, in bytes.
pub const LONGEST: usize = class::SLAB_MAX - canary::LONGEST;
/// The longest block for which the short ways call nothing, in bytes.
pub const SHORT: usize = canary::SHORT - canary::LONGEST;

/// A block that was given out.
pub struct Taken {
    /// Its address. All its bytes are zero.
    pub block: usize,
    /// What the heap's level counts for it.
    pub usable: usize,
}

/// What a pointer is.
enum Found {
    /// A slot, by number; whether the pointer is its start.
    Slot(&'static Slab, usize, bool),
    /// The start of a large block.
    Large(&'static Large),
}

fn find(pointer: usize) -> Option<Found> {
    let entry = pagemap::entry(pointer)?;
    let key = entry.key.load(Acquire);
    if let Some(slab) = slab::of(entry, key) {
        let (number, starts) = slab.slot_at(pointer);
        return Some(Found::Slot(slab, number, starts));
    }
    large::of(entry, key).filter(|large| large.base() == pointer).map(Found::Large)
}

/// A block of `size` bytes at a multiple of `align` (a power of two), for operator new or any other call; `moves` is how
/// often it has moved to grow. `heap` is None where there is none to use. None when memory is short: then what the heap
/// keeps, the quarantine included, has gone back first. O(1) amortized, and a pass over the block.
pub fn take(heap: Option<&'static Heap>, size: usize, align: usize, new: bool, moves: u8) -> Option<Taken> {
    let vault = heap.and_then(vault::of);
    let class = class_of(size, align);
    let slot = |class| take_slot(heap?, vault?, class, size, new);
    let large = || {
        let large = large::take(vault, Wish { asked: size, align: align.max(16), new, moves })?;
        Some(Taken { block: large.base(), usable: large.usable() })
    };
    let first = match class {
        Some(class) if vault.is_some() => slot(class),
        _ => large(),
    };
    first.or_else(|| {
        // It was but a lock that this signal handler may not wait for: giving up what is kept would win nothing, and leave
        // the next slabs small regions.
        if !lock::is_behind_all(Rank::Regions) {
            return large();
        }
        vault?.release(true);
        // In a pinch a slot of a larger class does, or pages between guards.
        let more = if align <= 16 && size > 0 { WIDER } else { 0 };
        class.and_then(|class| (class..=(class + more).min(COUNT)).find_map(slot)).or_else(large)
    })
}

/// How many classes are tried where the kernel refuses a slab of the right one.
const WIDER: usize = 16;

/// The class of a block with its canary; None for a large one.
#[inline]
fn class_of(size: usize, align: usize) -> Option<usize> {
    if size == 0 && align <= 16 {
        return Some(NOTHING);
    }
    if size > LONGEST {
        return None;
    }
    let size = size + canary::LONGEST;
    if align <= 16 { Some(class::of(size)) } else { class::of_aligned(size, align) }
}

fn take_slot(
    heap: &'static Heap,
    vault: &'static Vault,
    class: usize,
    size: usize,
    new: bool,
) -> Option<Taken> {
    if heap.is_owed() {
        remote::collect(heap);
    }
    heap.settle();
    let row = vault.row(class);
    let slot = slab::slot_of(class);
    loop {
        let Some((block, word)) = row.next() else {
            if row.refill(class, heap, &vault.random) {
                continue;
            }
            return None;
        };
        row.pop();
        if class == NOTHING {
            word.store(Facts { state: State::Live, new, asked: 0 }.pack(), Relaxed);
            return Some(Taken { block, usable: slot });
        }
        // SAFETY: a free slot of the heap's own.
        if unsafe { give_out::<false>(block, word, slot, size, new, secret::get()) } {
            return Some(Taken { block, usable: slot });
        }
        unfit(block, word);
    }
}

/// Makes a free slot a live block. False, and nothing done, when it is not free, or was written to.
///
/// # Safety
/// `block` is a slot of `slot` bytes, at most [`canary::SHORT`] if `SHORT`, `word` its word; the canary fits
/// in it behind `size` bytes; the caller has taken the slot.
#[inline(always)]
unsafe fn give_out<const SHORT: bool>(
    block: usize,
    word: &AtomicU32,
    slot: usize,
    size: usize,
    new: bool,
    secret: usize,
) -> bool {
    match Facts::unpack(word.load(Relaxed)).state {
        State::Fresh => {}
        // SAFETY: the caller's promise.
        State::Free if SHORT && unsafe { canary::is_clear_short(block, slot) } => {}
        // SAFETY: the caller's promise.
        State::Free if !SHORT && unsafe { canary::is_clear(block, slot) } => {}
        _ => return false,
    }
    // SAFETY: the caller's promise.
    unsafe { canary::set(block, size, secret) };
    word.store(Facts { state: State::Live, new, asked: size }.pack(), Relaxed);
    true
}

/// Reports a slot that cannot be given out. It never comes back, so that whoever still writes to it does no harm.
#[cold]
fn unfit(block: usize, word: &AtomicU32) {
    let old = Facts::unpack(word.load(Relaxed));
    if old.state != State::Free {
        // Two threads freed it at the same time, so it lay ready twice.
        return misuse::report(Misuse::Freed { function: "free", pointer: block, usable: old.asked }, 0);
    }
    word.store(Facts { state: State::Spoilt, ..old }.pack(), Relaxed);
    misuse::report(Misuse::Written { pointer: block, asked: old.asked }, 0);
}

/// How a block is given back.
#[derive(Clone, Copy)]
pub struct Giving {
    /// Name of the call.
    pub function: &'static str,
    /// Whether it is one of the operators delete.
    pub delete: bool,
    /// The size that the program names; None where the call names none.
    pub named: Option<usize>,
}

impl Giving {
    /// By this function, with the size that it names.
    #[inline]
    pub const fn by(function: Function, named: Option<usize>) -> Giving {
        Giving { function: function.name(), delete: matches!(function, Function::Delete), named }
    }
}

/// Frees a block. Returns what the level is to fall by, or what is wrong with the pointer. Without a heap a slot stays
/// live, and 0 is returned.
pub fn put(heap: Option<&'static Heap>, pointer: usize, giving: Giving) -> Result<usize, Misuse> {
    let function = giving.function;
    let (asked, new) = known(pointer, function)?;
    if new != giving.delete {
        return Err(Misuse::Mismatch { function, pointer, asked, new });
    }
    if let Some(named) = giving.named.filter(|named| *named != asked) {
        return Err(Misuse::Size { function, pointer, usable: asked, named });
    }
    match find(pointer) {
        Some(Found::Slot(slab, number, _)) => {
            let Some(heap) = heap else { return Ok(0) };
            if slab.class != NOTHING {
                // SAFETY: a live block in its slot.
                if !unsafe { canary::is_whole(pointer, asked, secret::get()) } {
                    return Err(Misuse::Past { function, pointer, asked, front: false });
                }
                // SAFETY: the block is given back.
                unsafe { canary::wipe(pointer, asked + canary::LONGEST) };
            }
            slab.set(number, Facts { state: State::Freed, new, asked });
            if slab.owner == heap.address() {
                take_back(heap, pointer);
            } else {
                remote::send(heap, slab.owner, pointer);
            }
            Ok(slab.slot)
        }
        Some(Found::Large(large)) => {
            if let Err(behind) = large.is_whole() {
                return Err(Misuse::Past { function, pointer, asked, front: !behind });
            }
            let usable = large.usable();
            match large.free(heap.and_then(vault::of)) {
                true => Ok(usable),
                false => Err(Misuse::Freed { function, pointer, usable: asked }),
            }
        }
        None => Err(Misuse::NoBlock { function, pointer }),
    }
}

/// Bytes asked of the live block at `pointer`, and whether operator new gave it out; or what is wrong.
fn known(pointer: usize, function: &'static str) -> Result<(usize, bool), Misuse> {
    match find(pointer) {
        Some(Found::Slot(slab, number, starts)) => {
            let facts = slab.facts(number);
            match facts.state {
                State::Live if starts => Ok((facts.asked, facts.new)),
                State::Live => {
                    let block = slab.address(number);
                    Err(Misuse::Inside { function, pointer, block, usable: facts.asked })
                }
                State::Fresh => Err(Misuse::NoBlock { function, pointer }),
                _ => Err(Misuse::Freed { function, pointer, usable: facts.asked }),
            }
        }
        Some(Found::Large(large)) if large.is_freed() => {
            Err(Misuse::Freed { function, pointer, usable: large.asked() })
        }
        Some(Found::Large(large)) => Ok((large.asked(), large.is_new())),
        None => match large::around(pointer) {
            Some(large) => {
                Err(Misuse::Inside { function, pointer, block: large.base(), usable: large.asked() })
            }
            None => Err(Misuse::NoBlock { function, pointer }),
        },
    }
}

/// Whether a block has bytes that can be written to: all but hardened ones of no bytes do.
pub fn has_bytes(block: usize) -> bool {
    !matches!(find(block), Some(Found::Slot(slab, ..)) if slab.class == NOTHING)
}

/// Takes a block that was freed, by this thread or another one, into the quarantine of `heap`, which owns it. One
/// that two threads freed at the same time comes twice: that is reported here.
pub fn take_back(heap: &'static Heap, block: usize) {
    let Some(Found::Slot(slab, number, _)) = find(block) else { return };
    let facts = slab.facts(number);
    if facts.state != State::Freed || slab.owner != heap.address() {
        return misuse::report(Misuse::Freed { function: "free", pointer: block, usable: facts.asked }, 0);
    }
    slab.set(number, Facts { state: State::Free, ..facts });
    if let (Some(vault), Some(word)) = (vault::of(heap), slab.word(number)) {
        bury(vault, slab.class, block, word);
    }
}

/// Puts a slot into quarantine, making room for the one whose place it takes if need be.
fn bury(vault: &Vault, class: usize, block: usize, word: &'static AtomicU32) {
    let row = vault.row(class);
    if !row.bury(block, word, &vault.random) {
        row.flush();
        row.bury(block, word, &vault.random);
    }
}

/// What realloc may do with a block.
pub enum Resized {
    /// It stays: what the level counted for it, and what it counts from now on.
    InPlace(usize, usize),
    /// It has to move: its bytes, and how often it will have moved to grow then.
    Move(usize, u8),
}

/// Looks at the block that `function` (realloc or reallocarray) is to make `size` bytes long, and does so where it
/// stands if that can be. Says what is wrong otherwise.
pub fn resize(pointer: usize, size: usize, function: &'static str) -> Result<Resized, Misuse> {
    let (asked, new) = known(pointer, function)?;
    if new {
        return Err(Misuse::Mismatch { function, pointer, asked, new });
    }
    match find(pointer) {
        Some(Found::Slot(slab, number, _)) if slab.class != NOTHING => {
            // SAFETY: a live block in its slot.
            if !unsafe { canary::is_whole(pointer, asked, secret::get()) } {
                return Err(Misuse::Past { function, pointer, asked, front: false });
            }
            if class_of(size, 16) != Some(slab.class) {
                return Ok(Resized::Move(asked, 0));
            }
            let (low, high) = (asked.min(size), asked + canary::LONGEST);
            // SAFETY: bytes of the slot that are no longer, or not yet, the block's.
            unsafe { canary::clear(pointer + low, high.max(low) - low) };
            // SAFETY: the block's own slot.
            unsafe { canary::set(pointer, size, secret::get()) };
            slab.set(number, Facts { state: State::Live, new, asked: size });
            Ok(Resized::InPlace(slab.slot, slab.slot))
        }
        Some(Found::Large(large)) => {
            if let Err(behind) = large.is_whole() {
                return Err(Misuse::Past { function, pointer, asked, front: !behind });
            }
            let before = large.usable();
            // What fits a slot moves there.
            let stays = class_of(size, 16).is_none() && large.resize(size);
            let moves = if size > asked { large.moves().saturating_add(1) } else { 0 };
            Ok(if stays { Resized::InPlace(before, large.usable()) } else { Resized::Move(asked, moves) })
        }
        _ => Ok(Resized::Move(asked, 0)),
    }
}

/// Copies what a block held to the one that it moves to.
///
/// # Safety
/// Both are live blocks of this mode, apart, `len` bytes long at least; nothing was written to `new` yet.
pub unsafe fn move_over(old: usize, new: usize, len: usize) {
    if len >= kept::LARGEST {
        // SAFETY: passed on; a new block is zero.
        return unsafe { canary::copy_to_zero(old, new, len) };
    }
    // SAFETY: passed on.
    unsafe { core::ptr::copy_nonoverlapping(old as *const u8, new as *mut u8, len) };
}

/// Bytes asked of a live block, which are all that it may use; or what is wrong.
pub fn usable_size(pointer: usize) -> Result<usize, Misuse> {
    known(pointer, "malloc_usable_size").map(|(asked, _)| asked)
}

/// Gives back what the heap keeps for later.
pub fn release(heap: &'static Heap) {
    remote::collect(heap);
    if let Some(vault) = vault::of(heap) {
        vault.release(false);
    }
    remote::post_all(heap);
}
