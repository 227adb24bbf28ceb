//! The HOLEs by place: which is the first that is large enough, in one descent through lanes.
//!
//! Each 256 bytes of addresses have a list of the HOLEs that start there, in address order, and a bound on the size of
//! the largest of them; above that each sixteen have theirs, up to the whole space. Addresses have no gaps and are
//! not used twice, so this needs no balancing: places never move. A node's word is its HOLE's successor in the list.
//!
//! A bound is never too low. It is raised with the HOLE, and lowered only when a search finds it too high and corrects
//! it: so a HOLE that is taken, shrunk or joined costs nothing here, a search pays once for each that went before it,
//! and what it finds is exactly the first that fits. O(1), amortised.
//! Owned by the address space, under its lock. Needs no memory of its own: the sheets are there wherever a
//! segment or a HOLE starts.

use core::sync::atomic::Ordering::Relaxed;

use mems_chain::{Chain, NodeId, Segment, Unordered};

use crate::vspace::lane::{Lane, MOST};
use crate::vspace::space::NodeStore;
use crate::vspace::translate::{self, Directory, Path, ROOT_ENTRIES, Row, Sheet};

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

    /// A HOLE that starts in the 256 bytes of `at` is of size `size` now: no bound above it stays below that.
    #[inline]
    pub fn raised(&self, path: &Path, at: u64, size: u64) {
        let Path { directory, row, sheet, .. } = path;
        let size = lane_size(size);
        let _higher = sheet.max[nibble(at, 12)].raise(nibble(at, 8), size)
            && sheet.top.raise(nibble(at, 12), size)
            && row.max[nibble(at, 20)].raise(nibble(at, 16), size)
            && row.top.raise(nibble(at, 20), size)
            && directory.max[byte(at, 28)].raise(nibble(at, 24), size)
            && self.height > 0
            && directory.mid[nibble(at, 32)].raise(nibble(at, 28), size)
            && directory.top.raise(nibble(at, 32), size)
            && ROOT_MAX[byte(at, 40)].raise(nibble(at, 36), size)
            && ROOT_MID[nibble(at, 44)].raise(nibble(at, 40), size)
            && ROOT_TOP.raise(nibble(at, 44), size);
    }

    /// The first HOLE of at least `size` (not 0) and the tables above its start; `start` is that of the space. O(1),
    /// amortised, up to 2 GiB: a descent of five to ten lanes and one short list. A larger size looks through the
    /// regions that large.
    #[inline]
    pub fn first_fit(&self, chain: &Segments, start: u64, size: u64) -> Option<(NodeId, Segment, Path)> {
        if size >= MOST as u64 {
            return first_huge(chain, start, size);
        }
        let want = size as u32;
        loop {
            let (root, directory, lane) =
                if self.height == 0 { (0, translate::directory(0)?, 0) } else { self.lane_of_rows(want)? };
            let rows = &directory.max[lane];
            while let Some(i) = rows.first(want) {
                let number = lane * 16 + i;
                let row = translate::row(directory, number)?;
                if let Some((in_row, sheet, id, hole)) = in_row(chain, row, want) {
                    let number = ((root as u64) << 12 | number as u64) << 8 | in_row as u64;
                    return Some((id, hole, Path { number, directory, row, sheet }));
                }
                rows.set(i, row.top.largest());
            }
            if self.height == 0 {
                return None;
            }
            directory.mid[lane / 16].set(lane, rows.largest());
        }
    }

    /// The first lane of rows that may have a HOLE of at least `want`: its directory with that one's number, and its
    /// own.
    #[cold]
    fn lane_of_rows(&self, want: u32) -> Option<(usize, &'static Directory, usize)> {
        loop {
            let root = if self.height >= 3 { self.root(want)? } else { 0 };
            let directory = translate::directory(root)?;
            loop {
                let mid = if self.height >= 2 { directory.top.first(want) } else { Some(0) };
                let Some(mid) = mid else { break };
                if let Some(i) = directory.mid[mid].first(want) {
                    return Some((root, directory, mid * 16 + i));
                }
                if self.height == 1 {
                    return None;
                }
                directory.top.set(mid, directory.mid[mid].largest());
            }
            if self.height == 2 {
                return None;
            }
            ROOT_MAX[root / 16].set(root, directory.top.largest());
        }
    }

    /// The first directory that may have a HOLE of at least `want`.
    fn root(&self, want: u32) -> Option<usize> {
        loop {
            let top = if self.height == 5 { ROOT_TOP.first(want)? } else { 0 };
            loop {
                let mid = if self.height >= 4 { ROOT_MID[top].first(want) } else { Some(0) };
                let Some(mid) = mid else { break };
                let lane = top * 16 + mid;
                if let Some(i) = ROOT_MAX[lane].first(want) {
                    return Some(lane * 16 + i);
                }
                if self.height == 3 {
                    return None;
                }
                ROOT_MID[top].set(mid, ROOT_MAX[lane].largest());
            }
            if self.height == 4 {
                return None;
            }
            ROOT_TOP.set(top, ROOT_MID[top].largest());
        }
    }
}

/// The first HOLE of at least `want` that starts in `row`: the number of its sheet, that, its node and itself.
#[inline(always)]
fn in_row(chain: &Segments, row: &Row, want: u32) -> Option<(usize, &'static Sheet, NodeId, Segment)> {
    while let Some(lane) = row.top.first(want) {
        let sheets = &row.max[lane];
        while let Some(i) = sheets.first(want) {
            let number = lane * 16 + i;
            let sheet = translate::sheet(row, number)?;
            if let Some((id, hole)) = in_sheet(chain, sheet, want) {
                return Some((number, sheet, id, hole));
            }
            sheets.set(i, sheet.top.largest());
        }
        row.top.set(lane, sheets.largest());
    }
    None
}

/// The first HOLE of at least `want` that starts in `sheet`: its node and itself.
#[inline(always)]
fn in_sheet(chain: &Segments, sheet: &Sheet, want: u32) -> Option<(NodeId, Segment)> {
    while let Some(lane) = sheet.top.first(want) {
        let units = &sheet.max[lane];
        while let Some(i) = units.first(want) {
            let mut largest = 0;
            let mut n = NodeId::from_raw(sheet.holes[lane * 16 + i].load(Relaxed));
            while let Some(id) = n {
                let hole = chain.segment(id);
                if hole.size >= want as u64 {
                    return Some((id, hole));
                }
                largest = largest.max(hole.size);
                n = NodeId::from_raw(hole.tag as u32);
            }
            units.set(i, lane_size(largest));
        }
        sheet.top.set(lane, units.largest());
    }
    None
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

#[cold]
fn first_huge(chain: &Segments, start: u64, size: u64) -> Option<(NodeId, Segment, Path)> {
    let (id, segment) = chain
        .regions()
        .filter(|region| region.size >= size)
        .flat_map(|region| chain.segments(region.id))
        .find(|(_, segment)| !segment.process && segment.size >= size)?;
    Some((id, segment, translate::path(segment.start - start)?))
}

/// A HOLE of size `old` that starts in the 256 bytes of `at` has just been taken or cut. The next search comes by here
/// most likely, so the two lowest bounds are corrected at once.
#[inline]
pub fn cut(chain: &Segments, path: &Path, at: u64, old: u64) {
    let sheet = path.sheet;
    let units = &sheet.max[nibble(at, 12)];
    let old = lane_size(old);
    if units.get(nibble(at, 8)) != old {
        return;
    }
    let mut largest = 0;
    let mut n = NodeId::from_raw(sheet.holes[byte(at, 8)].load(Relaxed));
    while let Some(id) = n {
        let hole = chain.segment(id);
        largest = largest.max(hole.size);
        n = NodeId::from_raw(hole.tag as u32);
    }
    units.set(nibble(at, 8), lane_size(largest));
    if sheet.top.get(nibble(at, 12)) == old {
        sheet.top.set(nibble(at, 12), units.largest());
    }
}

/// Whether the HOLE `id` is in the list of its place, and no bound up to its row's is below it.
pub fn lists(chain: &Segments, path: &Path, id: NodeId, at: u64, size: u64) -> bool {
    let Path { directory, row, sheet, .. } = path;
    let bounds = [
        sheet.max[nibble(at, 12)].get(nibble(at, 8)),
        sheet.top.get(nibble(at, 12)),
        row.max[nibble(at, 20)].get(nibble(at, 16)),
        row.top.get(nibble(at, 20)),
        directory.max[byte(at, 28)].get(nibble(at, 24)),
    ];
    let mut n = NodeId::from_raw(sheet.holes[byte(at, 8)].load(Relaxed));
    while let Some(hole) = n {
        if hole == id {
            return bounds.iter().all(|bound| *bound >= lane_size(size));
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
