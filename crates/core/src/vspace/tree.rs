//! The tree of sheets: from an address to its sheet, and to the nearest starts before and behind it.
//!
//! Addresses are counted from the start of the space, in half bytes where pages are of 1 KiB. A table has 256 entries; at level 0 each is a row, sixteen
//! sheets (32 KiB of addresses), above that a table. There are as many levels as the space needs: one up to 8 MiB, two
//! up to 2 GiB, and so on. Addresses have no gaps and are not used twice, so nothing is ever balanced or moved. Every
//! table knows which of its entries have starts, so a segment of any size costs no more than its start. Readers
//! need no lock: the bits between a live segment's start and any byte of it are clear as long as it lives.
//! Written under the lock.

use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::vspace::sheet::{self, Sheet};
use crate::vspace::table::{Row, Table, beyond, end};
use crate::vspace::tables::Tables;

/// The first MeMS virtual address.
pub static START: AtomicU64 = AtomicU64::new(0);
/// One past the last address.
pub static END: AtomicU64 = AtomicU64::new(0);
/// By how many bits an address is moved up before it is looked for here: 1 where pages are of 1 KiB, so that a sheet
/// never spans two regions, else 0.
pub static SCALE: AtomicU32 = AtomicU32::new(0);
/// Bits of an address within a sheet, and within a row.
const SHEET: u32 = sheet::BYTES.ilog2();
const ROW: u32 = SHEET + 4;

/// 0, or the address of the top table | how many levels there are (at most 7).
static ROOT: AtomicU64 = AtomicU64::new(0);
const LEVELS: u64 = 7;

/// The top table, and the levels.
#[derive(Clone, Copy)]
pub struct Root {
    pub table: &'static Table,
    pub levels: u32,
}

/// The row of an address.
#[derive(Clone, Copy)]
pub struct Path {
    /// Of the row, counted from the start.
    pub number: u64,
    pub table: &'static Table,
    pub row: &'static Row,
}

/// The top, if there is one.
#[inline(always)]
pub fn root() -> Option<Root> {
    // SeqCst: ordered behind the entry of the reader whose load this is.
    let word = ROOT.load(Ordering::SeqCst);
    if word == 0 {
        return None;
    }
    let table = ptr::with_exposed_provenance::<Table>((word & !LEVELS) as usize);
    // SAFETY: ROOT is 0 or leads to a table, mapped while the lock is held or a reader is inside.
    Some(Root { table: unsafe { &*table }, levels: (word & LEVELS) as u32 })
}

fn set_root(table: &'static Table, levels: u32) {
    let at = ptr::from_ref(table).expose_provenance() as u64;
    ROOT.store(at | levels as u64, Ordering::Release);
}

/// Begins an empty space at `start`, in pages of `page` bytes.
pub fn open(start: u64, page: u64) {
    START.store(start, Ordering::Relaxed);
    SCALE.store(u32::from(page < sheet::BYTES as u64), Ordering::Relaxed);
}

/// Detaches everything, so that no new reader gets in.
pub fn detach() {
    END.store(0, Ordering::Relaxed);
    ROOT.store(0, Ordering::SeqCst);
}

impl Root {
    /// The table of level 0 in which row `row` has its place.
    #[inline(always)]
    fn lowest(self, row: u64) -> Option<&'static Table> {
        match self.levels {
            1 if row < 256 => Some(self.table),
            2 if row < 1 << 16 => self.table.child(row >> 8),
            _ => self.table(row, 0),
        }
    }

    /// The table of `level` in which row `row` has its place.
    #[cold]
    #[inline(never)]
    pub fn table(self, row: u64, level: u32) -> Option<&'static Table> {
        if row >> (8 * self.levels) != 0 {
            return None;
        }
        let mut table = self.table;
        for level in (level + 1..self.levels).rev() {
            table = table.child(row >> (8 * level))?;
        }
        Some(table)
    }
}

/// Where `at` lies in its sheet.
#[inline(always)]
pub fn place(at: u64) -> u32 {
    at as u32 % sheet::BYTES
}

/// Where its sheet begins.
#[inline(always)]
pub fn base(at: u64) -> u64 {
    at >> SHEET << SHEET
}

/// The nearest sheet with starts before sheet number `sheet`, or behind it with `UP`; its number.
fn beside<const UP: bool>(sheet: u64) -> Option<u64> {
    let root = root()?;
    let row = sheet / 16;
    if let Some(table) = root.table(row, 0)
        && let Some(i) = end::<UP>(table.sheets(row) & beyond::<UP>(sheet % 16))
    {
        return Some(row * 16 + i);
    }
    for level in 0..root.levels {
        let Some(mut table) = root.table(row, level) else { continue };
        let number = row >> (8 * level);
        let Some(i) = table.nearest::<UP>(Some(number)) else { continue };
        // Down again, along the near side.
        let mut number = number & !255 | i;
        for _ in 0..level {
            table = table.child(number)?;
            number = number << 8 | table.nearest::<UP>(None)?;
        }
        return Some(number * 16 + end::<UP>(table.sheets(number))?);
    }
    None
}

/// The row of `at`, if there is one.
#[inline(always)]
pub fn path(at: u64) -> Option<Path> {
    let number = at >> ROW;
    let table = root()?.lowest(number)?;
    Some(Path { number, table, row: table.row(number)? })
}

/// The row number `number`, which has its place in `table`, of level 0.
#[inline(always)]
pub fn path_of(table: &'static Table, number: u64) -> Option<Path> {
    Some(Path { number, table, row: table.row(number)? })
}

/// Whether the byte at `at` is PROCESS, and its sheet's distance; None where that takes a longer look. No lock.
#[inline(always)]
pub fn glance(at: u64) -> Option<(bool, u64)> {
    let path = path(at)?;
    let before = path.index(at).checked_sub(1).map(|i| &path.row.sheets[i]);
    path.sheet(at).kind(place(at), before)
}

/// The last start at `at` or before it, whether it is PROCESS, and its sheet's distance. No lock. O(1).
#[inline(always)]
pub fn last(at: u64) -> Option<(u64, bool, u64)> {
    if let Some(path) = path(at) {
        let sheet = path.sheet(at);
        if let Some((place, process)) = sheet.last(place(at)) {
            return Some((base(at) | place as u64, process, sheet.distance()));
        }
    }
    last_far(at)
}

/// The last start before `at`, a start to which `path` leads, within its region, and whether it is PROCESS.
#[inline(always)]
pub fn last_near(path: &Path, at: u64) -> Option<(u64, bool)> {
    let place = place(at);
    let sheet = path.sheet(at);
    if place != 0
        && let Some((last, process)) = sheet.last(place - 1)
    {
        return Some((base(at) | last as u64, process));
    }
    if place == 0 && sheet.is_first() {
        return None;
    }
    last_far(at).map(|(last, process, _)| (last, process))
}

/// As `last`, where the sheet of `at` has no start before it.
#[cold]
#[inline(never)]
fn last_far(at: u64) -> Option<(u64, bool, u64)> {
    let base = beside::<false>(at >> SHEET)? << SHEET;
    let path = path(base)?;
    let sheet = path.sheet(base);
    let (place, process) = sheet.last(sheet::BYTES - 1)?;
    Some((base | place as u64, process, sheet.distance()))
}

/// The first start behind `at`, or the end of the space; `path` leads to `at`. O(1).
#[inline(always)]
pub fn next(path: &Path, at: u64) -> u64 {
    match path.sheet(at).next(place(at) + 1) {
        Some(place) => base(at) | place as u64,
        None => next_far(at),
    }
}

#[cold]
#[inline(never)]
fn next_far(at: u64) -> u64 {
    let far = || {
        let base = beside::<true>(at >> SHEET)? << SHEET;
        let path = path(base)?;
        Some(base | path.sheet(base).next(0)? as u64)
    };
    far().unwrap_or_else(|| END.load(Ordering::Relaxed))
}

/// The begin of the next sheet with starts behind the one of `at`.
#[inline(never)]
pub fn next_filled(at: u64) -> Option<u64> {
    Some(beside::<true>(at >> SHEET)? << SHEET)
}

/// The begin of the region behind the one that `at` lies in, or the end of the space. O(sheets with starts).
#[inline(never)]
pub fn next_region(mut at: u64) -> u64 {
    while let Some(next) = next_filled(at) {
        at = next;
        if path(at).is_some_and(|path| path.sheet(at).is_first()) {
            return at;
        }
    }
    END.load(Ordering::Relaxed)
}

/// The tables down to the row of `at`, made where they are missing. None: no memory.
#[inline(never)]
pub fn make(tables: &mut Tables, at: u64) -> Option<Path> {
    if let Some(path) = path(at) {
        return Some(path);
    }
    let number = at >> ROW;
    if root().is_none() {
        set_root(tables.zeroed()?, 1);
    }
    let mut root = root()?;
    while number >> (8 * root.levels) != 0 {
        let top = tables.zeroed::<Table>()?;
        top.fill(0, root.table.is_filled());
        top.raise(0, root.table.largest());
        top.set(0, root.table);
        root = Root { table: top, levels: root.levels + 1 };
        set_root(root.table, root.levels);
    }
    let mut table = root.table;
    for level in (1..root.levels).rev() {
        let i = number >> (8 * level);
        if table.child(i).is_none() {
            table.set(i, tables.zeroed::<Table>()?);
        }
        table = table.child(i)?;
    }
    table.set(number, tables.zeroed::<Row>()?);
    path(at)
}

impl Path {
    /// The row of `at`, which is likely this one.
    #[inline(always)]
    pub fn near(&self, at: u64) -> Option<Path> {
        if at >> ROW == self.number { Some(*self) } else { path(at) }
    }

    /// Which of the row's sheets `at` lies in.
    #[inline(always)]
    pub fn index(&self, at: u64) -> usize {
        (at >> SHEET) as usize % 16
    }

    /// That sheet.
    #[inline(always)]
    pub fn sheet(&self, at: u64) -> &'static Sheet {
        &self.row.sheets[self.index(at)]
    }

    /// Where sheet number `i` of the row begins.
    #[inline(always)]
    pub fn begin(&self, i: usize) -> u64 {
        self.number << ROW | (i as u64) << SHEET
    }

    /// Whether the sheet of `at` has starts.
    #[inline(always)]
    pub fn is_filled(&self, at: u64) -> bool {
        self.table.sheets(self.number) >> self.index(at) & 1 != 0
    }

    /// Notes that the sheet of `at` has starts now, or has none any more.
    #[inline(always)]
    pub fn fill(&self, at: u64, filled: bool) {
        if self.table.fill_sheet(self.number, self.index(at), filled) {
            self.fill_above(filled);
        }
    }

    #[cold]
    #[inline(never)]
    fn fill_above(&self, filled: bool) {
        let Some(root) = root() else { return };
        for level in 0..root.levels {
            let Some(table) = root.table(self.number, level) else { return };
            if !table.fill(self.number >> (8 * level), filled) {
                return;
            }
        }
    }
}
