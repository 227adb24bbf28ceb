//! The address space itself: segments and HOLEs in a tree of their starts, and the memory behind them.
//!
//! One object, owned by the lock in `vspace`. Its regions are laid without gap from the start address: the main chain in
//! address order, each with its sub-chain, whose links are the places themselves. An operation that fails has
//! changed nothing; mems_free never needs memory and never fails for want of it. Inside, addresses and sizes are those
//! of `tree`: counted from the start and scaled.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{Relaxed, Release};

use crate::os;
use crate::vspace::holes::{self, Hole};
use crate::vspace::lane::soon;
use crate::vspace::mapped;
use crate::vspace::reader;
use crate::vspace::tables::Tables;
use crate::vspace::tree::{self, END, Path, place};

/// How often mems_finish yields to readers that are still inside mems_get.
const PATIENCE: u32 = 100_000;

/// Why an address cannot be freed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// It lies inside the live segment that starts at `.0` and ends with `.1`.
    Inner(u64, u64),
    /// It lies in a HOLE.
    Hole,
    /// No region holds it.
    Unknown,
}

/// What there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Nodes of the main chain.
    pub regions: u64,
    /// PROCESS segments.
    pub process: u64,
    /// HOLEs.
    pub holes: u64,
    /// Bytes in HOLEs.
    pub hole_bytes: u64,
    /// Bytes in all regions.
    pub bytes: u64,
}

impl Counters {
    const NONE: Counters = Counters { regions: 0, process: 0, holes: 0, hole_bytes: 0, bytes: 0 };
}

/// A segment or a HOLE.
pub struct Segment {
    /// A MeMS virtual address.
    pub start: u64,
    /// Bytes.
    pub size: u64,
    pub process: bool,
    /// Whether a region begins with it.
    pub first: bool,
}

/// The mems_* address space.
pub struct Space {
    tables: Tables,
    counters: Counters,
    /// The first MeMS virtual address.
    start: u64,
    /// The API's page size in bytes; 0: not initialised.
    page: u64,
    /// `tree::SCALE`.
    scale: u32,
}

impl Space {
    /// Not initialised.
    pub const fn new() -> Self {
        Space { tables: Tables::new(), counters: Counters::NONE, start: 0, page: 0, scale: 0 }
    }

    /// Whether it is initialised.
    pub fn is_open(&self) -> bool {
        self.page != 0
    }

    /// Initialises it: pages of `page` bytes, addresses from `start`. Only when it is not.
    pub fn open(&mut self, page: u64, start: u64) {
        self.page = page;
        self.start = start;
        tree::open(start, page);
        self.scale = tree::SCALE.load(Relaxed);
    }

    /// The first address, and the page size.
    pub fn settings(&self) -> (u64, u64) {
        (self.start, self.page)
    }

    /// What there is.
    #[inline(always)]
    pub fn counters(&self) -> Counters {
        let Counters { hole_bytes, bytes, .. } = self.counters;
        Counters { hole_bytes: hole_bytes >> self.scale, bytes: bytes >> self.scale, ..self.counters }
    }

    /// One past the last MeMS virtual address.
    pub fn end(&self) -> u64 {
        self.outside(self.inner_end())
    }

    /// One past the last address inside.
    #[inline(always)]
    fn inner_end(&self) -> u64 {
        END.load(Relaxed)
    }

    /// The MeMS virtual address of an address inside.
    #[inline(always)]
    fn outside(&self, at: u64) -> u64 {
        self.start + (at >> self.scale)
    }

    /// The address inside of a MeMS virtual address; None: in no region.
    #[inline(always)]
    fn inside(&self, address: u64) -> Option<u64> {
        let from_start = address.wrapping_sub(self.start);
        let known = from_start < self.inner_end() >> self.scale;
        known.then_some(from_start << self.scale)
    }

    /// A segment of exactly `size` bytes (not 0): first fit, else a new region. None: no memory. O(1), and one mmap
    /// where no HOLE is large enough.
    #[inline]
    pub fn take(&mut self, size: u64) -> Option<u64> {
        let size = size << self.scale;
        let Some(Hole { at, size: room, path }) = holes::first_fit(size) else {
            return self.take_in_new_region(size);
        };
        let (sheet, to) = (path.sheet(at), at + size);
        if room == size {
            sheet.set(place(at), true);
            self.counters.holes -= 1;
            self.counters.hole_bytes -= size;
        } else if tree::base(to) == tree::base(at) {
            self.ready(Some(&path), to)?;
            sheet.split(place(at), place(to));
            holes::raised(&path, to, room - size);
            self.counters.hole_bytes -= size;
        } else {
            let rest = self.ready(Some(&path), to)?;
            sheet.set(place(at), true);
            self.add_hole(&rest, to, room - size, sheet.distance());
            self.counters.holes -= 1;
            self.counters.hole_bytes -= room;
        }
        self.counters.process += 1;
        holes::cut(&path, at, room);
        Some(self.outside(at))
    }

    #[cold]
    #[inline(never)]
    fn take_in_new_region(&mut self, size: u64) -> Option<u64> {
        let len = size.checked_next_multiple_of(self.page << self.scale)?;
        let at = self.inner_end();
        let end = at.checked_add(len)?;
        self.start.checked_add(end >> self.scale)?;
        let path = self.ready(None, at)?;
        let rest = if len > size { Some(self.ready(Some(&path), at + size)?) } else { None };
        let memory = mapped::region(os::round_to_pages((len >> self.scale) as usize)?)?;
        let distance = (memory.as_ptr().expose_provenance() as u64).wrapping_sub(at >> self.scale);
        END.store(end, Release);
        path.sheet(at).set_distance(distance, true);
        path.sheet(at).add(place(at), true);
        path.fill(at, true);
        if let Some(rest) = rest {
            self.add_hole(&rest, at + size, len - size, distance);
        }
        self.counters.regions += 1;
        self.counters.process += 1;
        self.counters.bytes += len;
        Some(self.outside(at))
    }

    /// Makes sure that a start at `at` finds room; `path` is likely near. None: no memory, and nothing that counts has
    /// changed.
    #[inline(always)]
    fn ready(&mut self, path: Option<&Path>, at: u64) -> Option<Path> {
        let path = match path.and_then(|path| path.near(at)) {
            Some(path) => path,
            None => tree::make(&mut self.tables, at)?,
        };
        path.sheet(at).ready(place(at), path.row.lane.get(path.index(at)), &mut self.tables)?;
        Some(path)
    }

    /// A HOLE of `size` bytes starts at `at`, for which there is room. Its bytes and itself are counted.
    #[inline(always)]
    fn add_hole(&mut self, path: &Path, at: u64, size: u64, distance: u64) {
        let sheet = path.sheet(at);
        if !path.is_filled(at) {
            sheet.set_distance(distance, false);
            path.fill(at, true);
        }
        sheet.add(place(at), false);
        holes::raised(path, at, size);
        self.counters.holes += 1;
        self.counters.hole_bytes += size;
    }

    /// Frees the segment that starts at `address`. O(1).
    #[inline]
    pub fn put(&mut self, address: u64) -> Result<(), Wrong> {
        let from = self.inside(address).ok_or(Wrong::Unknown)?;
        let path = tree::path(from).ok_or_else(|| self.wrong(address))?;
        let sheet = path.sheet(from);
        soon(&path.row.lane);
        sheet.soon(place(from));
        if sheet.at(place(from)) != Some(true) {
            return Err(self.wrong(address));
        }
        let to = tree::next(&path, from);
        // The HOLEs at both sides, within the region.
        let low = tree::last_near(&path, from).filter(|low| !low.1).map(|low| low.0);
        let high = path.near(to).filter(|path| is_hole(path, to) && to < self.inner_end());
        let mut size = to - from;
        self.counters.process -= 1;
        self.counters.holes += 1;
        self.counters.hole_bytes += size;
        if let Some(high) = high {
            size += tree::next(&high, to) - to;
            self.remove(&high, to);
        }
        if let Some(low) = low {
            size += from - low;
            self.remove(&path, from);
            if let Some(path) = path.near(low) {
                holes::raised(&path, low, size);
            }
        } else {
            sheet.set(place(from), false);
            holes::raised(&path, from, size);
        }
        Ok(())
    }

    /// A HOLE begins at `at` no more: it is part of the one before.
    #[inline(always)]
    fn remove(&mut self, path: &Path, at: u64) {
        if path.sheet(at).remove(place(at), &mut self.tables) {
            path.fill(at, false);
        }
        self.counters.holes -= 1;
    }

    /// What is wrong with an address where no segment starts.
    #[cold]
    #[inline(never)]
    fn wrong(&self, address: u64) -> Wrong {
        match self.segment(address) {
            None => Wrong::Unknown,
            Some(s) if s.process => Wrong::Inner(s.start, s.start + (s.size - 1)),
            Some(_) => Wrong::Hole,
        }
    }

    /// The segment or HOLE that holds `address`. O(1).
    #[inline(never)]
    pub fn segment(&self, address: u64) -> Option<Segment> {
        let (at, process, _) = tree::last(self.inside(address)?)?;
        let path = tree::path(at)?;
        let size = (tree::next(&path, at) - at) >> self.scale;
        Some(Segment { start: self.outside(at), size, process, first: begins_region(&path, at) })
    }

    /// The MeMS virtual address behind the region that `address` lies in.
    pub fn region_end(&self, address: u64) -> u64 {
        self.inside(address).map_or(address, |at| self.outside(tree::next_region(at)))
    }

    /// Whether segments, HOLEs, bounds and counters hold together. O(n).
    pub fn audit(&self) -> bool {
        let mut seen = Counters::NONE;
        let mut at = 0;
        let mut after_hole = false;
        while at < self.inner_end() {
            let (Some((start, process, _)), Some(path)) = (tree::last(at), tree::path(at)) else {
                return false;
            };
            let (size, first) = (tree::next(&path, at) - at, begins_region(&path, at));
            let joined = process || first || !after_hole;
            let bounded = process || holes::bounds_hold(&path, at, size);
            if start != at || !joined || !bounded || !path.is_filled(at) {
                return false;
            }
            seen.regions += u64::from(first);
            seen.process += u64::from(process);
            seen.holes += u64::from(!process);
            seen.hole_bytes += if process { 0 } else { size };
            seen.bytes += size;
            after_hole = !process;
            at += size;
        }
        seen == self.counters
    }

    /// Unmaps everything and is not initialised then. Returns the bytes that the kernel refused to unmap this time,
    /// or that had to be left because a thread did not come out of mems_get; 0 as a rule.
    pub fn finish(&mut self) -> u64 {
        if !self.is_open() {
            return 0;
        }
        // First, while the tree still says where the regions are.
        while self.unmap_regions() {}
        tree::detach();
        if reader::readers_are_gone(PATIENCE) {
            // SAFETY: detached above, and no reader is left.
            unsafe { self.tables.release() };
        }
        *self = Space::new();
        mapped::left()
    }

    /// Unmaps all regions that are still mapped, neighbours in memory in one call, which keeps the kernel's own list
    /// short. True when some were refused but some were not: the room those left may let the others go.
    fn unmap_regions(&mut self) -> bool {
        let (mut some, mut refused) = (false, false);
        let mut at = 0;
        while at < self.inner_end() {
            let Some((low, len, next)) = self.run(at) else {
                at = tree::next_region(at);
                continue;
            };
            let mut done = false;
            if let Some(low) = NonNull::new(ptr::with_exposed_provenance_mut(low)) {
                // SAFETY: the run is whole mappings of regions of ours, which mems_finish gives up.
                done = unsafe { mapped::release_region(low, len) };
            }
            some |= done;
            refused |= !done;
            while at < next {
                if done && let Some(path) = tree::path(at) {
                    path.sheet(at).set_gone();
                }
                at = tree::next_region(at);
            }
        }
        some && refused
    }

    /// The longest run of regions from the one that begins at `first` on that are neighbours in memory, in either
    /// direction: its lowest address, its length, and where the region behind it begins. None when the first is
    /// unmapped already.
    fn run(&self, first: u64) -> Option<(usize, usize, u64)> {
        let (mut low, mut len, mut at) = self.mapping(first)?;
        while at < self.inner_end() {
            let Some((next, more, behind)) = self.mapping(at) else { break };
            if next + more == low {
                low = next;
            } else if next != low + len {
                break;
            }
            len += more;
            at = behind;
        }
        Some((low, len, at))
    }

    /// Physical address and kernel bytes of the region that begins at `at`, and where the next one does; None when
    /// it is unmapped.
    fn mapping(&self, at: u64) -> Option<(usize, usize, u64)> {
        let path = tree::path(at)?;
        let sheet = path.sheet(at);
        if sheet.is_gone() {
            return None;
        }
        let next = tree::next_region(at);
        let physical = (at >> self.scale).wrapping_add(sheet.distance());
        Some((physical as usize, os::round_to_pages(((next - at) >> self.scale) as usize)?, next))
    }
}

/// Whether a region begins at `at`, where a segment or a HOLE starts.
#[inline(always)]
fn begins_region(path: &Path, at: u64) -> bool {
    place(at) == 0 && path.sheet(at).is_first()
}

/// Whether a HOLE starts at `at` that is not the first of its region.
#[inline(always)]
fn is_hole(path: &Path, at: u64) -> bool {
    path.sheet(at).at(place(at)) == Some(false) && !begins_region(path, at)
}
