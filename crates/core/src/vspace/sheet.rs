//! A sheet: the starts of segments in 2 KiB of addresses, all of one region.
//!
//! A segment *is* its start: it reaches to the next one, and a byte belongs to the last start before it. Up to five
//! starts stand in the sheet's own word; for more there is a block of sixteen units. As with units, a word is replaced in
//! one access and the block goes only when the whole sheet is HOLE, so a reader without the lock is right about a live
//! segment whatever else goes on. Places are bytes from the sheet's begin. Written under the lock.

use core::hint::select_unpredictable;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::vspace::lane::{Short, soon};
use crate::vspace::packed::{self, Packed};
use crate::vspace::tables::{Plain, Tables};
use crate::vspace::unit::Unit;

/// The bytes of a sheet, and of a unit.
pub const BYTES: u32 = 2048;
pub const UNIT: u32 = BYTES / 16;

/// A region begins with this sheet; beside its distance.
const FIRST: u64 = 1;
/// The region that begins here was unmapped; beside its distance.
const GONE: u64 = 2;
const FLAGS: u64 = 1023;

/// 16 bytes.
#[repr(C)]
pub struct Sheet {
    /// Starts of up to five segments, or the address of a [`Block`].
    word: AtomicU64,
    /// Physical address less the address counted from the start, wrapping, and flags: both addresses are multiples of
    /// 1024. True from the first start that the sheet has.
    distance: AtomicU64,
}

/// The starts of a sheet by unit: 144 bytes.
#[repr(C, align(16))]
pub struct Block {
    units: [Unit; 16],
    /// The largest HOLE that starts in each unit, or more.
    pub bounds: Short,
}

// SAFETY: atomics, of which zero is a value.
unsafe impl Plain for Block {}

type Word = Packed<12>;

enum Form {
    Few(Word),
    Many(&'static Block),
}

impl Sheet {
    #[inline(always)]
    fn form(&self) -> Form {
        let word = self.word.load(Ordering::Acquire);
        match packed::address(word) {
            None => Form::Few(Packed(word)),
            // SAFETY: the address of a sheet's word is that of its block, mapped while the lock is held or a reader is
            // inside.
            Some(at) => Form::Many(unsafe { &*ptr::with_exposed_provenance::<Block>(at) }),
        }
    }

    #[inline(always)]
    fn put(&self, word: Word) {
        self.word.store(word.0, Ordering::Release);
    }

    /// Its block, if it has one.
    #[inline(always)]
    pub fn block(&self) -> Option<&'static Block> {
        match self.form() {
            Form::Few(_) => None,
            Form::Many(block) => Some(block),
        }
    }

    /// Physical address less address, wrapping.
    #[inline(always)]
    pub fn distance(&self) -> u64 {
        self.distance.load(Ordering::Relaxed) & !FLAGS
    }

    /// Sets that, for a sheet without starts.
    pub fn set_distance(&self, distance: u64, first: bool) {
        self.distance.store(distance | if first { FIRST } else { 0 }, Ordering::Release);
    }

    /// Whether a region begins with it.
    #[inline(always)]
    pub fn is_first(&self) -> bool {
        self.distance.load(Ordering::Relaxed) & FIRST != 0
    }

    /// Whether the region that begins with it was unmapped.
    pub fn is_gone(&self) -> bool {
        self.distance.load(Ordering::Relaxed) & GONE != 0
    }

    /// Notes that it was.
    pub fn set_gone(&self) {
        self.distance.store(self.distance.load(Ordering::Relaxed) | GONE, Ordering::Relaxed);
    }

    /// A hint: the starts around `place` and the bounds are asked for soon.
    #[inline(always)]
    pub fn soon(&self, place: u32) {
        if let Form::Many(block) = self.form() {
            soon(&block.bounds);
            soon(block.unit(place));
        }
    }

    /// Whether the start at `place` is PROCESS; None: there is none.
    #[inline(always)]
    pub fn at(&self, place: u32) -> Option<bool> {
        match self.form() {
            Form::Few(word) => word.at(place),
            Form::Many(block) => block.unit(place).at(place % UNIT),
        }
    }

    /// Whether the last start at `place` or before it is PROCESS, and the distance there; None where that takes a longer
    /// look. `before` is the sheet in front, if it is at hand: a segment of some hundred bytes often starts there. No lock.
    #[inline(always)]
    pub fn kind(&self, place: u32, before: Option<&Sheet>) -> Option<(bool, u64)> {
        match self.form() {
            Form::Few(word) => {
                let before = before.unwrap_or(self);
                let words = match before.form() {
                    Form::Few(words) if !ptr::eq(before, self) => words,
                    _ => Packed::EMPTY,
                };
                let (back, process) = word.kind_of_two(place, words)?;
                Some((process, select_unpredictable(back, before, self).distance()))
            }
            Form::Many(block) => {
                let (word, before) = block.two(place)?;
                let (_, process) = word.kind_of_two(place % UNIT, before)?;
                Some((process, self.distance()))
            }
        }
    }

    /// The last start at `place` or before it, and whether it is PROCESS. No lock.
    #[inline(always)]
    pub fn last(&self, place: u32) -> Option<(u32, bool)> {
        match self.form() {
            Form::Few(word) => word.last(place),
            Form::Many(block) => block.last(place),
        }
    }

    /// The first start at `from` (up to BYTES) or behind it.
    #[inline(always)]
    pub fn next(&self, from: u32) -> Option<u32> {
        match self.form() {
            Form::Few(word) => word.next(from),
            Form::Many(block) => block.next(from),
        }
    }

    /// In the unit of `place`, or in a sheet without a block in all of it, the first HOLE of at least `want` (not 0) but
    /// for the last start: its place and size.
    #[inline(always)]
    pub fn fit(&self, place: u32, want: u32) -> Option<(u32, u32)> {
        match self.form() {
            Form::Few(word) => word.fit(want),
            Form::Many(block) => {
                let (hole, size) = block.unit(place).fit(want)?;
                Some((place / UNIT * UNIT + hole, size))
            }
        }
    }

    /// There, the largest HOLE's size but for the last start; 0: none.
    #[inline(always)]
    pub fn largest(&self, place: u32) -> u32 {
        match self.form() {
            Form::Few(word) => word.largest(),
            Form::Many(block) => block.unit(place).largest(),
        }
    }

    /// There, the last start if it is a HOLE's.
    #[inline(always)]
    pub fn last_hole(&self, place: u32) -> Option<u32> {
        match self.form() {
            Form::Few(word) => word.last_hole(),
            Form::Many(block) => Some(place / UNIT * UNIT + block.unit(place).last_hole()?),
        }
    }

    /// Makes sure that a start at `place` finds room; no HOLE of the sheet is larger than `bound`. None: no memory.
    #[inline(always)]
    pub fn ready(&self, place: u32, bound: u32, tables: &mut Tables) -> Option<()> {
        match self.form() {
            Form::Few(word) if !word.is_full() => Some(()),
            Form::Few(word) => self.spread(word, bound, tables)?.unit(place).ready(tables),
            Form::Many(block) => block.unit(place).ready(tables),
        }
    }

    #[cold]
    #[inline(never)]
    fn spread(&self, word: Word, bound: u32, tables: &mut Tables) -> Option<&'static Block> {
        let block = tables.block()?;
        let mut from = 0;
        while let Some(place) = word.next(from) {
            let process = word.at(place) == Some(true);
            block.unit(place).add(place % UNIT, process);
            if !process {
                block.bounds.set((place / UNIT) as usize, bound);
            }
            from = place + 1;
        }
        let at = ptr::from_ref(block).expose_provenance();
        self.word.store(packed::to_address(at), Ordering::Release);
        Some(block)
    }

    /// Adds a start. Only when there is room: [`Sheet::ready`].
    #[inline(always)]
    pub fn add(&self, place: u32, process: bool) {
        match self.form() {
            Form::Few(word) => self.put(word.with(place, process)),
            Form::Many(block) => block.unit(place).add(place % UNIT, process),
        }
    }

    /// Changes the kind of the start at `place`.
    #[inline(always)]
    pub fn set(&self, place: u32, process: bool) {
        match self.form() {
            Form::Few(word) => self.put(word.with_kind(place, process)),
            Form::Many(block) => block.unit(place).set(place % UNIT, process),
        }
    }

    /// Makes the HOLE at `place` PROCESS up to `to` in this sheet, where a HOLE starts now. Only when there is room.
    #[inline(always)]
    pub fn split(&self, place: u32, to: u32) {
        match self.form() {
            Form::Few(word) => self.put(word.split(place, to)),
            Form::Many(block) if place / UNIT == to / UNIT => {
                block.unit(place).split(place % UNIT, to % UNIT)
            }
            Form::Many(block) => {
                block.unit(place).set(place % UNIT, true);
                block.unit(to).add(to % UNIT, false);
            }
        }
    }

    /// Removes the start at `place`, of a HOLE or one that becomes part of the HOLE before. Whether there are none left:
    /// the whole sheet is HOLE then.
    #[inline(always)]
    pub fn remove(&self, place: u32, tables: &mut Tables) -> bool {
        match self.form() {
            Form::Few(word) => {
                let word = word.without(place);
                self.put(word);
                word == Packed::EMPTY
            }
            Form::Many(block) => {
                block.unit(place).remove(place % UNIT, tables);
                block.unit(place).is_empty() && self.gather(block, tables)
            }
        }
    }

    /// Keeps the block for others if there are no starts in it; whether there were none.
    #[inline(never)]
    fn gather(&self, block: &'static Block, tables: &mut Tables) -> bool {
        let empty = block.units.iter().all(Unit::is_empty);
        if empty {
            self.put(Packed::EMPTY);
            block.bounds.clear();
            tables.keep_block(block);
        }
        empty
    }
}

impl Block {
    /// The unit of a place.
    #[inline(always)]
    fn unit(&self, place: u32) -> &Unit {
        &self.units[(place / UNIT % 16) as usize]
    }

    /// The starts in the unit of `place` and in the one before it, where they are few. Those of the second are needed
    /// too often, and too seldom, for a branch to tell well.
    #[inline(always)]
    fn two(&self, place: u32) -> Option<(Packed<8>, Packed<8>)> {
        let i = (place / UNIT % 16) as usize;
        let before = self.units[i.saturating_sub(1)].few()?;
        Some((self.units[i].few()?, Packed(select_unpredictable(i == 0, 0, before.0))))
    }

    #[inline(always)]
    fn last(&self, place: u32) -> Option<(u32, bool)> {
        if let Some((word, before)) = self.two(place)
            && let Some((back, last, process)) = word.last_of_two(place % UNIT, before)
        {
            return Some((place / UNIT * UNIT - u32::from(back) * UNIT + last, process));
        }
        self.last_of_all(place)
    }

    #[cold]
    #[inline(never)]
    fn last_of_all(&self, mut place: u32) -> Option<(u32, bool)> {
        loop {
            if let Some((last, process)) = self.unit(place).last(place % UNIT) {
                return Some((place / UNIT * UNIT + last, process));
            }
            place = (place / UNIT * UNIT).checked_sub(1)?;
        }
    }

    #[inline(always)]
    fn next(&self, from: u32) -> Option<u32> {
        let i = (from / UNIT) as usize;
        if let (Some(word), Some(behind)) = (self.units.get(i)?.few(), self.units[(i + 1).min(15)].few()) {
            let behind = Packed(select_unpredictable(i == 15, 0, behind.0));
            if let Some((on, place)) = word.next_of_two(from % UNIT, behind) {
                return Some(from / UNIT * UNIT + u32::from(on) * UNIT + place);
            }
        }
        self.next_of_all(from)
    }

    #[cold]
    #[inline(never)]
    fn next_of_all(&self, mut from: u32) -> Option<u32> {
        while from < BYTES {
            if let Some(place) = self.unit(from).next(from % UNIT) {
                return Some(from / UNIT * UNIT + place);
            }
            from = (from / UNIT + 1) * UNIT;
        }
        None
    }
}
