//! The address space itself: a chain in bytes, the memory behind it, and what finds segments and bytes fast.
//!
//! One object, owned by the lock in `vspace`. Its regions are laid without gap from the start address. An
//! operation that fails has changed nothing; mems_free never needs memory and never fails for want of it.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::Relaxed;

use mems_chain::{BareLinks, Chain, NodeId, Nodes, Segment, Unordered};

use crate::os;
use crate::vspace::holes::{self, Holes, Segments};
use crate::vspace::index::Index;
use crate::vspace::mapped;
use crate::vspace::mark::Marker;
use crate::vspace::steps::{Cursor, Steps};
use crate::vspace::translate::{self, KIB_SHIFT, Path, ROW_SHIFT, START, UNIT_SHIFT};

/// 32 bytes: the order of the segments is in the page table, not in the nodes.
type Node = mems_chain::Node<BareLinks>;

static NODES: Steps<Node> = Steps::new();

/// How often mems_finish yields to readers that are still inside mems_get.
const PATIENCE: u32 = 100_000;

/// A region's distance once its memory is unmapped; others are multiples of 1024.
const GONE: u64 = 1;

/// The chain's nodes, kept in [`NODES`].
pub struct NodeStore(Cursor);

impl Nodes<BareLinks> for NodeStore {
    #[inline(always)]
    fn node(&self, id: NodeId) -> &Node {
        // SAFETY: the chain names only nodes that `grow` gave, which stay mapped until the store is released; whoever
        // has the store, has the nodes.
        unsafe { &*NODES.at(id.index()) }
    }

    #[inline(always)]
    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        // SAFETY: as in `node`, and the store is borrowed mutably.
        unsafe { &mut *NODES.at(id.index()) }
    }

    fn grow(&mut self) -> Option<NodeId> {
        NodeId::new(self.0.next(&NODES)?)
    }

    #[inline(always)]
    fn soon(&self, id: NodeId) {
        soon(NODES.at(id.index()));
    }
}

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

/// The mems_* address space.
pub struct Space {
    chain: Segments,
    holes: Holes,
    index: Index,
    marker: Marker,
    /// The first MeMS virtual address.
    start: u64,
    /// The API's page size in bytes; 0: not initialised.
    page: u64,
}

impl Space {
    /// Not initialised.
    pub const fn new() -> Self {
        Space {
            chain: Chain::with_order(NodeStore(Cursor::new()), Unordered),
            holes: Holes::new(),
            index: Index::new(),
            marker: Marker::new(),
            start: 0,
            page: 0,
        }
    }

    /// Whether it is initialised.
    pub fn is_open(&self) -> bool {
        self.page != 0
    }

    /// Initialises it: pages of `page` bytes, addresses from `start`. Only when it is not.
    pub fn open(&mut self, page: u64, start: u64) {
        self.page = page;
        self.start = start;
        self.chain.set_start(start);
        START.store(start, Relaxed);
    }

    /// The first address, and the page size.
    pub fn settings(&self) -> (u64, u64) {
        (self.start, self.page)
    }

    /// The chain, to be walked.
    pub fn chain(&self) -> &Segments {
        &self.chain
    }

    /// A segment of exactly `size` bytes (not 0): first fit, else a new region. None: no memory. O(1), and one mmap
    /// where no HOLE is large enough.
    #[inline]
    pub fn take(&mut self, size: u64) -> Option<u64> {
        let Some((hole, segment, path)) = self.holes.first_fit(&self.chain, self.start, size) else {
            return self.take_in_new_region(size);
        };
        let Segment { start, size: room, region, .. } = segment;
        let from = start - self.start;
        let to = from + size;
        self.index.soon(from);
        let near = (from ^ to) >> ROW_SHIFT == 0 && self.marker.ready();
        if !near && !self.marker.prepare(from, to, room > size) {
            return None;
        }
        self.chain.reserve(1).ok()?;
        // The HOLE's node goes on, in another list, unless its start stays within the 256 bytes.
        let stays = room > size && (from ^ to) >> UNIT_SHIFT == 0;
        if !stays {
            holes::unlist(&mut self.chain, &path, hole, from, segment.tag);
        }
        let id = self.chain.take_at(hole, size).ok()?;
        self.index.insert(from, id);
        let distance = path.sheet.distance(from);
        if near {
            self.marker.mark_sheet(path.sheet, from, to, distance, region.raw());
        } else {
            self.marker.mark(from, to, distance, region.raw());
        }
        if !stays {
            self.rest(&path, hole, to, room - size, distance, region);
        } else if to >> KIB_SHIFT != (to - 1) >> KIB_SHIFT {
            path.sheet.note(to, distance, region.raw());
        }
        holes::cut(&self.chain, &path, from, room);
        Some(start)
    }

    #[cold]
    fn take_in_new_region(&mut self, size: u64) -> Option<u64> {
        let len = size.checked_next_multiple_of(self.page)?;
        let start = self.chain.end();
        start.checked_add(len)?;
        let from = start - self.start;
        let to = from + size;
        if !self.marker.prepare(from, to, len > size) {
            return None;
        }
        self.chain.reserve(3).ok()?;
        let at = mapped::region(os::round_to_pages(len as usize)?)?;
        let distance = (at.as_ptr().expose_provenance() as u64).wrapping_sub(from);
        let region = self.chain.push_region(start, len, 0).ok()?;
        self.holes.reach(from + len);
        let hole = self.chain.region(region).first;
        let id = self.chain.take_at(hole, size).ok()?;
        let path = translate::path(from)?;
        self.index.insert(from, id);
        self.marker.mark(from, to, distance, region.raw());
        self.rest(&path, hole, to, len - size, distance, region);
        Some(start)
    }

    /// Notes the HOLE that a take left behind, if it left one; `path` is likely near.
    #[inline]
    fn rest(&mut self, path: &Path, hole: NodeId, at: u64, size: u64, distance: u64, region: NodeId) {
        if size != 0
            && let Some(path) = path.near(at)
        {
            if at >> KIB_SHIFT != (at - 1) >> KIB_SHIFT {
                path.sheet.note(at, distance, region.raw());
            }
            holes::list(&mut self.chain, &path, hole, at);
            self.holes.raised(&path, at, size);
        }
    }

    /// Frees the segment that starts at `address`. O(1).
    #[inline]
    pub fn put(&mut self, address: u64) -> Result<(), Wrong> {
        let from = address.wrapping_sub(self.start);
        // The sheet where a segment starts is always there.
        let path = translate::path(from).ok_or_else(|| self.wrong(address))?;
        path.sheet.soon(from);
        let chain = &self.chain;
        let found = self.index.find(from, |id| {
            let segment = chain.segment(id);
            (segment.start == address).then_some(segment)
        });
        let (id, segment) = match found {
            Some((id, segment, slot)) => {
                self.index.remove(slot);
                (id, segment)
            }
            None => self.search(address)?,
        };
        // What the neighbours are, the bits say without a look at their nodes.
        let to = from + segment.size;
        let is_hole = |id: &NodeId, at: u64| match path.near(at) {
            Some(path) => !path.sheet.is_process(at),
            None => !self.chain.segment(*id).process,
        };
        let low = segment.prev.filter(|id| is_hole(id, from - 1));
        let high = segment.next.filter(|id| is_hole(id, to));
        let mut size = segment.size;
        if let Some(high) = high {
            let s = self.chain.segment(high);
            let at = s.start - self.start;
            size += s.size;
            if let Some(path) = path.near(at) {
                holes::unlist(&mut self.chain, &path, high, at, s.tag);
            }
        }
        // The chain keeps the node of a HOLE before, and with it its place in the list.
        let before = low.map(|low| self.chain.segment(low));
        let hole = self.chain.put_between(id, low, high);
        match before {
            Some(s) => {
                let at = s.start - self.start;
                if let Some(path) = path.near(at) {
                    self.holes.raised(&path, at, size + s.size);
                }
            }
            None => {
                holes::list(&mut self.chain, &path, hole, from);
                self.holes.raised(&path, from, size);
            }
        }
        if (from ^ (to - 1)) >> ROW_SHIFT == 0 {
            self.marker.clear_sheet(path.sheet, from, to);
        } else {
            self.marker.clear(from, to);
        }
        Ok(())
    }

    /// What is wrong with an address where no segment starts.
    #[cold]
    fn wrong(&self, address: u64) -> Wrong {
        self.search(address).err().unwrap_or(Wrong::Unknown)
    }

    /// The segment that starts at `address`, by way of the sub-chain: the index did not know it.
    #[cold]
    fn search(&self, address: u64) -> Result<(NodeId, Segment), Wrong> {
        let id = self.find(address).ok_or(Wrong::Unknown)?;
        let segment = self.chain.segment(id);
        if !segment.process {
            return Err(Wrong::Hole);
        }
        if segment.start != address {
            return Err(Wrong::Inner(segment.start, segment.start + segment.size - 1));
        }
        Ok((id, segment))
    }

    /// The segment that holds `address`: by a walk along its region's sub-chain, and along the main chain where no
    /// sheet names the region. For errors, and for segments that the index had no memory for.
    pub fn find(&self, address: u64) -> Option<NodeId> {
        if address < self.start || address >= self.chain.end() {
            return None;
        }
        let at = address - self.start;
        let noted = translate::path(at)
            .and_then(|p| NodeId::from_raw(p.sheet.regions[(at >> KIB_SHIFT) as usize % 64].load(Relaxed)));
        let region = match noted {
            Some(id) => self.chain.region(id),
            None => self.chain.regions().find(|r| address - r.start < r.size)?,
        };
        self.chain.segments(region.id).find(|(_, s)| address - s.start < s.size).map(|(id, _)| id)
    }

    /// Whether the chain holds together and every HOLE is where `holes` looks for it. O(n).
    pub fn audit(&self) -> bool {
        let listed = self.chain.regions().all(|region| {
            self.chain.segments(region.id).filter(|(_, s)| !s.process).all(|(id, s)| {
                translate::path(s.start - self.start)
                    .is_some_and(|path| holes::lists(&self.chain, &path, id, s.start - self.start, s.size))
            })
        });
        listed && self.chain.links_hold()
    }

    /// Unmaps everything and is not initialised then. Returns the bytes that the kernel refused to unmap this time,
    /// or that had to be left because a thread did not come out of mems_get; 0 as a rule.
    pub fn finish(&mut self) -> u64 {
        if !self.is_open() {
            return 0;
        }
        // First, while the page table still says where the regions are.
        while self.unmap_regions() {}
        self.marker.detach();
        holes::clear(self.marker.roots());
        let gone = translate::readers_are_gone(PATIENCE);
        if gone {
            // SAFETY: detached above, and no reader is left.
            unsafe { self.marker.release() };
        }
        self.index.release();
        let NodeStore(cursor) = self.chain.nodes_mut();
        // SAFETY: the chain that names the nodes is dropped in the next line, before anyone uses it.
        unsafe { cursor.release(&NODES) };
        *self = Space::new();
        mapped::left()
    }

    /// Unmaps all regions that are still mapped, neighbours in memory in one call, which keeps the kernel's own list
    /// short. True when some were refused but some were not: the room those left may let the others go.
    fn unmap_regions(&mut self) -> bool {
        let (mut some, mut refused) = (false, false);
        let mut at = self.chain.regions().next().map(|r| r.id);
        while let Some(first) = at {
            let Some((low, len, last)) = self.run(first) else {
                at = self.chain.neighbours(first).1;
                continue;
            };
            let mut done = false;
            if let Some(low) = NonNull::new(ptr::with_exposed_provenance_mut(low)) {
                // SAFETY: the run is whole mappings of regions of ours, which mems_finish gives up.
                done = unsafe { mapped::release_region(low, len) };
            }
            some |= done;
            refused |= !done;
            let mut id = first;
            at = loop {
                let next = self.chain.neighbours(id).1;
                if done && let Some(path) = translate::path(self.chain.region(id).start - self.start) {
                    path.sheet.note(self.chain.region(id).start - self.start, GONE, id.raw());
                }
                match next {
                    Some(next) if id != last => id = next,
                    _ => break next,
                }
            };
        }
        some && refused
    }

    /// The longest run of regions from `first` on that are neighbours in memory, in either direction: its lowest
    /// address, its length and its last region. None when `first` is unmapped already.
    fn run(&self, first: NodeId) -> Option<(usize, usize, NodeId)> {
        let (mut low, mut len) = self.mapping(first)?;
        let mut last = first;
        while let Some(next) = self.chain.neighbours(last).1 {
            match self.mapping(next) {
                Some((at, more)) if at + more == low => low = at,
                Some((at, _)) if at == low + len => {}
                _ => break,
            }
            len += self.mapping(next).map_or(0, |(_, more)| more);
            last = next;
        }
        Some((low, len, last))
    }

    /// Physical address and kernel bytes of a region; None when it is unmapped.
    fn mapping(&self, region: NodeId) -> Option<(usize, usize)> {
        let region = self.chain.region(region);
        let at = region.start - self.start;
        // A segment or a HOLE starts where the region does, so the distance is noted there.
        let distance = translate::path(at)?.sheet.distance(at);
        if distance == GONE {
            return None;
        }
        Some((at.wrapping_add(distance) as usize, os::round_to_pages(region.size as usize)?))
    }
}

/// Asks for a cache line ahead of its use.
#[inline(always)]
pub fn soon<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing that the program could see, at whatever address.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(at.cast())
    };
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
