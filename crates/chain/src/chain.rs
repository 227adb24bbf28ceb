//! The chain: places segments, gives them back, joins HOLEs, and counts what it did.
//!
//! Owned by whoever holds the lock around it. It never looks at memory behind the addresses and never fails
//! half-way: an operation that needs a node gets it before it changes anything.

use crate::node::{Node, NodeId, Nodes, SIZE_MAX, Segment};
use crate::tree::Tree;

/// The caller's storage has no node left; nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoStorage;

/// How many HOLEs that are large enough, but may lie badly, [`Chain::take_aligned`] looks at before it
/// settles for one that fits however it lies. Keeps an aligned take at O(log n).
pub const ALIGNED_TRIES: usize = 32;

/// What there is, and what was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Nodes of the main chain.
    pub regions: u64,
    /// PROCESS segments.
    pub process: u64,
    /// HOLE segments.
    pub holes: u64,
    /// Granules in HOLEs.
    pub hole_granules: u64,
    /// Granules in all regions.
    pub granules: u64,
    /// HOLEs split to serve a take (one that leaves a HOLE in front too counts twice).
    pub splits: u64,
    /// Joins of a HOLE with a neighbour.
    pub joins: u64,
}

/// A main chain of regions with their sub-chains.
///
/// Invariants: regions and segments are in address order; a region's segments fill it without gap; no two
/// HOLEs of one region are neighbours.
pub struct Chain<N> {
    pub(crate) nodes: N,
    pub(crate) order: Tree,
    pub(crate) first: Option<NodeId>,
    pub(crate) last: Option<NodeId>,
    /// Nodes that stand for nothing now, linked by `next`.
    pub(crate) spare: Option<NodeId>,
    /// How many those are.
    pub(crate) spares: u32,
    /// One past the highest granule that any region ever had: addresses are not used twice.
    pub(crate) end: u64,
    pub(crate) counters: Counters,
}

impl<N: Nodes> Chain<N> {
    /// An empty chain whose first region may start at 0.
    pub const fn new(nodes: N) -> Self {
        Chain {
            nodes,
            order: Tree::new(),
            first: None,
            last: None,
            spare: None,
            spares: 0,
            end: 0,
            counters: Counters {
                regions: 0,
                process: 0,
                holes: 0,
                hole_granules: 0,
                granules: 0,
                splits: 0,
                joins: 0,
            },
        }
    }

    /// Takes the first `size` granules of the lowest HOLE that has them; the rest stays a HOLE behind.
    /// Ok(None): no HOLE is large enough, or `size` is 0.
    ///
    /// # Errors
    /// No storage for the split. O(log n).
    pub fn take(&mut self, size: u64) -> Result<Option<NodeId>, NoStorage> {
        if size == 0 || size > SIZE_MAX {
            return Ok(None);
        }
        let Some(hole) = self.order.first_fit(&self.nodes, size) else { return Ok(None) };
        self.take_at(hole, size).map(Some)
    }

    /// As [`Chain::take`], at the first multiple of `align` (a power of two) in the lowest HOLE where it fits;
    /// what lies before it stays a HOLE in front. After [`ALIGNED_TRIES`] HOLEs of `size` or more in which it
    /// does not fit, only HOLEs of at least `size + align - 1` are looked at.
    ///
    /// # Errors
    /// No storage for the splits. O(log n).
    pub fn take_aligned(&mut self, size: u64, align: u64) -> Result<Option<NodeId>, NoStorage> {
        if size == 0 || size > SIZE_MAX || align > SIZE_MAX || !align.is_power_of_two() {
            return Ok(None);
        }
        let Some((hole, lead)) = self.find_aligned(size, align) else { return Ok(None) };
        if lead == 0 {
            return self.take_at(hole, size).map(Some);
        }
        // Node for the HOLE in front first; the second one, if needed, is take_at's.
        let front = self.new_node()?;
        let exact = lead + size == self.nodes.node(hole).size();
        let spare = if exact { None } else { Some(self.new_node().inspect_err(|_| self.recycle(front))?) };
        let node = self.nodes.node_mut(hole);
        let start = node.start;
        let region = node.links.belongs().unwrap_or(hole);
        node.start += lead;
        node.set_size(node.size() - lead);
        self.order.changed(&mut self.nodes, hole);
        *self.nodes.node_mut(front) = Node::of(start, lead, true, region);
        self.link_before(hole, front);
        self.counters.holes += 1;
        self.counters.splits += 1;
        if let Some(spare) = spare {
            self.recycle(spare);
        }
        self.take_at(hole, size).map(Some)
    }

    /// The segment that holds `address`. O(log n).
    pub fn find(&self, address: u64) -> Option<NodeId> {
        let id = self.order.at_or_before(&self.nodes, address)?;
        (address < self.nodes.node(id).end()).then_some(id)
    }

    /// The first HOLE that starts at or behind `from` and has at least `min` granules (at least 1). O(log n).
    pub fn next_hole(&self, from: u64, min: u64) -> Option<NodeId> {
        self.order.first_fit_from(&self.nodes, from, min.max(1))
    }

    /// Granules of the largest HOLE; 0 when there is none. O(1).
    pub fn largest_hole(&self) -> u64 {
        self.order.largest(&self.nodes)
    }

    /// The HOLE that an aligned take uses, and how many granules of it come before the multiple of `align`.
    fn find_aligned(&self, size: u64, align: u64) -> Option<(NodeId, u64)> {
        let mut from = 0;
        let mut min = size;
        let mut tries = ALIGNED_TRIES;
        loop {
            let hole = self.order.first_fit_from(&self.nodes, from, min)?;
            let node = self.nodes.node(hole);
            let lead = node.start.wrapping_neg() & (align - 1);
            if lead.checked_add(size).is_some_and(|need| need <= node.size()) {
                return Some((hole, lead));
            }
            from = node.end();
            tries -= 1;
            if tries == 0 {
                min = size.checked_add(align - 1)?;
                tries = usize::MAX;
            }
        }
    }
}

impl<N: Nodes> Chain<N> {
    /// The storage.
    pub fn nodes(&self) -> &N {
        &self.nodes
    }

    /// The storage, for what the caller keeps beside the nodes.
    pub fn nodes_mut(&mut self) -> &mut N {
        &mut self.nodes
    }

    /// What there is, and what was done.
    #[inline(always)]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// One past the highest granule that any region ever had; the start before there was one.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Sets where the first region may start. Only raises it once there have been regions.
    pub fn set_start(&mut self, start: u64) {
        if self.first.is_none() && self.counters == Counters::default() {
            self.end = start;
        } else {
            self.end = self.end.max(start);
        }
    }

    /// Makes sure that the next operations find `nodes` nodes: with 3, a push_region and a take of it cannot fail
    /// for want of storage.
    ///
    /// # Errors
    /// No storage; the nodes that there are stay ready. O(nodes).
    pub fn reserve(&mut self, nodes: u32) -> Result<(), NoStorage> {
        while self.spares < nodes {
            let id = self.nodes.grow().ok_or(NoStorage)?;
            self.recycle(id);
        }
        Ok(())
    }

    /// Turns a PROCESS segment into a HOLE and joins it with the HOLEs before and behind it in its region.
    /// Returns the resulting HOLE; a `segment` that is a HOLE already is returned as it is. Needs no storage.
    /// O(log n).
    pub fn put(&mut self, segment: NodeId) -> NodeId {
        let node = self.nodes.node(segment);
        if node.is_hole() {
            return segment;
        }
        let (prev, next) = (node.prev, node.next);
        let low = prev.filter(|&p| self.nodes.node(p).is_hole());
        let high = next.filter(|&n| self.nodes.node(n).is_hole());
        let node = self.nodes.node_mut(segment);
        node.set_hole(true);
        node.links.set_tag(0);
        let size = node.size();
        self.counters.process -= 1;
        self.counters.holes += 1;
        self.counters.hole_granules += size;
        let mut hole = segment;
        if let Some(high) = high {
            hole = self.join(hole, high);
        }
        if let Some(low) = low {
            hole = self.join(low, hole);
        }
        if hole == segment {
            self.order.changed(&mut self.nodes, hole);
        }
        hole
    }

    /// Grows a PROCESS segment in place to `size` granules, into the HOLE behind it. False, and no change, when
    /// there is none or it is too small. Needs no storage. O(log n).
    pub fn grow(&mut self, segment: NodeId, size: u64) -> bool {
        let node = self.nodes.node(segment);
        let (old, next) = (node.size(), node.next);
        if node.is_hole() || size < old || size > SIZE_MAX {
            return false;
        }
        let more = size - old;
        if more == 0 {
            return true;
        }
        let Some(hole) = next else { return false };
        let room = self.nodes.node(hole).hole_size();
        if room < more {
            return false;
        }
        if room == more {
            self.unlink(hole);
            self.counters.holes -= 1;
        } else {
            let behind = self.nodes.node_mut(hole);
            behind.start += more;
            behind.set_size(room - more);
            self.order.changed(&mut self.nodes, hole);
        }
        self.nodes.node_mut(segment).set_size(size);
        self.counters.hole_granules -= more;
        true
    }

    /// Shrinks a PROCESS segment in place to `size` granules (1 to its size); the rest becomes, or joins, the
    /// HOLE behind it. Nothing happens for any other `size`, or for a HOLE.
    ///
    /// # Errors
    /// No storage for a new HOLE. O(log n).
    pub fn shrink(&mut self, segment: NodeId, size: u64) -> Result<(), NoStorage> {
        let node = self.nodes.node(segment);
        let (start, old, next) = (node.start, node.size(), node.next);
        let region = node.links.belongs().unwrap_or(segment);
        if node.is_hole() || size == 0 || size >= old {
            return Ok(());
        }
        let less = old - size;
        if let Some(hole) = next.filter(|&n| self.nodes.node(n).is_hole()) {
            let behind = self.nodes.node_mut(hole);
            behind.start -= less;
            behind.set_size(behind.size() + less);
            self.nodes.node_mut(segment).set_size(size);
            self.order.changed(&mut self.nodes, hole);
            self.counters.joins += 1;
        } else {
            let hole = self.new_node()?;
            *self.nodes.node_mut(hole) = Node::of(start + size, less, true, region);
            self.nodes.node_mut(segment).set_size(size);
            self.link_after(segment, hole);
            self.counters.holes += 1;
        }
        self.counters.hole_granules += less;
        Ok(())
    }

    /// The segment `id` as it stands. O(1).
    #[inline]
    pub fn segment(&self, id: NodeId) -> Segment {
        let node = self.nodes.node(id);
        Segment {
            start: node.start,
            size: node.size(),
            process: !node.is_hole(),
            // A segment always has a region; its own id stands in where the caller passed a region's id.
            region: node.links.belongs().unwrap_or(id),
            tag: node.links.tag(),
            prev: node.prev,
            next: node.next,
        }
    }

    /// The segments before and behind `id` in its sub-chain. O(1).
    pub fn neighbours(&self, id: NodeId) -> (Option<NodeId>, Option<NodeId>) {
        let node = self.nodes.node(id);
        (node.prev, node.next)
    }

    /// Sets the caller's word of a segment or of a region. O(1).
    #[inline]
    pub fn set_tag(&mut self, id: NodeId, tag: u64) {
        self.nodes.node_mut(id).links.set_tag(tag);
    }

    /// Makes the first `size` granules (1 to its size) of `hole` a PROCESS segment; the rest stays a HOLE, and keeps
    /// the node `hole`.
    ///
    /// # Errors
    /// No storage for the split. O(log n).
    #[inline]
    fn take_at(&mut self, hole: NodeId, size: u64) -> Result<NodeId, NoStorage> {
        let room = self.nodes.node(hole).size();
        let segment = if room == size {
            let node = self.nodes.node_mut(hole);
            node.set_hole(false);
            node.links.set_tag(0);
            self.order.changed(&mut self.nodes, hole);
            self.counters.holes -= 1;
            hole
        } else {
            // The HOLE keeps its node: the new one brings no HOLE into the order, so nothing else is lifted.
            let front = self.new_node()?;
            let rest = self.nodes.node_mut(hole);
            let prev = rest.prev;
            let region = rest.links.belongs().unwrap_or(hole);
            let mut node = Node::of(rest.start, size, false, region);
            (node.prev, node.next) = (prev, Some(hole));
            rest.start += size;
            rest.set_size(room - size);
            rest.prev = Some(front);
            *self.nodes.node_mut(front) = node;
            match prev {
                Some(prev) => self.nodes.node_mut(prev).next = Some(front),
                None => self.set_first(Some(region), front),
            }
            self.order.changed(&mut self.nodes, hole);
            self.order.insert_before(&mut self.nodes, hole, prev, front);
            self.counters.splits += 1;
            front
        };
        self.counters.process += 1;
        self.counters.hole_granules -= size;
        Ok(segment)
    }
}
