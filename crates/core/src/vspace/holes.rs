//! The HOLEs by place: which is the first that is large enough, in one descent through lanes.
//!
//! Each unit has a bound on the size of the largest HOLE that starts in it; above that each sheet, each row and so on have
//! theirs, sixteen in a lane, up to the whole space. A bound is never too low. It is raised with the HOLE, and lowered
//! only when a search finds it too high and corrects it: so a HOLE that is taken, shrunk or joined costs nothing here, a
//! search pays once for each that went before it, and what it finds is exactly the first that fits. O(1), amortised.
//! Needs no memory of its own: tables are there wherever a segment or a HOLE starts. Used under the lock.

use crate::vspace::lane::{MOST, Short};
use crate::vspace::sheet::{self, Sheet};
use crate::vspace::table::Table;
use crate::vspace::tree::{self, Path};

/// A HOLE.
pub struct Hole {
    /// Counted from the start of the space.
    pub at: u64,
    /// Bytes.
    pub size: u64,
    /// The row of its start.
    pub path: Path,
}

/// A size as lanes know it.
#[inline(always)]
fn lane_size(size: u64) -> u32 {
    size.min(MOST as u64) as u32
}

/// The number of the unit of `at` in its sheet.
#[inline(always)]
fn unit(at: u64) -> usize {
    (tree::place(at) / sheet::UNIT) as usize
}

/// A HOLE that starts at `at` is of size `size` now: no bound above it stays below that.
#[inline(always)]
pub fn raised(path: &Path, at: u64, size: u64) {
    let size = lane_size(size);
    let higher = match path.sheet(at).block() {
        Some(block) if block.bounds.get(unit(at)) < size => {
            block.bounds.set(unit(at), size);
            true
        }
        block => block.is_none(),
    };
    if higher && path.row.lane.raise(path.index(at), size) && path.table.raise(path.number, size) {
        raise_above(path.number, size);
    }
}

#[cold]
#[inline(never)]
fn raise_above(row: u64, size: u32) {
    let Some(root) = tree::root() else { return };
    for level in 1..root.levels {
        let raised = root.table(row, level).is_some_and(|table| table.raise(row >> (8 * level), size));
        if !raised {
            return;
        }
    }
}

/// The first HOLE of at least `size` (not 0). O(1), amortised, up to 2 GiB: a descent of five to ten lanes. A larger
/// size looks at every sheet that has starts.
#[inline]
pub fn first_fit(size: u64) -> Option<Hole> {
    if size >= MOST as u64 {
        return first_huge(size);
    }
    let want = size as u32;
    let root = tree::root()?;
    'top: loop {
        let mut table = root.table;
        let mut number = 0;
        // The entry that led to `table`.
        let mut above: Option<(&Table, u64)> = None;
        for level in (0..root.levels).rev() {
            let Some(i) = table.first(want) else {
                let (from, i) = above?;
                from.lower(i, table.largest());
                continue 'top;
            };
            number = number << 8 | i;
            if level != 0 {
                above = Some((table, i));
                table = table.child(i)?;
            }
        }
        let path = tree::path_of(table, number)?;
        while let Some(i) = path.row.lane.first(want) {
            match in_sheet(&path, i, want) {
                Ok((at, size)) => return Some(Hole { at, size, path }),
                Err(largest) => path.row.lane.set(i, largest),
            }
        }
        table.lower(number, path.row.lane.largest());
    }
}

/// The first HOLE of at least `want` that starts in sheet `i` of the row, its start and size; or the largest size there.
#[inline(always)]
fn in_sheet(path: &Path, i: usize, want: u32) -> Result<(u64, u64), u32> {
    let (begin, sheet) = (path.begin(i), &path.row.sheets[i % 16]);
    let Some(block) = sheet.block() else { return scan(path, sheet, begin, want) };
    let mut units = block.bounds.at_least(want);
    let mut largest = 0;
    while units != 0 {
        let unit = units.trailing_zeros();
        match scan(path, sheet, begin + (unit * sheet::UNIT) as u64, want) {
            Ok(found) => return Ok(found),
            Err(size) => {
                block.bounds.set(unit as usize, size);
                largest = largest.max(size);
            }
        }
        units &= units - 1;
    }
    Err(largest.max(block.bounds.largest()))
}

/// As `in_sheet`, in the unit of `from` where the sheet has a block.
#[inline(always)]
fn scan(path: &Path, sheet: &Sheet, from: u64, want: u32) -> Result<(u64, u64), u32> {
    let (base, place) = (tree::base(from), tree::place(from));
    if let Some((hole, size)) = sheet.fit(place, want) {
        return Ok((base | hole as u64, size as u64));
    }
    let last = sheet.last_hole(place).map_or((0, 0), |hole| {
        let at = base | hole as u64;
        (at, tree::next(path, at) - at)
    });
    if last.1 >= want as u64 { Ok(last) } else { Err(sheet.largest(place).max(last.1 as u32)) }
}

/// The HOLE at `at`, of size `old`, has just been taken or cut. The next search comes by here most likely, so the lowest
/// bounds are corrected at once.
#[inline(always)]
pub fn cut(path: &Path, at: u64, old: u64) {
    let (sheet, old) = (path.sheet(at), lane_size(old));
    let Some(block) = sheet.block() else { return };
    if block.bounds.get(unit(at)) != old {
        return;
    }
    // MOST is too much for any HOLE but the last one: what is returned is the largest.
    let Err(largest) = scan(path, sheet, at, MOST) else { return };
    block.bounds.set(unit(at), largest);
    if path.row.lane.get(path.index(at)) == old {
        path.row.lane.set(path.index(at), block.bounds.largest());
    }
}

/// The first HOLE of at least `size`, which lanes do not tell from smaller ones. So large a one reaches out of the
/// sheet that it starts in, so it is the last start there.
#[cold]
#[inline(never)]
fn first_huge(size: u64) -> Option<Hole> {
    let mut at = 0;
    loop {
        let path = tree::path(at)?;
        let (start, process, _) = tree::last(tree::base(at) + (sheet::BYTES - 1) as u64)?;
        let room = tree::next(&path, start) - start;
        if !process && room >= size {
            return Some(Hole { at: start, size: room, path });
        }
        at = tree::next_filled(at)?;
    }
}

/// Whether no bound above the HOLE at `at` is below its size.
pub fn bounds_hold(path: &Path, at: u64, size: u64) -> bool {
    let size = lane_size(size);
    let in_unit =
        path.sheet(at).block().is_none_or(|block| block.bounds.get(unit(at)) >= size.min(Short::MOST));
    let above = tree::root().is_some_and(|root| {
        (0..root.levels).all(|level| {
            root.table(path.number, level)
                .is_some_and(|table| table.bound(path.number >> (8 * level)) >= size)
        })
    });
    in_unit && path.row.lane.get(path.index(at)) >= size && above
}
