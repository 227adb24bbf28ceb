//! A hardened slab: slots of one class in pages that end before a guard page, with everything known of them elsewhere.
//!
//! Slabs of a class stand in regions that hold no other class. Only the owning heap's thread takes and puts slots; what
//! stands in a slot's word is read by any thread that frees the block. A young slab gives out the slots of its first
//! pages only, so that a small heap does not touch a page for every block.

use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

use crate::class::CLASSES;
use crate::hard::facts::Facts;
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
const WORDS: usize = SLOTS_MAX.div_ceil(64);
/// Fewest slots that a young slab chooses among.
const YOUNG: usize = 8;

/// What is mapped of a slab.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pages {
    /// Nothing: its place is reserved.
    None,
    /// The first ones, where the kernel refused all of them.
    Some,
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
    /// ceil(2^40 / slot): offset * inverse >> 40 is the slot's number for every offset in a slab.
    inverse: u64,
    /// Slot size in bytes.
    pub slot: usize,
    words: &'static [AtomicU32],
    /// Address of the heap that has it.
    pub owner: usize,
    /// Its class.
    pub class: usize,
    /// Bytes that it may use, without the guard page.
    bytes: usize,
    /// Free slots: ones in `bits`.
    pub free: Cell<usize>,
    /// Slots that are given out, or were: those below this number.
    open: Cell<usize>,
    /// Which of its pages are there.
    pages: Cell<Pages>,
    /// Bytes of them, without the guard page.
    there: Cell<usize>,
    /// Its neighbours in one of the row's lists.
    pub next: Cell<Option<&'static Slab>>,
    /// As above.
    pub prev: Cell<Option<&'static Slab>>,
    /// Bit k: slot k is free. No bit from `open` on is set.
    bits: [Cell<u64>; WORDS],
}

/// Bytes of a full-grown slab of `class` with its guard page.
pub fn stride(class: usize) -> usize {
    match slot_of(class) {
        0..=1024 => 32 << 10,
        1025..=8192 => 64 << 10,
        _ => 256 << 10,
    }
}

/// Bytes of the smallest slab of `class` with its guard page: two slots and 12 KiB at least; where slots are small, room
/// for what the quarantine takes.
pub const fn least(class: usize) -> usize {
    let slot = slot_of(class);
    let two = (2 * slot + PAGE - 1) & !(PAGE - 1);
    PAGE + if slot <= 256 {
        7 * PAGE
    } else if two > 3 * PAGE {
        two
    } else {
        3 * PAGE
    }
}

/// Slot size of a class in bytes.
#[inline(always)]
pub const fn slot_of(class: usize) -> usize {
    if class == NOTHING { NOTHING_SLOT } else { crate::class::TABLE[class].slot as usize }
}

impl Slab {
    /// A slab in `[base, base + len)`, the last page of which is its guard; the range is reserved and covered by the page
    /// map. None when there is no memory for it.
    pub fn make(base: usize, len: usize, class: usize, owner: usize) -> Option<&'static Slab> {
        let slot = if class == NOTHING { NOTHING_SLOT } else { CLASSES[class].slot as usize };
        let bytes = len - PAGE;
        let slots = bytes / slot;
        let at = pool::take_bytes(Slab::size(slots))?.cast::<Slab>();
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
            inverse: (1u64 << 40).div_ceil(slot as u64),
            slot,
            // SAFETY: slots words were written; they go back to the pool with the slab only.
            words: unsafe { core::slice::from_raw_parts(words.as_ptr(), slots) },
            owner,
            class,
            bytes,
            free: Cell::new(0),
            open: Cell::new(0),
            pages: Cell::new(Pages::None),
            there: Cell::new(0),
            next: Cell::new(None),
            prev: Cell::new(None),
            bits: [const { Cell::new(0) }; WORDS],
        };
        // SAFETY: the pool gave room for a Slab.
        unsafe { at.write(slab) };
        // SAFETY: it was just written, and goes back only in end.
        let slab = unsafe { at.as_ref() };
        pagemap::set(base, bytes / PAGE, SLAB, at.as_ptr().cast());
        Some(slab)
    }

    const fn size(slots: usize) -> usize {
        size_of::<Slab>() + slots * size_of::<AtomicU32>()
    }

    /// Makes the pages there and every slot fresh. Where the kernel refuses all pages, those of the first slots do. False
    /// when it refuses them too.
    pub fn commit(&self) -> bool {
        if self.class == NOTHING {
            self.there.set(self.bytes);
        } else if self.pages.get() == Pages::None {
            // With too many mappings the guard is given up: then neighbouring slabs are one mapping.
            let guarded = GUARDED.fetch_add(1, Relaxed) < GUARDED_MAX;
            let (bytes, pages) =
                if guarded { (self.bytes, Pages::Guarded) } else { (self.bytes + PAGE, Pages::Open) };
            if self.map(bytes) {
                self.pages.set(pages);
                self.there.set(self.bytes);
            } else if self.map(self.slot.next_multiple_of(PAGE)) {
                self.pages.set(Pages::Some);
                self.there.set(self.slot.next_multiple_of(PAGE));
            }
            if self.pages.get() != Pages::Guarded {
                GUARDED.fetch_sub(1, Relaxed);
            }
            if self.pages.get() == Pages::None {
                return false;
            }
        }
        self.words.iter().for_each(|word| word.store(0, Relaxed));
        self.bits.iter().for_each(|bits| bits.set(0));
        self.free.set(0);
        self.open.set(0);
        self.widen()
    }

    /// Maps the next `bytes` of its place.
    fn map(&self, bytes: usize) -> bool {
        let Some(at) = NonNull::new((self.base + self.there.get()) as *mut u8) else { return false };
        // SAFETY: the slab's pages and the guard page behind are reserved and its own, and not mapped yet from there on.
        let done = unsafe { os::commit(at, bytes) };
        if done {
            engine::MAPPED.fetch_add(bytes, Relaxed);
        }
        done
    }

    /// Opens more slots: as many again as were open, those of a page at first. False when all are open, or the kernel
    /// refuses their pages.
    fn widen(&self) -> bool {
        let old = self.open.get();
        let mut now = (old * 2).max(PAGE / self.slot).max(YOUNG).min(self.words.len());
        if now * self.slot > self.there.get() {
            let more = (now * self.slot).next_multiple_of(PAGE).min(self.bytes) - self.there.get();
            if old > 0 && self.map(more) {
                self.there.set(self.there.get() + more);
            }
            now = now.min(self.there.get() / self.slot);
        }
        for number in old..now {
            self.set_bit(number);
        }
        self.free.set(self.free.get() + now - old);
        self.open.set(now);
        now > old
    }

    /// How many slots it has.
    pub fn slots(&self) -> usize {
        self.words.len()
    }

    /// Whether no slot is left, neither a free one nor one that was never opened.
    pub fn is_full(&self) -> bool {
        self.free.get() == 0 && self.open.get() == self.words.len()
    }

    /// Whether no slot is in use.
    pub fn is_empty(&self) -> bool {
        self.free.get() == self.open.get()
    }

    /// Gives the pages back, so that nobody can read or write a freed block there; of a slab without a guard page only
    /// what they hold, since that costs no mapping. False when the kernel refuses.
    pub fn decommit(&self) -> bool {
        let Some(at) = NonNull::new(self.base as *mut u8) else { return false };
        match self.pages.get() {
            Pages::None => {
                self.there.set(0);
                true
            }
            // SAFETY: every slot is free, so nothing refers to the pages' content.
            Pages::Open => unsafe { os::purge(at, self.bytes) },
            Pages::Guarded | Pages::Some => {
                // SAFETY: as above.
                if !unsafe { os::decommit(at, self.there.get()) } {
                    return false;
                }
                engine::MAPPED.fetch_sub(self.there.get(), Relaxed);
                if self.pages.replace(Pages::None) == Pages::Guarded {
                    GUARDED.fetch_sub(1, Relaxed);
                }
                self.there.set(0);
                true
            }
        }
    }

    /// Parts with a slab without pages for good: its place, guard page and all, is nobody's then. False when the kernel
    /// refuses, or the slab still has pages.
    pub fn end(&'static self) -> bool {
        let Some(at) = NonNull::new(self.base as *mut u8) else { return false };
        // SAFETY: the range is reserved and the slab's own; none of its pages is there.
        if self.pages.get() != Pages::None || !unsafe { os::release(at, self.bytes + PAGE) } {
            return false;
        }
        pagemap::set(self.base, self.bytes / PAGE, 0, core::ptr::null_mut());
        let size = Slab::size(self.words.len());
        if size <= pool::LARGEST {
            // SAFETY: it came from the pool with this size, the page map leads here no more, and the row has dropped it.
            unsafe { pool::put(NonNull::from(self).cast(), size) };
        }
        true
    }

    /// The number of the slot that holds `address`, an address in this slab, and whether it starts there.
    #[inline(always)]
    pub fn slot_at(&self, address: usize) -> (usize, bool) {
        let offset = address.wrapping_sub(self.base);
        let number = ((offset as u64).wrapping_mul(self.inverse) >> 40) as usize;
        (number, number * self.slot == offset && number < self.words.len())
    }

    /// Address of a slot.
    #[inline]
    pub fn address(&self, number: usize) -> usize {
        self.base + number * self.slot
    }

    /// The word of a slot.
    #[inline(always)]
    pub fn word(&self, number: usize) -> Option<&'static AtomicU32> {
        self.words.get(number)
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

    /// Takes up to `most` free slots, neighbours as a rule, from a random place, and shows the number of each. Shows none
    /// only when the slab is full. O(slots / 64 + most).
    pub fn take(&self, most: usize, random: &Random, mut see: impl FnMut(usize)) {
        if self.free.get() == 0 && !self.widen() {
            return;
        }
        let open = self.open.get();
        let words = open.div_ceil(64);
        let start = random.below(open);
        let (mut i, mut mask) = (start / 64, u64::MAX << (start % 64));
        let mut left = most.min(self.free.get());
        self.free.set(self.free.get() - left);
        // Once round, and the low bits of the first word at the end.
        for _ in 0..=words {
            if left == 0 {
                return;
            }
            let here = &self.bits[i % WORDS];
            let mut found = here.get() & mask;
            while found != 0 && left > 0 {
                let bit = found.trailing_zeros();
                found &= found - 1;
                here.set(here.get() ^ 1 << bit);
                left -= 1;
                see(i * 64 + bit as usize);
            }
            mask = u64::MAX;
            i = if i + 1 == words { 0 } else { i + 1 };
        }
    }

    /// Makes a slot free.
    #[inline]
    pub fn put(&self, number: usize) {
        self.set_bit(number);
        self.free.set(self.free.get() + 1);
    }

    #[inline]
    fn set_bit(&self, number: usize) {
        let word = &self.bits[number / 64 % WORDS];
        word.set(word.get() | 1 << (number % 64));
    }
}

/// The slab whose page map entry has `key`.
#[inline(always)]
pub fn of(entry: &pagemap::Entry, key: usize) -> Option<&'static Slab> {
    // SAFETY: an entry with this key leads to a hardened slab, whose memory is never unmapped.
    (key == SLAB).then(|| unsafe { entry.meta.load(Relaxed).cast::<Slab>().as_ref() }).flatten()
}
