//! A unit: the starts of segments in a sixteenth of a sheet, 128 bytes of addresses.
//!
//! Up to seven starts stand in the unit's own word; for more there is one bit a byte for the starts and one that says
//! PROCESS. A reader without the lock is right about a segment that stays live while it reads: words are replaced in one
//! access, bits of other segments change beside those it looks at, and the bits go only when the whole unit is
//! HOLE. Written under the lock.

use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::vspace::packed::{self, Packed};
use crate::vspace::tables::{Plain, Tables};

/// Starts of up to seven segments, or the address of [`Bits`].
#[repr(transparent)]
pub struct Unit(AtomicU64);

/// One bit a byte of a unit.
#[repr(C, align(32))]
pub struct Bits {
    starts: [AtomicU64; 2],
    /// Bits only where `starts` has them.
    process: [AtomicU64; 2],
}

// SAFETY: atomics, of which zero is a value.
unsafe impl Plain for Bits {}

type Word = Packed<8>;

enum Form {
    Few(Word),
    Many(&'static Bits),
}

impl Unit {
    #[inline(always)]
    fn form(&self) -> Form {
        let word = self.0.load(Ordering::Acquire);
        match packed::address(word) {
            None => Form::Few(Packed(word)),
            // SAFETY: the address of a unit's word is that of its bits, mapped while the lock is held or a reader is
            // inside.
            Some(at) => Form::Many(unsafe { &*ptr::with_exposed_provenance::<Bits>(at) }),
        }
    }

    #[inline(always)]
    fn put(&self, word: Word) {
        self.0.store(word.0, Ordering::Release);
    }

    /// Whether there are no starts.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Packed::<8>::EMPTY.0
    }

    /// Whether the start at `place` is PROCESS; None: there is none.
    #[inline(always)]
    pub fn at(&self, place: u32) -> Option<bool> {
        match self.form() {
            Form::Few(word) => word.at(place),
            Form::Many(bits) => bits.last(place).filter(|last| last.0 == place).map(|last| last.1),
        }
    }

    /// Makes the HOLE at `place` PROCESS up to `to`, where a HOLE starts now. Only when there is room.
    #[inline(always)]
    pub fn split(&self, place: u32, to: u32) {
        match self.form() {
            Form::Few(word) => self.put(word.split(place, to)),
            Form::Many(bits) => {
                bits.put(place, true);
                bits.put(to, false);
            }
        }
    }

    /// The last start at `place` or before it, and whether it is PROCESS. No lock.
    #[inline(always)]
    pub fn last(&self, place: u32) -> Option<(u32, bool)> {
        match self.form() {
            Form::Few(word) => word.last(place),
            Form::Many(bits) => bits.last(place),
        }
    }

    /// The first start at `from` or behind it.
    #[inline(always)]
    pub fn next(&self, from: u32) -> Option<u32> {
        match self.form() {
            Form::Few(word) => word.next(from),
            Form::Many(bits) => bits.next(from),
        }
    }

    /// The first HOLE of at least `want` (not 0) but for the last start: its place and size.
    #[inline(always)]
    pub fn fit(&self, want: u32) -> Option<(u32, u32)> {
        match self.form() {
            Form::Few(word) => word.fit(want),
            Form::Many(bits) => bits.fit(want),
        }
    }

    /// The largest HOLE's size but for the last start; 0: none.
    #[inline(always)]
    pub fn largest(&self) -> u32 {
        match self.form() {
            Form::Few(word) => word.largest(),
            Form::Many(bits) => bits.largest(),
        }
    }

    /// The last start if it is a HOLE's.
    #[inline(always)]
    pub fn last_hole(&self) -> Option<u32> {
        match self.form() {
            Form::Few(word) => word.last_hole(),
            Form::Many(bits) => bits.last(127).filter(|last| !last.1).map(|last| last.0),
        }
    }

    /// Its starts, where there are few.
    #[inline(always)]
    pub fn few(&self) -> Option<Packed<8>> {
        match self.form() {
            Form::Few(word) => Some(word),
            Form::Many(_) => None,
        }
    }

    /// Makes sure that one more start finds room. None: no memory.
    #[inline(always)]
    pub fn ready(&self, tables: &mut Tables) -> Option<()> {
        match self.form() {
            Form::Few(word) if word.is_full() => self.spread(word, tables),
            _ => Some(()),
        }
    }

    #[cold]
    #[inline(never)]
    fn spread(&self, word: Word, tables: &mut Tables) -> Option<()> {
        let bits = tables.bits()?;
        let mut from = 0;
        while let Some(place) = word.next(from) {
            bits.put(place, word.last(place) == Some((place, true)));
            from = place + 1;
        }
        let at = ptr::from_ref(bits).expose_provenance();
        self.0.store(packed::to_address(at), Ordering::Release);
        Some(())
    }

    /// Adds a start. Only when there is room: [`Unit::ready`].
    #[inline(always)]
    pub fn add(&self, place: u32, process: bool) {
        match self.form() {
            Form::Few(word) => self.put(word.with(place, process)),
            Form::Many(bits) => bits.put(place, process),
        }
    }

    /// Changes the kind of the start at `place`.
    #[inline(always)]
    pub fn set(&self, place: u32, process: bool) {
        match self.form() {
            Form::Few(word) => self.put(word.with_kind(place, process)),
            Form::Many(bits) => bits.put(place, process),
        }
    }

    /// Removes the start at `place`, of a HOLE or one that becomes part of the HOLE before. Without starts the whole
    /// unit is HOLE then.
    #[inline(always)]
    pub fn remove(&self, place: u32, tables: &mut Tables) {
        match self.form() {
            Form::Few(word) => self.put(word.without(place)),
            Form::Many(bits) => {
                bits.remove(place);
                if bits.next(0).is_none() {
                    self.put(Packed::EMPTY);
                    tables.keep_bits(bits);
                }
            }
        }
    }
}

impl Bits {
    /// Both words of the starts, and of PROCESS. Not of one instant for a reader without the lock; the bits that it asks
    /// about do not change.
    #[inline(always)]
    fn load(&self) -> (u128, u128) {
        let whole = |of: &[AtomicU64; 2]| {
            (of[1].load(Ordering::Acquire) as u128) << 64 | of[0].load(Ordering::Acquire) as u128
        };
        (whole(&self.starts), whole(&self.process))
    }

    #[inline(never)]
    fn last(&self, place: u32) -> Option<(u32, bool)> {
        let (starts, process) = self.load();
        let last = 127u32.checked_sub((starts & u128::MAX >> (127 - place)).leading_zeros())?;
        Some((last, process >> last & 1 != 0))
    }

    #[inline(never)]
    fn next(&self, from: u32) -> Option<u32> {
        let found = self.load().0 & u128::MAX.checked_shl(from).unwrap_or(0);
        (found != 0).then(|| found.trailing_zeros())
    }

    /// The HOLEs but for the last start: place and size.
    #[inline(always)]
    fn holes(&self) -> impl Iterator<Item = (u32, u32)> {
        let (starts, process) = self.load();
        let mut left = starts & !process;
        core::iter::from_fn(move || {
            let place = left.checked_ilog2().map(|_| left.trailing_zeros())?;
            left &= left - 1;
            let behind = starts >> place >> 1;
            (behind != 0).then(|| (place, behind.trailing_zeros() + 1))
        })
    }

    #[inline(never)]
    fn fit(&self, want: u32) -> Option<(u32, u32)> {
        self.holes().find(|hole| hole.1 >= want)
    }

    #[inline(never)]
    fn largest(&self) -> u32 {
        self.holes().fold(0, |most, hole| most.max(hole.1))
    }

    #[inline(never)]
    fn put(&self, place: u32, process: bool) {
        let (i, bit) = (place as usize / 64 % 2, 1 << (place % 64));
        let now = self.process[i].load(Ordering::Relaxed) & !bit;
        self.process[i].store(if process { now | bit } else { now }, Ordering::Release);
        self.starts[i].store(self.starts[i].load(Ordering::Relaxed) | bit, Ordering::Release);
    }

    #[inline(never)]
    fn remove(&self, place: u32) {
        let (i, bit) = (place as usize / 64 % 2, 1 << (place % 64));
        self.starts[i].store(self.starts[i].load(Ordering::Relaxed) & !bit, Ordering::Release);
        self.process[i].store(self.process[i].load(Ordering::Relaxed) & !bit, Ordering::Release);
    }
}
