//! A hardened slab: slots of one class in pages that end before a guard page, with everything known of them elsewhere.
//!
//! Slabs of a class stand in regions that hold no other class. Only the owning heap's thread takes and puts slots; what
//! stands in a slot's word is read by any thread that frees the block.

use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use crate::class::CLASSES;
use crate::hard::random::Random;
use crate::os::{self, PAGE};
use crate::stack::Stack;
use crate::{engine, pagemap, pool};

/// Page map key of a page of a hardened slab.
pub const SLAB: usize = 59 * size_of::<Stack>();
/// The class of blocks of no bytes: its slots are never made readable or writable.
pub const NOTHING: usize = 0;
/// Slot size of that class.
const NOTHING_SLOT: usize = 16;
/// Most slots a slab has.
const SLOTS_MAX: usize = (32 * 1024 - PAGE) / 16;
const WORDS: usize = SLOTS_MAX / 64;

/// What a slot is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum State {
    /// Never given out since its pages came from the kernel.
    Fresh = 0,
    /// Given out.
    Live = 1,
    /// Freed by the program; on its way back to its heap.
    Freed = 2,
    /// In its heap's quarantine.
    Waiting = 3,
    /// Free to be given out again; all zero.
    Free = 4,
    /// Found written to while it was free, and never given out again.
    Spoilt = 5,
}

/// A slot's word: state, whose block, bytes asked.
#[derive(Clone, Copy)]
pub struct Facts {
    /// The state.
    pub state: State,
    /// Whether operator new gave it out.
    pub new: bool,
    /// Bytes asked of the block that is, or was last, in it.
    pub asked: usize,
}

impl Facts {
    fn pack(self) -> u32 {
        self.asked as u32 | (self.new as u32) << 16 | (self.state as u32) << 17
    }

    fn unpack(word: u32) -> Facts {
        let state = match word >> 17 {
            0 => State::Fresh,
            1 => State::Live,
            2 => State::Freed,
            3 => State::Waiting,
            4 => State::Free,
            _ => State::Spoilt,
        };
        Facts { state, new: word >> 16 & 1 != 0, asked: word as usize & 0xffff }
    }
}

/// What is mapped of a slab.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pages {
    /// Nothing: its place is reserved.
    None,
    /// All but the guard page.
    Guarded,
    /// The guard page as well.
    Open,
}

/// Slabs that have a guard page of their own; each costs two mappings, of which a process may have 65,530 as a rule.
static GUARDED: AtomicUsize = AtomicUsize::new(0);
const GUARDED_MAX: usize = 8192;

/// The bookkeeping of one slab.
#[repr(C, align(64))]
pub struct Slab {
    /// Address of its first slot.
    pub base: usize,
    /// Address of the heap that has it.
    pub owner: usize,
    /// Its class.
    pub class: usize,
    /// Slot size in bytes.
    pub slot: usize,
    /// Slots.
    pub slots: usize,
    /// ceil(2^40 / slot): offset * inverse >> 40 is the slot's number for every offset in a slab.
    inverse: u64,
    /// Free slots: ones in `bits`.
    pub free: Cell<usize>,
    /// Which of its pages are there.
    pages: Cell<Pages>,
    /// Its neighbours in one of the row's lists.
    pub next: Cell<Option<&'static Slab>>,
    /// As above.
    pub prev: Cell<Option<&'static Slab>>,
    /// Bit k: slot k is free.
    bits: [Cell<u64>; WORDS],
    words: &'static [AtomicU32],
}

/// Bytes from one slab of `class` to the next: a power of two, the last page of which is a guard.
pub fn stride(class: usize) -> usize {
    match slot_of(class) {
        0..=1024 => 32 << 10,
        1025..=8192 => 64 << 10,
        _ => 256 << 10,
    }
}

/// Slot size of a class in bytes.
pub fn slot_of(class: usize) -> usize {
    if class == NOTHING { NOTHING_SLOT } else { CLASSES[class].slot as usize }
}

impl Slab {
    /// A slab at `base`, which is reserved and covered by the page map. None when there is no memory for it.
    pub fn make(base: usize, class: usize, owner: usize) -> Option<&'static Slab> {
        let slot = slot_of(class);
        let slots = (stride(class) - PAGE) / slot;
        let at = pool::take_bytes(size_of::<Slab>() + slots * size_of::<AtomicU32>())?.cast::<Slab>();
        // SAFETY: the words stand behind the slab in the memory just taken.
        let words = unsafe { at.add(1) }.cast::<AtomicU32>();
        for i in 0..slots {
            // SAFETY: i < slots, for which room was taken.
            let word = unsafe { words.add(i) };
            // SAFETY: as above; nobody refers to it yet.
            unsafe { word.write(AtomicU32::new(0)) };
        }
        let slab = Slab {
            base,
            owner,
            class,
            slot,
            slots,
            inverse: (1u64 << 40).div_ceil(slot as u64),
            free: Cell::new(0),
            pages: Cell::new(Pages::None),
            next: Cell::new(None),
            prev: Cell::new(None),
            bits: [const { Cell::new(0) }; WORDS],
            // SAFETY: slots words were written; a slab's memory is never given back.
            words: unsafe { core::slice::from_raw_parts(words.as_ptr(), slots) },
        };
        // SAFETY: the pool gave room for a Slab.
        unsafe { at.write(slab) };
        // SAFETY: it was just written and lives for good.
        let slab = unsafe { at.as_ref() };
        pagemap::set(base, (stride(class) - PAGE) / PAGE, SLAB, at.as_ptr().cast());
        Some(slab)
    }

    /// Makes the pages there and every slot fresh. False when the kernel refuses.
    pub fn commit(&self) -> bool {
        if self.class != NOTHING && self.pages.get() == Pages::None {
            let Some(at) = NonNull::new(self.base as *mut u8) else { return false };
            // With too many mappings the guard is given up: then neighbouring slabs are one mapping.
            let guarded = GUARDED.fetch_add(1, Relaxed) < GUARDED_MAX;
            let bytes = self.bytes() + if guarded { 0 } else { PAGE };
            if !guarded {
                GUARDED.fetch_sub(1, Relaxed);
            }
            // SAFETY: the slab's pages and the guard page behind are reserved and its own.
            if !unsafe { os::commit(at, bytes) } {
                if guarded {
                    GUARDED.fetch_sub(1, Relaxed);
                }
                return false;
            }
            self.pages.set(if guarded { Pages::Guarded } else { Pages::Open });
            engine::MAPPED.fetch_add(bytes, Relaxed);
        }
        self.words.iter().for_each(|word| word.store(0, Relaxed));
        for (i, bits) in self.bits.iter().enumerate() {
            let left = self.slots.saturating_sub(i * 64);
            bits.set(if left >= 64 { u64::MAX } else { (1 << left) - 1 });
        }
        self.free.set(self.slots);
        true
    }

    /// Gives the pages back, so that nobody can read or write a freed block there; of a slab without a guard page only
    /// what they hold, since that costs no mapping. False when the kernel refuses.
    pub fn decommit(&self) -> bool {
        let Some(at) = NonNull::new(self.base as *mut u8) else { return false };
        match self.pages.get() {
            Pages::None => true,
            // SAFETY: every slot is free, so nothing refers to the pages' content.
            Pages::Open => unsafe { os::purge(at, self.bytes()) },
            Pages::Guarded => {
                // SAFETY: as above.
                if !unsafe { os::decommit(at, self.bytes()) } {
                    return false;
                }
                engine::MAPPED.fetch_sub(self.bytes(), Relaxed);
                GUARDED.fetch_sub(1, Relaxed);
                self.pages.set(Pages::None);
                true
            }
        }
    }

    /// Its bytes, without the guard page.
    pub fn bytes(&self) -> usize {
        stride(self.class) - PAGE
    }

    /// The number of the slot that holds `address`, an address in this slab, and whether it starts there.
    #[inline]
    pub fn slot_at(&self, address: usize) -> (usize, bool) {
        let offset = address - self.base;
        let number = ((offset as u64 * self.inverse) >> 40) as usize;
        (number, number * self.slot == offset && number < self.slots)
    }

    /// Address of a slot.
    #[inline]
    pub fn address(&self, number: usize) -> usize {
        self.base + number * self.slot
    }

    /// What stands in a slot's word.
    #[inline]
    pub fn facts(&self, number: usize) -> Facts {
        self.words.get(number).map_or(Facts::unpack(0), |word| Facts::unpack(word.load(Relaxed)))
    }

    /// Writes a slot's word.
    #[inline]
    pub fn set(&self, number: usize, facts: Facts) {
        if let Some(word) = self.words.get(number) {
            word.store(facts.pack(), Relaxed);
        }
    }

    /// Takes a free slot from a random place. There must be one. O(slots / 64).
    #[inline]
    pub fn take(&self, random: &Random) -> usize {
        let start = random.below(self.slots);
        let words = self.slots.div_ceil(64);
        let (mut i, mut mask) = (start / 64, u64::MAX << (start % 64));
        for _ in 0..=words {
            let here = &self.bits[i % WORDS];
            let found = here.get() & mask;
            if found != 0 {
                let bit = found.trailing_zeros() as usize;
                here.set(here.get() ^ 1 << bit);
                self.free.set(self.free.get() - 1);
                return i * 64 + bit;
            }
            mask = u64::MAX;
            i = if i + 1 == words { 0 } else { i + 1 };
        }
        self.slots
    }

    /// Makes a slot free.
    #[inline]
    pub fn put(&self, number: usize) {
        let word = &self.bits[number / 64 % WORDS];
        word.set(word.get() | 1 << (number % 64));
        self.free.set(self.free.get() + 1);
    }
}

/// The slab whose page map entry has `key`.
#[inline]
pub fn of(entry: &pagemap::Entry, key: usize) -> Option<&'static Slab> {
    // SAFETY: an entry with this key leads to a hardened slab, which lives for good.
    (key == SLAB).then(|| unsafe { entry.meta.load(Relaxed).cast::<Slab>().as_ref() }).flatten()
}
