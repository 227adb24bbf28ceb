//! The address space itself: a chain in bytes, the memory behind it, and what finds segments and bytes fast.
//!
//! One object, owned by the lock in `vspace`. Its regions are laid without gap from the start address. An
//! operation that fails has changed nothing; mems_free never needs memory and never fails for want of it.

use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::Relaxed;

use mems_chain::{Chain, Node, NodeId, Nodes, Segment};

use crate::os;
use crate::vspace::index::Index;
use crate::vspace::mapped;
use crate::vspace::mark::Marker;
use crate::vspace::steps::{Cursor, Steps};
use crate::vspace::translate::{self, START};

static NODES: Steps<Node> = Steps::new();

/// How often mems_finish looks for readers that are still inside mems_get, with a yield between.
const PATIENCE: u32 = 10_000;

/// A region's word once its memory is unmapped; others are multiples of 1024.
const GONE: u64 = 1;

/// The chain's nodes, kept in [`NODES`].
pub struct NodeStore(Cursor);

impl Nodes for NodeStore {
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
    chain: Chain<NodeStore>,
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
            chain: Chain::new(NodeStore(Cursor::new())),
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
    pub fn chain(&self) -> &Chain<NodeStore> {
        &self.chain
    }

    /// A segment of exactly `size` bytes (not 0): first fit, else a new region. None: no memory. O(log n).
    pub fn take(&mut self, size: u64) -> Option<u64> {
        let Some(id) = self.chain.take(size).ok()? else { return self.take_in_new_region(size) };
        let segment = self.chain.segment(id);
        let from = segment.start - self.start;
        if !self.marker.prepare(from, from + size) {
            self.chain.put(id);
            return None;
        }
        let distance = self.chain.region(segment.region).tag;
        Some(self.settle(id, segment, distance))
    }

    #[cold]
    fn take_in_new_region(&mut self, size: u64) -> Option<u64> {
        let len = size.checked_next_multiple_of(self.page)?;
        let start = self.chain.end();
        start.checked_add(len)?;
        let from = start - self.start;
        if !self.marker.prepare(from, from + size) {
            return None;
        }
        self.chain.reserve(3).ok()?;
        let at = mapped::region(os::round_to_pages(len as usize)?)?;
        let distance = (at.as_ptr().expose_provenance() as u64).wrapping_sub(from);
        self.chain.push_region(start, len, distance).ok()?;
        let id = self.chain.take(size).ok()??;
        Some(self.settle(id, self.chain.segment(id), distance))
    }

    /// Makes a segment that the chain has placed known to mems_get and mems_free.
    #[inline]
    fn settle(&mut self, id: NodeId, segment: Segment, distance: u64) -> u64 {
        let from = segment.start - self.start;
        self.marker.mark(from, from + segment.size, distance);
        self.index.insert(segment.start, id);
        segment.start
    }

    /// Frees the segment that starts at `address`. O(log n).
    pub fn put(&mut self, address: u64) -> Result<(), Wrong> {
        let chain = &self.chain;
        let found = self.index.find(address, |id| chain.segment(id).start == address);
        let (id, segment) = match found {
            Some((id, slot)) => {
                self.index.remove(slot);
                (id, self.chain.segment(id))
            }
            None => self.search(address)?,
        };
        self.chain.put(id);
        let from = segment.start - self.start;
        self.marker.clear(from, from + segment.size);
        Ok(())
    }

    /// The segment that starts at `address`, by way of the tree: the index did not know it.
    #[cold]
    fn search(&self, address: u64) -> Result<(NodeId, Segment), Wrong> {
        let id = self.chain.find(address).ok_or(Wrong::Unknown)?;
        let segment = self.chain.segment(id);
        if !segment.process {
            return Err(Wrong::Hole);
        }
        if segment.start != address {
            return Err(Wrong::Inner(segment.start, segment.start + segment.size - 1));
        }
        Ok((id, segment))
    }

    /// Unmaps everything and is not initialised then. Returns the bytes that the kernel refused to unmap this time,
    /// or that had to be left because a thread did not come out of mems_get; 0 as a rule.
    pub fn finish(&mut self) -> u64 {
        if !self.is_open() {
            return 0;
        }
        self.marker.detach();
        let mut gone = translate::readers_gone();
        for _ in 0..PATIENCE {
            if gone {
                break;
            }
            // SAFETY: sched_yield has no precondition.
            unsafe { libc::sched_yield() };
            gone = translate::readers_gone();
        }
        while self.unmap_regions() {}
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
                if done {
                    self.chain.set_tag(id, GONE);
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
        if region.tag == GONE {
            return None;
        }
        let at = (region.start - self.start).wrapping_add(region.tag) as usize;
        Some((at, os::round_to_pages(region.size as usize)?))
    }
}
