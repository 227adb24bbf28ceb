//! Finding out what a pointer is: a block of a slab, a large block, or none of ours.
//!
//! Also the mark that a free block of a slab carries in its second word: the process's secret mixed with the block's
//! address, so neither chance nor a copy makes one. free looks for it: a block that carries it was freed before.
//! malloc looks for it too, and wipes it: so a block that was freed twice, or written to after it was freed, is never
//! handed out (the second time).

use core::sync::atomic::Ordering::Relaxed;

use crate::class::{CLASSES, LIMIT};
use crate::heap::owner_of;
use crate::large::{self, Large};
use crate::loans::Place;
use crate::misuse::{self, Misuse};
use crate::pagemap;
use crate::slab::{self, Slab};

/// What a pointer is.
pub enum Kind {
    /// A block of `class` that starts at slot `number` of a slab, which the heap at address `owner` has. The class is
    /// the slab's, or another for a lent block.
    Slot {
        /// Address of the owning heap.
        owner: usize,
        /// The slab.
        slab: &'static Slab,
        /// Slot number.
        number: usize,
        /// Size class.
        class: usize,
    },
    /// A large block.
    Large(&'static Large),
    /// A large block that was freed.
    FreedLarge(&'static Large),
    /// An address inside a block that starts elsewhere: its start and usable size.
    Inside(usize, usize),
    /// An address in memory of ours where there is no block, or never was one of ours.
    Nothing,
}

/// What `address` is. Two loads for the common case, no lock.
#[inline]
pub fn kind(address: usize) -> Kind {
    let Some(entry) = pagemap::entry(address) else { return Kind::Nothing };
    let key = entry.key.load(Relaxed);
    if let Some(slab) = slab::of(entry, key) {
        let owner = owner_of(key);
        return match slab.kind().slot_at(address) {
            Some(number) if slab.loans.get().is_none() => {
                Kind::Slot { owner, slab, number, class: slab.class.get() as usize % LIMIT }
            }
            Some(number) => match slab.place(number) {
                Place::Own => Kind::Slot { owner, slab, number, class: slab.class.get() as usize % LIMIT },
                Place::Lent(class) => Kind::Slot { owner, slab, number, class },
                Place::Covered(class, first) => inside_lent(slab, class, first),
            },
            None => inside(slab, address),
        };
    }
    match large::of(entry, key) {
        Some(block) if block.base.get() != address => Kind::Inside(block.base.get(), block.usable()),
        Some(block) if key == large::KEPT => Kind::FreedLarge(block),
        Some(block) => Kind::Large(block),
        None => Kind::Nothing,
    }
}

#[cold]
fn inside(slab: &Slab, address: usize) -> Kind {
    let kind = slab.kind();
    let size = kind.mask as usize + 1;
    let from_end = size - (address & kind.mask as usize);
    let number = from_end.div_ceil(kind.slot as usize) - 1;
    if number < kind.slots as usize {
        match slab.place(number) {
            Place::Lent(class) => return inside_lent(slab, class, number),
            Place::Covered(class, first) => return inside_lent(slab, class, first),
            Place::Own => {}
        }
    }
    let start = slab.base.get() + size - from_end.next_multiple_of(kind.slot as usize).min(size);
    Kind::Inside(start, kind.slot as usize)
}

fn inside_lent(slab: &Slab, class: usize, first: usize) -> Kind {
    Kind::Inside(slab.address_of(first), CLASSES[class].slot as usize)
}

#[inline(always)]
fn second_word(block: usize) -> *mut usize {
    (block + size_of::<usize>()) as *mut usize
}

/// The mark of a free block.
#[inline(always)]
pub fn mark_of(block: usize, secret: usize) -> usize {
    secret ^ block
}

/// Puts the mark on a free block of a slab. No block is smaller than two words.
#[inline(always)]
pub fn mark(block: usize, secret: usize) {
    // SAFETY: the caller owns the block, which has two words.
    unsafe { second_word(block).write(mark_of(block, secret)) };
}

/// Whether a block of a slab carries the mark.
#[inline(always)]
pub fn is_marked(block: usize, secret: usize) -> bool {
    // SAFETY: the address is a slot of a slab of ours, which is mapped.
    unsafe { second_word(block).read() == mark_of(block, secret) }
}

/// Asks for the line of a block's mark, to be written to, and does not wait for it.
#[inline(always)]
pub fn fetch(block: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint; it neither faults nor changes anything.
    unsafe {
        core::arch::asm!("prefetchw [{}]", in(reg) second_word(block), options(nostack, preserves_flags, readonly))
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        core::arch::asm!("prfm pstl1keep, [{}]", in(reg) second_word(block), options(nostack, preserves_flags, readonly))
    };
}

/// Whether a block of a slab may carry the mark: looks at one byte of it, since a wider load right after the program's
/// own narrower store there would have to wait for that store. Wrong for one live block in 256.
#[inline(always)]
pub fn may_be_marked(block: usize, secret: usize) -> bool {
    // SAFETY: the address is a slot of a slab of ours, which is mapped.
    let byte = unsafe { second_word(block).cast::<u8>().read() };
    byte == mark_of(block, secret) as u8
}

/// Makes a free block one that is given out. False, and the block is left as it is, when it does not carry the mark.
#[inline(always)]
pub fn claim(block: usize, secret: usize) -> bool {
    let marked = is_marked(block, secret);
    if marked {
        // SAFETY: the block is a free one that is being given out.
        unsafe { second_word(block).write(0) };
    }
    marked
}

/// A block on a stack lacks its mark, or is there twice; it is dropped, for good. Either the program freed it twice or
/// wrote to it after it was freed; or a signal handler allocated or freed between two instructions of the fast
/// path, which may leave a block behind on the stack that is in use. The two look the same, so only a program that
/// catches no signal is told.
#[cold]
#[inline(never)]
pub fn unmarked(block: usize) {
    if !signals_are_caught() {
        misuse::report(Misuse::Overwritten { function: "malloc", pointer: block }, 0);
    }
}

fn signals_are_caught() -> bool {
    (1..=64).any(|signal| {
        let mut now = core::mem::MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: only asks, into a valid place; numbers that are no signals are refused.
        let known = unsafe { libc::sigaction(signal, core::ptr::null(), now.as_mut_ptr()) } == 0;
        // SAFETY: zero bytes are a valid sigaction, and so is what the call wrote.
        let now = unsafe { now.assume_init() };
        known && now.sa_sigaction != libc::SIG_DFL && now.sa_sigaction != libc::SIG_IGN
    })
}
