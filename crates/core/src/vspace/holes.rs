//! The HOLEs by place: which is the first that is large enough, in one descent through lanes.
//!
//! Each 256 bytes of addresses have a list of the HOLEs that start there, in address order, and the size of the
//! largest of them; above that each sixteen have theirs, up to the whole space. Addresses have no gaps and are
//! not used twice, so this needs no balancing: places never move. A node's word is its HOLE's successor in the list.
//! Owned by the address space, under its lock. Needs no memory of its own: the sheets are there wherever a
//! segment or a HOLE starts.

use core::sync::atomic::Ordering::Relaxed;

use mems_chain::{Chain, NodeId, Segment, Unordered};

use crate::vspace::lane::{Lane, MOST};
use crate::vspace::space::NodeStore;
use crate::vspace::translate::{self, Directory, Path, ROOT_ENTRIES};

/// The chain of the address space; it finds places here.
pub type Segments = Chain<NodeStore, Unordered>;

static ROOT_MAX: [Lane; ROOT_ENTRIES / 16] = [const { Lane::new() }; ROOT_ENTRIES / 16];
static ROOT_MID: [Lane; ROOT_ENTRIES / 256] = [const { Lane::new() }; ROOT_ENTRIES / 256];
static ROOT_TOP: Lane = Lane::new();

/// A size as lanes know it.
#[inline(always)]
fn lane_size(size: u64) -> u32 {
    size.min(MOST as u64) as u32
}

/// Nibble `n` of an address: which of sixteen.
#[inline(always)]
fn nibble(at: u64, shift: u32) -> usize {
    (at >> shift & 15) as usize
}

/// Byte-wide part of an address: which of 256 lanes.
#[inline(always)]
fn byte(at: u64, shift: u32) -> usize {
    (at >> shift & 255) as usize
}

/// How many lanes, from the rows of the first directory up, the space reaches into: those above are not kept.
/// Height h serves addresses below 2^(28 + 4h), counted from the start.
pub struct Holes {
    height: u32,
}

impl Holes {
    /// No HOLEs.
    pub const fn new() -> Self {
        Holes { height: 0 }
    }

    /// The space will have addresses up to `end`: brings lanes into use. After the tables for `end` were made, and
    /// before a HOLE there is added.
    pub fn reach(&mut self, end: u64) {
        while self.height < 5 && end > 1 << (28 + 4 * self.height) {
            let Some(first) = translate::directory(0) else { return };
            match self.height {
                0 => first.mid[0].set(0, first.max[0].largest()),
                1 => first.top.set(0, first.mid[0].largest()),
                2 => ROOT_MAX[0].set(0, first.top.largest()),
                3 => ROOT_MID[0].set(0, ROOT_MAX[0].largest()),
                _ => ROOT_TOP.set(0, ROOT_MID[0].largest()),
            }
            self.height += 1;
        }
    }

    /// A HOLE that starts in the 256 bytes of `at` is of size `new` now.
    #[inline]
    pub fn raised(&self, path: &Path, at: u64, new: u64) {
        if lane_size(new) > path.sheet.max[nibble(at, 12)].get(nibble(at, 8)) {
            self.set(path, at, lane_size(new));
        }
    }

    /// A HOLE that starts in the 256 bytes of `at` was of size `old` and is smaller now, or gone.
    #[inline]
    pub fn lowered(&self, chain: &Segments, path: &Path, at: u64, old: u64) {
        if lane_size(old) < path.sheet.max[nibble(at, 12)].get(nibble(at, 8)) {
            return;
        }
        let mut largest = 0;
        let mut n = NodeId::from_raw(path.sheet.holes[byte(at, 8)].load(Relaxed));
        while let Some(id) = n {
            let hole = chain.segment(id);
            largest = largest.max(hole.size);
            n = NodeId::from_raw(hole.tag as u32);
        }
        self.set(path, at, lane_size(largest));
    }

    /// Sets the largest HOLE of the 256 bytes of `at`, and what follows from it upwards.
    fn set(&self, path: &Path, at: u64, new: u32) {
        if let Some((change, rows)) = set_row(path, at, new)
            && self.height > 0
        {
            self.set_above(path, at, change, rows);
        }
    }

    /// Carries a change of a lane of rows further up, as far as lanes are in use.
    #[cold]
    fn set_above(&self, path: &Path, at: u64, c: Change, rows: &Lane) -> Option<()> {
        let directory = path.directory;
        let mid = &directory.mid[nibble(at, 32)];
        let c = carry(rows, c, mid, nibble(at, 28))?;
        if self.height == 1 {
            return None;
        }
        let c = carry(mid, c, &directory.top, nibble(at, 32))?;
        if self.height == 2 {
            return None;
        }
        let directories = &ROOT_MAX[byte(at, 40)];
        let c = carry(&directory.top, c, directories, nibble(at, 36))?;
        if self.height == 3 {
            return None;
        }
        let mid = &ROOT_MID[nibble(at, 44)];
        let c = carry(directories, c, mid, nibble(at, 40))?;
        if self.height == 4 {
            return None;
        }
        carry(mid, c, &ROOT_TOP, nibble(at, 44))?;
        None
    }

    /// The first HOLE of at least `size` (not 0) and the tables above its start; `start` is that of the space. O(1) up
    /// to 2 GiB: a descent of five to ten lanes and one short list. A larger size looks through the regions that
    /// large.
    #[inline]
    pub fn first_fit(&self, chain: &Segments, start: u64, size: u64) -> Option<(NodeId, Segment, Path)> {
        if size >= MOST as u64 {
            return first_huge(chain, start, size);
        }
        let want = size as u32;
        let (root, directory, number) =
            if self.height == 0 { (0, translate::directory(0)?, 0) } else { self.lane_of_rows(want)? };
        let in_root = number * 16 + directory.max[number].first(want)?;
        let row = translate::row(directory, in_root)?;
        let number = row.top.first(want)?;
        let in_row = number * 16 + row.max[number].first(want)?;
        let sheet = translate::sheet(row, in_row)?;
        let number = sheet.top.first(want)?;
        let in_sheet = number * 16 + sheet.max[number].first(want)?;
        let path = Path {
            number: ((root as u64) << 12 | in_root as u64) << 8 | in_row as u64,
            directory,
            row,
            sheet,
        };
        let mut n = NodeId::from_raw(sheet.holes[in_sheet].load(Relaxed));
        while let Some(id) = n {
            let hole = chain.segment(id);
            if hole.size >= size {
                return Some((id, hole, path));
            }
            n = NodeId::from_raw(hole.tag as u32);
        }
        None
    }

    /// The first lane of rows with a HOLE of at least `want`: its directory with that one's number, and its own.
    #[cold]
    fn lane_of_rows(&self, want: u32) -> Option<(usize, &'static Directory, usize)> {
        let mut number = 0;
        if self.height == 5 {
            number = ROOT_TOP.first(want)?;
        }
        if self.height >= 4 {
            number = number * 16 + ROOT_MID[number].first(want)?;
        }
        if self.height >= 3 {
            number = number * 16 + ROOT_MAX[number].first(want)?;
        }
        let (root, directory) = (number, translate::directory(number)?);
        let mut number = 0;
        if self.height >= 2 {
            number = directory.top.first(want)?;
        }
        Some((root, directory, number * 16 + directory.mid[number].first(want)?))
    }
}

/// Puts the HOLE `id`, which starts at `at` (counted from the start of the space) under `path`, into its list.
#[inline]
pub fn list(chain: &mut Segments, path: &Path, id: NodeId, at: u64) {
    let head = &path.sheet.holes[byte(at, 8)];
    // The one before it in the list, if any.
    let mut before = None;
    let mut next = NodeId::from_raw(head.load(Relaxed));
    if next.is_some() {
        let start = chain.segment(id).start;
        while let Some(n) = next {
            let hole = chain.segment(n);
            if hole.start > start {
                break;
            }
            before = next;
            next = NodeId::from_raw(hole.tag as u32);
        }
    }
    chain.set_tag(id, next.map_or(0, |n| n.raw() as u64));
    match before {
        None => head.store(id.raw(), Relaxed),
        Some(before) => chain.set_tag(before, id.raw() as u64),
    }
}

/// Takes the HOLE `id`, which starts at `at` and has the word `next`, out of its list.
#[inline]
pub fn unlist(chain: &mut Segments, path: &Path, id: NodeId, at: u64, next: u64) {
    let head = &path.sheet.holes[byte(at, 8)];
    let mut n = NodeId::from_raw(head.load(Relaxed));
    if n == Some(id) {
        head.store(next as u32, Relaxed);
        return;
    }
    while let Some(before) = n {
        let tag = chain.segment(before).tag;
        n = NodeId::from_raw(tag as u32);
        if n == Some(id) {
            chain.set_tag(before, next);
            return;
        }
    }
}

/// A changed size in a lane.
#[derive(Clone, Copy)]
struct Change {
    old: u32,
    new: u32,
}

/// Carries a change in `below` to entry `i` of the lane above it; None when that makes no difference there.
#[inline(always)]
fn carry(below: &Lane, change: Change, above: &Lane, i: usize) -> Option<Change> {
    let old = above.get(i);
    let new = if change.new >= old {
        change.new
    } else if change.old == old {
        below.largest()
    } else {
        return None;
    };
    if new == old {
        return None;
    }
    above.set(i, new);
    Some(Change { old, new })
}

/// Sets the largest HOLE of the 256 bytes of `at`, up to the lane of its row; that lane, if it changed.
#[inline]
fn set_row(path: &Path, at: u64, new: u32) -> Option<(Change, &'static Lane)> {
    let Path { directory, row, sheet, .. } = *path;
    let units = &sheet.max[nibble(at, 12)];
    let old = units.get(nibble(at, 8));
    units.set(nibble(at, 8), new);
    let c = carry(units, Change { old, new }, &sheet.top, nibble(at, 12))?;
    let sheets = &row.max[nibble(at, 20)];
    let c = carry(&sheet.top, c, sheets, nibble(at, 16))?;
    let c = carry(sheets, c, &row.top, nibble(at, 20))?;
    let rows = &directory.max[byte(at, 28)];
    Some((carry(&row.top, c, rows, nibble(at, 24))?, rows))
}

#[cold]
fn first_huge(chain: &Segments, start: u64, size: u64) -> Option<(NodeId, Segment, Path)> {
    let (id, segment) = chain
        .regions()
        .filter(|region| region.size >= size)
        .flat_map(|region| chain.segments(region.id))
        .find(|(_, segment)| !segment.process && segment.size >= size)?;
    Some((id, segment, translate::path(segment.start - start)?))
}

/// Whether the HOLE `id` is in the list of its place.
pub fn lists(chain: &Segments, path: &Path, id: NodeId, at: u64) -> bool {
    let mut n = NodeId::from_raw(path.sheet.holes[byte(at, 8)].load(Relaxed));
    while let Some(hole) = n {
        if hole == id {
            return true;
        }
        n = NodeId::from_raw(chain.segment(hole).tag as u32);
    }
    false
}

/// Forgets all HOLEs; `roots` entries of the top were in use.
pub fn clear(roots: usize) {
    let lanes = roots.div_ceil(16);
    for lane in ROOT_MAX.iter().take(lanes).chain(ROOT_MID.iter().take(lanes.div_ceil(16))).chain([&ROOT_TOP])
    {
        for i in 0..16 {
            lane.set(i, 0);
        }
    }
}
