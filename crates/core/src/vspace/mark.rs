//! Marking: writes the page table of `translate` when a segment is taken or freed.
//!
//! Owned by the address space, under its lock. Whatever may want memory is done first, by [`Marker::prepare`];
//! marking and clearing then cannot fail, so mems_free never does. Tables and sheets stay until everything
//! is finished (addresses are not used twice, so they are few); bits of a unit that is all HOLE serve the next.

use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::vspace::steps::Cursor;
use crate::vspace::tables::Tables;
use crate::vspace::translate::{
    BITS, DIRECTORY_ENTRIES, DIRECTORY_SHIFT, Directory, FULL, KIB_SHIFT, NONE, ROOT, ROOT_ENTRIES,
    ROOT_SHIFT, ROW_ENTRIES, ROW_SHIFT, Row, Sheet, UNIT_SHIFT, WHOLE,
};

const SHEET_SPAN: u64 = 1 << ROW_SHIFT;

/// What is written, and the memory for it.
pub struct Marker {
    tables: Tables,
    bits: Cursor,
    /// First of the bits that serve no unit, number + 1, linked through their first word; 0: none.
    spare: u32,
    /// How many those are.
    spares: u32,
    /// One past the highest entry of ROOT that was ever used.
    roots: usize,
}

/// What an entry of the table above a sheet leads to.
enum Below {
    /// An entry for the whole span, empty or WHOLE.
    Entry(&'static AtomicU64, u64),
    /// A sheet, and the end of its 64 KiB.
    Sheet(&'static Sheet, u64),
    /// Nothing, up to here.
    Nothing(u64),
}

impl Marker {
    /// Nothing marked.
    pub const fn new() -> Self {
        Marker { tables: Tables::new(), bits: Cursor::new(), spare: 0, spares: 0, roots: 0 }
    }

    /// Makes sure that there are bits for a segment's two mixed units, one at either end. False: the kernel has no
    /// memory.
    #[inline(always)]
    pub fn ready(&mut self) -> bool {
        self.spares >= 2 || self.more_bits()
    }

    #[cold]
    fn more_bits(&mut self) -> bool {
        while self.spares < 2 {
            let Some(number) = self.bits.next(&BITS) else { return false };
            self.spare_bits(number);
        }
        true
    }

    /// Makes sure that `mark` of `[from, to)` (counted from the start; not empty) finds the memory it needs, and
    /// that there are sheets where it starts and, with `rest`, where the HOLE behind it will start. False: the kernel
    /// has none, and nothing that counts has changed.
    pub fn prepare(&mut self, from: u64, to: u64, rest: bool) -> bool {
        let end = to - u64::from(!rest);
        self.roots = self.roots.max((end >> ROOT_SHIFT) as usize + 1);
        self.ready()
            && self.sheets(from, to, from)
            && ((from ^ end) < SHEET_SPAN || (self.sheets(from, to, to - 1) && self.sheets(from, to, end)))
    }

    /// Makes the tables above `at`, one end of `[from, to)`, down to the sheet, or to where an entry is covered whole.
    /// The sheet where a segment starts is never left out: when it is freed, a HOLE starts there.
    fn sheets(&mut self, from: u64, to: u64, at: u64) -> bool {
        let Some(mut slot) = ROOT.get((at >> ROOT_SHIFT) as usize) else { return false };
        let mut shift = ROOT_SHIFT;
        loop {
            let entry = slot.load(Ordering::Relaxed);
            let base = at >> shift << shift;
            let whole = from < base && to >= base + (1 << shift);
            if entry & WHOLE != 0 || (entry == 0 && whole) {
                return true;
            }
            if entry == 0 {
                let table = match shift {
                    ROOT_SHIFT => self.tables.zeroed(size_of::<Directory>()),
                    DIRECTORY_SHIFT => self.tables.zeroed(size_of::<Row>()),
                    _ => self.tables.zeroed(size_of::<Sheet>()),
                };
                let Some(table) = table else { return false };
                slot.store(table as u64, Ordering::Release);
            }
            match shift {
                ROOT_SHIFT => {
                    slot = below(slot, (at >> DIRECTORY_SHIFT) as usize % DIRECTORY_ENTRIES);
                    shift = DIRECTORY_SHIFT;
                }
                DIRECTORY_SHIFT => {
                    slot = below(slot, (at >> ROW_SHIFT) as usize % ROW_ENTRIES);
                    shift = ROW_SHIFT;
                }
                _ => return true,
            }
        }
    }

    /// Marks `[from, to)` PROCESS, `distance` from its physical addresses. Prepared before.
    #[inline]
    pub fn mark(&mut self, from: u64, to: u64, distance: u64, region: u32) {
        let mut at = from;
        while at < to {
            match locate(at, to, 0) {
                Below::Entry(slot, end) => {
                    slot.store(distance | WHOLE, Ordering::Release);
                    at = end;
                }
                Below::Sheet(sheet, end) => {
                    let stop = end.min(to);
                    sheet.note(at, distance, region);
                    self.mark_sheet(sheet, at, stop, distance, region);
                    at = stop;
                }
                Below::Nothing(end) => at = end,
            }
        }
    }

    /// Marks `[from, to)`, one segment that was marked whole, HOLE.
    #[inline]
    pub fn clear(&mut self, from: u64, to: u64) {
        let mut at = from;
        while at < to {
            match locate(at, to, WHOLE) {
                Below::Entry(slot, end) => {
                    slot.store(0, Ordering::Release);
                    at = end;
                }
                Below::Sheet(sheet, end) => {
                    let stop = end.min(to);
                    self.clear_sheet(sheet, at, stop);
                    at = stop;
                }
                Below::Nothing(end) => at = end,
            }
        }
    }

    /// As `mark`, all of it in one sheet, which has a note for the KiB of `from` already.
    #[inline]
    pub fn mark_sheet(&mut self, sheet: &Sheet, from: u64, to: u64, distance: u64, region: u32) {
        let last = (to - 1) >> KIB_SHIFT;
        let mut kib = from >> KIB_SHIFT;
        while kib < last {
            kib += 1;
            sheet.note(kib << KIB_SHIFT, distance, region);
        }
        let last = (to - 1) >> UNIT_SHIFT;
        let mut unit = from >> UNIT_SHIFT;
        loop {
            self.mark_unit(&sheet.states[unit as usize % 256], ends(unit, from, to));
            if unit == last {
                return;
            }
            unit += 1;
        }
    }

    #[inline(always)]
    fn mark_unit(&mut self, slot: &AtomicU32, (low, high): (u64, u64)) {
        let state = slot.load(Ordering::Relaxed);
        if state == NONE && high - low == 256 {
            slot.store(FULL, Ordering::Release);
            return;
        }
        let number = if state == NONE { self.new_bits() } else { (state & !FULL).wrapping_sub(1) };
        // SAFETY: the number comes from the cursor, by way of this unit's state or of new_bits.
        let bits = unsafe { &*BITS.at(number) };
        let mut full = u64::MAX;
        let mut word = low / 64;
        while word * 64 < high {
            let bits = &bits[word as usize % 4];
            let now = bits.load(Ordering::Relaxed) | mask(word * 64, low, high);
            bits.store(now, Ordering::Release);
            full &= now;
            word += 1;
        }
        if full == u64::MAX {
            full = bits.iter().fold(full, |full, b| full & b.load(Ordering::Relaxed));
        }
        let flag = if full == u64::MAX { FULL } else { 0 };
        if state != (number + 1) | flag {
            slot.store((number + 1) | flag, Ordering::Release);
        }
    }

    /// As `clear`, all of it in one sheet.
    #[inline]
    pub fn clear_sheet(&mut self, sheet: &Sheet, from: u64, to: u64) {
        let last = (to - 1) >> UNIT_SHIFT;
        let mut unit = from >> UNIT_SHIFT;
        loop {
            self.clear_unit(&sheet.states[unit as usize % 256], ends(unit, from, to));
            if unit == last {
                return;
            }
            unit += 1;
        }
    }

    #[inline(always)]
    fn clear_unit(&mut self, slot: &AtomicU32, (low, high): (u64, u64)) {
        let state = slot.load(Ordering::Relaxed);
        let Some(number) = (state & !FULL).checked_sub(1) else {
            // All of the unit belonged to one segment, this one.
            slot.store(NONE, Ordering::Release);
            return;
        };
        // SAFETY: a state's number comes from the cursor.
        let bits = unsafe { &*BITS.at(number) };
        let mut any = 0;
        let mut word = low / 64;
        while word * 64 < high {
            let bits = &bits[word as usize % 4];
            let now = bits.load(Ordering::Relaxed) & !mask(word * 64, low, high);
            bits.store(now, Ordering::Release);
            any |= now;
            word += 1;
        }
        if any == 0 {
            any = bits.iter().fold(any, |any, b| any | b.load(Ordering::Relaxed));
        }
        if any == 0 {
            slot.store(NONE, Ordering::Release);
            self.spare_bits(number);
        } else if state & FULL != 0 {
            slot.store(number + 1, Ordering::Release);
        }
    }

    /// Bits for a unit, all clear. `prepare` saw to it that there are some.
    fn new_bits(&mut self) -> u32 {
        let number = self.spare.wrapping_sub(1);
        // SAFETY: prepare keeps two spare ones ready, and a mark takes at most two: the number is the cursor's.
        let bits = unsafe { &*BITS.at(number) };
        self.spare = bits[0].swap(0, Ordering::Relaxed) as u32;
        self.spares -= 1;
        number
    }

    fn spare_bits(&mut self, number: u32) {
        // SAFETY: the number comes from the cursor.
        let bits = unsafe { &*BITS.at(number) };
        bits[0].store(self.spare as u64, Ordering::Relaxed);
        self.spare = number + 1;
        self.spares += 1;
    }

    /// Detaches everything from ROOT, so that no new reader gets in.
    pub fn detach(&self) {
        for slot in &ROOT[..self.roots.min(ROOT_ENTRIES)] {
            slot.store(0, Ordering::SeqCst);
        }
    }

    /// How many entries of ROOT were in use at most.
    pub fn roots(&self) -> usize {
        self.roots
    }

    /// Gives all memory back.
    ///
    /// # Safety
    /// [`Marker::detach`] was called, and all readers that were inside then are gone.
    pub unsafe fn release(&mut self) {
        // SAFETY: no reader is left, and the lock keeps writers out.
        unsafe { self.bits.release(&BITS) };
        // SAFETY: as before.
        unsafe { self.tables.release() };
        *self = Marker::new();
    }
}

/// Where the entry for `at` is that `[at, to)` covers whole and that holds `value` (0 or a WHOLE one), or
/// else the sheet.
#[inline]
fn locate(at: u64, to: u64, value: u64) -> Below {
    let Some(mut slot) = ROOT.get((at >> ROOT_SHIFT) as usize) else { return Below::Nothing(to) };
    let mut shift = ROOT_SHIFT;
    loop {
        let entry = slot.load(Ordering::Relaxed);
        let end = (at >> shift << shift) + (1 << shift);
        if entry & WHOLE != 0 || entry == 0 {
            let wanted = entry & WHOLE == value;
            return if wanted { Below::Entry(slot, end) } else { Below::Nothing(end.min(to)) };
        }
        match shift {
            ROOT_SHIFT => {
                slot = below(slot, (at >> DIRECTORY_SHIFT) as usize % DIRECTORY_ENTRIES);
                shift = DIRECTORY_SHIFT;
            }
            DIRECTORY_SHIFT => {
                slot = below(slot, (at >> ROW_SHIFT) as usize % ROW_ENTRIES);
                shift = ROW_SHIFT;
            }
            _ => {
                let sheet = ptr::with_exposed_provenance::<Sheet>(entry as usize);
                // SAFETY: an entry of a row that is neither 0 nor WHOLE is a sheet, mapped until release.
                return Below::Sheet(unsafe { &*sheet }, end);
            }
        }
    }
}

/// Entry `index` of the table that `slot` leads to.
#[inline(always)]
fn below(slot: &AtomicU64, index: usize) -> &'static AtomicU64 {
    let table = ptr::with_exposed_provenance::<AtomicU64>(slot.load(Ordering::Relaxed) as usize);
    // SAFETY: the callers saw that slot leads to a table and keep the index below its length; mapped until release.
    unsafe { &*table.wrapping_add(index) }
}

/// The part of unit `unit` that lies in `[from, to)`: 0 ≤ low < high ≤ 256.
#[inline(always)]
fn ends(unit: u64, from: u64, to: u64) -> (u64, u64) {
    let base = unit << UNIT_SHIFT;
    (from.max(base) - base, (to - base).min(256))
}

/// The bits of a word whose first bit is number `base` that lie in `[low, high)`, which it reaches into.
#[inline(always)]
fn mask(base: u64, low: u64, high: u64) -> u64 {
    let from = u64::MAX << (low.max(base) - base);
    let to = u64::MAX >> (base + 64 - high.min(base + 64));
    from & to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_the_bits_between() {
        for low in 0..256 {
            for high in low + 1..=256 {
                for word in low / 64..=(high - 1) / 64 {
                    let plain =
                        (0..64).filter(|i| (low..high).contains(&(word * 64 + i))).fold(0, |m, i| m | 1 << i);
                    assert_eq!(mask(word * 64, low, high), plain, "{low} {high} {word}");
                }
            }
        }
    }
}
