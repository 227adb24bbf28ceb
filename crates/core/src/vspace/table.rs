//! A table: 256 rows of sheets, or 256 tables, with bounds on their HOLEs and a bit for each that has starts.
//!
//! Owned by the tree, read without a lock by mems_get, written under the lock. Zero bytes are an empty one.

use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::vspace::lane::Lane;
use crate::vspace::sheet::Sheet;
use crate::vspace::tables::Plain;

/// In an entry of level 0: the row's address, below a bit for each of its sheets that has starts.
const FILLED: u32 = 48;
const ADDRESS: u64 = (1 << FILLED) - 1;

/// 256 rows or tables.
#[repr(C, align(64))]
pub struct Table {
    entries: [AtomicU64; 256],
    /// The largest HOLE that starts under each entry, or more; the same of sixteen entries.
    max: [Lane; 16],
    top: Lane,
    /// Bit i: there are starts under entry i.
    filled: [AtomicU64; 4],
}

/// Sixteen sheets.
#[repr(C, align(64))]
pub struct Row {
    pub sheets: [Sheet; 16],
    /// The largest HOLE that starts in each sheet, or more.
    pub lane: Lane,
}

// SAFETY: atomics, of which zero is a value.
unsafe impl Plain for Table {}
// SAFETY: as above.
unsafe impl Plain for Row {}

impl Table {
    #[inline(always)]
    fn entry(&self, i: u64) -> &AtomicU64 {
        &self.entries[i as usize % 256]
    }

    /// Row number `i` (mod 256). Of a table of level 0 only.
    #[inline(always)]
    pub fn row(&self, i: u64) -> Option<&'static Row> {
        let at = self.entry(i).load(Ordering::Acquire) & ADDRESS;
        let row = ptr::with_exposed_provenance::<Row>(at as usize);
        // SAFETY: at level 0 an entry is 0 or leads to a row, mapped while the lock is held or a reader is inside.
        unsafe { row.as_ref() }
    }

    /// Table number `i` (mod 256). Of a table of a higher level only.
    #[inline(always)]
    pub fn child(&self, i: u64) -> Option<&'static Table> {
        let at = self.entry(i).load(Ordering::Acquire);
        let table = ptr::with_exposed_provenance::<Table>(at as usize);
        // SAFETY: above level 0 an entry is 0 or leads to a table, mapped as above.
        unsafe { table.as_ref() }
    }

    /// Makes entry `i` (mod 256) lead to a row, at level 0, or to a table, above.
    pub fn set<T: Plain>(&self, i: u64, to: &'static T) {
        self.entry(i).store(ptr::from_ref(to).expose_provenance() as u64, Ordering::Release);
    }

    /// Which sheets of row `i` have starts, a bit each.
    #[inline(always)]
    pub fn sheets(&self, i: u64) -> u64 {
        self.entry(i).load(Ordering::Acquire) >> FILLED
    }

    /// Raises the bound of entry `i` (mod 256) to `size`; whether it was lower.
    #[inline(always)]
    pub fn raise(&self, i: u64, size: u32) -> bool {
        let i = i as usize % 256;
        self.max[i / 16].raise(i, size) && self.top.raise(i / 16, size)
    }

    /// Lowers the bound of entry `i` (mod 256).
    #[inline(always)]
    pub fn lower(&self, i: u64, size: u32) {
        self.max[i as usize % 256 / 16].set(i as usize, size);
    }

    /// The first entry whose bound is at least `size`.
    #[inline(always)]
    pub fn first(&self, size: u32) -> Option<u64> {
        while let Some(lane) = self.top.first(size) {
            if let Some(i) = self.max[lane].first(size) {
                return Some((lane * 16 + i) as u64);
            }
            self.top.set(lane, self.max[lane].largest());
        }
        None
    }

    /// The largest of its bounds.
    pub fn largest(&self) -> u32 {
        self.top.largest()
    }

    /// The bound of entry `i` (mod 256), where both that go into it agree.
    pub fn bound(&self, i: u64) -> u32 {
        let i = i as usize % 256;
        self.max[i / 16].get(i).min(self.top.get(i / 16))
    }

    /// Notes whether sheet `sheet` of row `i` (mod 256) has starts; whether that changes it for the whole row.
    #[inline(always)]
    pub fn fill_sheet(&self, i: u64, sheet: usize, filled: bool) -> bool {
        let entry = self.entry(i);
        let bit = 1 << (FILLED + sheet as u32);
        let before = entry.load(Ordering::Relaxed);
        let now = if filled { before | bit } else { before & !bit };
        entry.store(now, Ordering::Release);
        before >> FILLED == 0 || now >> FILLED == 0
    }

    /// Notes whether there are starts under entry `i` (mod 256); whether that changes it for the whole table.
    pub fn fill(&self, i: u64, filled: bool) -> bool {
        let word = &self.filled[i as usize % 256 / 64];
        let bit = 1 << (i % 64);
        let before = self.is_filled();
        let now = word.load(Ordering::Relaxed);
        word.store(if filled { now | bit } else { now & !bit }, Ordering::Release);
        before != self.is_filled()
    }

    /// Whether there are starts under any entry.
    pub fn is_filled(&self) -> bool {
        self.filled.iter().any(|word| word.load(Ordering::Relaxed) != 0)
    }

    /// The nearest entry with starts below entry `i` (mod 256), or above it with `UP`; with None, from the far end.
    pub fn nearest<const UP: bool>(&self, i: Option<u64>) -> Option<u64> {
        (0..4u64).map(|k| if UP { k } else { 3 - k }).find_map(|k| {
            let all = self.filled[k as usize].load(Ordering::Acquire);
            let bits = match i.map(|i| i % 256) {
                Some(i) if i / 64 == k => all & beyond::<UP>(i % 64),
                Some(i) if (i / 64 > k) == UP => 0,
                _ => all,
            };
            end::<UP>(bits).map(|bit| k * 64 + bit)
        })
    }
}

/// The bits above bit `i` (below 64), or below it.
#[inline(always)]
pub fn beyond<const UP: bool>(i: u64) -> u64 {
    if UP { u64::MAX << 1 << i } else { (1 << i) - 1 }
}

/// The lowest bit with `UP`, or the highest.
#[inline(always)]
pub fn end<const UP: bool>(bits: u64) -> Option<u64> {
    let bit = if UP { bits.trailing_zeros() } else { 63 ^ bits.leading_zeros() };
    if bits == 0 { None } else { Some(bit as u64) }
}
