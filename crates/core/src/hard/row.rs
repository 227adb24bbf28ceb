//! A row: what a hardened heap has of one class: its slabs, the slots that lie ready to be given out, and the quarantine.
//!
//! Only the heap's thread touches it. Slots lie ready in random order, so malloc takes the last one; a slot that is
//! freed takes a random place in the quarantine, and the one that waited there a random place among those that lie ready:
//! one random number for each free. A slot's word is kept beside its address, so that malloc need not look the slab up.

use core::cell::Cell;
use core::sync::atomic::AtomicU32;

use crate::hard::random::Random;
use crate::hard::region;
use crate::hard::slab::{self, Slab};
use crate::heap::Heap;
use crate::pagemap;

/// Most slots that lie ready, and most bytes that do.
const READY: usize = 64;
const READY_BYTES: usize = 32 << 10;
/// Most slots that wait in the quarantine, and most bytes of more than two that do; no more than half of all there are.
const WAITING: usize = 64;
const WAITING_BYTES: usize = 32 << 10;
/// Slabs without a block that are kept, beside half of what has blocks.
const KEPT: usize = 4;

/// A slot: its address and its word.
struct Place {
    address: Cell<usize>,
    word: Cell<Option<&'static AtomicU32>>,
}

impl Place {
    #[inline(always)]
    fn set(&self, address: usize, word: &'static AtomicU32) {
        self.address.set(address);
        self.word.set(Some(word));
    }

    #[inline(always)]
    fn copy(&self, from: &Place) {
        self.address.set(from.address.get());
        self.word.set(from.word.get());
    }
}

/// Slabs in a row, each linked to both neighbours.
struct List {
    first: Cell<Option<&'static Slab>>,
    last: Cell<Option<&'static Slab>>,
}

impl List {
    fn push_first(&self, slab: &'static Slab) {
        slab.prev.set(None);
        slab.next.set(self.first.replace(Some(slab)));
        match slab.next.get() {
            Some(next) => next.prev.set(Some(slab)),
            None => self.last.set(Some(slab)),
        }
    }

    fn push_last(&self, slab: &'static Slab) {
        slab.next.set(None);
        slab.prev.set(self.last.replace(Some(slab)));
        match slab.prev.get() {
            Some(prev) => prev.next.set(Some(slab)),
            None => self.first.set(Some(slab)),
        }
    }

    fn remove(&self, slab: &'static Slab) {
        match slab.prev.get() {
            Some(prev) => prev.next.set(slab.next.get()),
            None => self.first.set(slab.next.get()),
        }
        match slab.next.get() {
            Some(next) => next.prev.set(slab.prev.get()),
            None => self.last.set(slab.prev.get()),
        }
    }
}

/// See the module. All zero bytes are a row that has nothing and takes nothing yet.
#[repr(C, align(64))]
pub struct Row {
    /// How many slots lie ready.
    ready_len: Cell<usize>,
    /// How many may.
    ready_room: Cell<usize>,
    /// How many wait.
    waiting: Cell<usize>,
    /// How many may.
    waiting_room: Cell<usize>,
    /// Slabs with free slots, the next to be used first.
    usable: List,
    /// Slabs whose pages went back.
    bare: List,
    /// Slabs with pages.
    slabs: Cell<usize>,
    /// Their slots.
    slots: Cell<usize>,
    /// Of these, slabs without a slot in use.
    empty: Cell<usize>,
    ready: [Place; READY],
    quarantine: [Place; WAITING],
}

impl Row {
    /// The slot that malloc is to give out next, with its word; it stays. None when none lies ready.
    #[inline(always)]
    pub fn next(&self) -> Option<(usize, &'static AtomicU32)> {
        let place = &self.ready[self.ready_len.get().wrapping_sub(1) % READY];
        if self.ready_len.get() == 0 {
            return None;
        }
        Some((place.address.get(), place.word.get()?))
    }

    /// Takes it.
    #[inline(always)]
    pub fn pop(&self) {
        self.ready_len.set(self.ready_len.get() - 1);
    }

    /// Puts a freed slot into quarantine, and makes the one whose place it takes lie ready. False (nothing done) when there
    /// is no room for that one.
    #[inline(always)]
    pub fn bury(&self, address: usize, word: &'static AtomicU32, random: &Random) -> bool {
        let (len, waiting) = (self.ready_len.get(), self.waiting.get());
        if waiting < self.waiting_room.get() {
            self.quarantine[waiting % WAITING].set(address, word);
            self.waiting.set(waiting + 1);
            return true;
        }
        if len >= self.ready_room.get() {
            return false;
        }
        let (i, j) = random.two_below(waiting, len + 1);
        let (place, other) = (&self.quarantine[i % WAITING], &self.ready[j % READY]);
        self.ready[len % READY].copy(other);
        other.copy(place);
        place.set(address, word);
        self.ready_len.set(len + 1);
        true
    }

    /// Makes slots lie ready. False when memory is short.
    #[inline(never)]
    pub fn refill(&self, class: usize, heap: &Heap, random: &Random) -> bool {
        let slab = match self.usable.first.get() {
            Some(slab) => slab,
            None => match self.add(class, heap) {
                Some(slab) => slab,
                None => return false,
            },
        };
        if slab.is_empty() {
            self.empty.set(self.empty.get() - 1);
        }
        let from = self.ready_len.get();
        let most = self.ready_room.get().div_ceil(2);
        slab.take(most.min(READY - from), random, |number| {
            if let Some(word) = slab.word(number) {
                let len = self.ready_len.get();
                self.ready[len % READY].set(slab.address(number), word);
                self.ready_len.set(len + 1);
            }
        });
        if slab.is_full() {
            self.usable.remove(slab);
        }
        // Fisher and Yates.
        let fresh = &self.ready[from..self.ready_len.get()];
        for i in (1..fresh.len()).rev() {
            let j = random.below(i + 1);
            fresh[i].address.swap(&fresh[j].address);
            fresh[i].word.swap(&fresh[j].word);
        }
        !fresh.is_empty()
    }

    #[cold]
    fn add(&self, class: usize, heap: &Heap) -> Option<&'static Slab> {
        let slab = match self.bare.first.get() {
            Some(slab) => {
                if !slab.commit() {
                    return None;
                }
                self.bare.remove(slab);
                slab
            }
            None => {
                let (base, len) = region::place(class)?;
                let slab = Slab::make(base, len, class, heap.address())?;
                if !slab.commit() {
                    self.bare.push_first(slab);
                    return None;
                }
                slab
            }
        };
        self.slabs.set(self.slabs.get() + 1);
        self.slots.set(self.slots.get() + slab.slots());
        self.ready_room.set((READY_BYTES / slab.slot).clamp(2, READY));
        self.make_room(slab.slot);
        self.empty.set(self.empty.get() + 1);
        self.usable.push_first(slab);
        Some(slab)
    }

    fn make_room(&self, slot: usize) {
        let most = (WAITING_BYTES / slot).clamp(2, WAITING);
        self.waiting_room.set(most.min(self.slots.get() / 2).max(1));
    }

    /// Gives half of what lies ready back to its slabs.
    #[inline(never)]
    pub fn flush(&self) {
        let (len, count) = (self.ready_len.get(), self.ready_len.get().div_ceil(2));
        self.ready[..count].iter().for_each(|place| self.give_back(place));
        for i in count..len {
            self.ready[i - count].copy(&self.ready[i]);
        }
        self.ready_len.set(len - count);
    }

    /// Makes a slot of the slab's that lay ready, or waited, free.
    fn give_back(&self, place: &Place) {
        let address = place.address.get();
        let Some(entry) = pagemap::entry(address) else { return };
        let Some(slab) = slab::of(entry, slab::SLAB) else { return };
        // One that was full: what was freed last is used last, so that others come to be empty.
        if slab.is_full() {
            self.usable.push_last(slab);
        }
        slab.put(slab.slot_at(address).0);
        if slab.is_empty() {
            self.empty.set(self.empty.get() + 1);
            // Some stay, so that a heap that breathes does not go to the kernel each time.
            if self.empty.get() > KEPT + self.slabs.get() / 3 {
                self.part(slab);
            }
        }
    }

    /// Gives the pages of a slab without a block back.
    fn part(&self, slab: &'static Slab) {
        if slab.decommit() {
            self.usable.remove(slab);
            self.bare.push_first(slab);
            self.slabs.set(self.slabs.get() - 1);
            self.slots.set(self.slots.get() - slab.slots());
            self.make_room(slab.slot);
            self.empty.set(self.empty.get() - 1);
        }
    }

    /// Gives what lies ready back to its slabs, and the pages of every slab without a block to the kernel. With `all`, for
    /// when the kernel refuses more, what waits in quarantine as well, and the addresses of slabs without pages.
    pub fn release(&self, all: bool) {
        while self.ready_len.get() > 0 {
            self.flush();
        }
        if all {
            let waiting = self.waiting.replace(0);
            self.quarantine[..waiting].iter().for_each(|place| self.give_back(place));
        }
        let mut at = self.usable.first.get();
        while let Some(slab) = at {
            at = slab.next.get();
            if slab.is_empty() {
                self.part(slab);
            }
        }
        let mut at = if all { self.bare.first.get() } else { None };
        while let Some(slab) = at {
            at = slab.next.get();
            // Out of the list first: its memory is not its own afterwards.
            self.bare.remove(slab);
            if !slab.end() {
                // To the front, where this walk does not come by again; the others would be refused as well.
                self.bare.push_first(slab);
                break;
            }
        }
    }
}
