//! Regions: pushing one at the end of the main chain, removing an emptied one, walking them.
//!
//! A region enters as one HOLE and leaves as one HOLE; its addresses are never used again.

use crate::chain::{Chain, NoStorage};
use crate::node::{Node, NodeId, Nodes, Region, SIZE_MAX};
use crate::walk::{Regions, Segments};

impl<N: Nodes> Chain<N> {
    /// Adds a region `[start, start + size)` at the end of the main chain, one HOLE. Needs up to two nodes. `tag` is
    /// the caller's word for it.
    ///
    /// # Errors
    /// No storage; also for a span that is empty, starts below [`Chain::end`], or is over [`SIZE_MAX`].
    /// O(log n).
    pub fn push_region(&mut self, start: u64, size: u64, tag: u64) -> Result<NodeId, NoStorage> {
        if size == 0 || size > SIZE_MAX || start < self.end {
            return Err(NoStorage);
        }
        let end = start.checked_add(size).ok_or(NoStorage)?;
        let region = self.new_node()?;
        let hole = self.new_node().inspect_err(|_| self.recycle(region))?;
        *self.nodes.node_mut(hole) = Node::of(start, size, true, region);
        let mut node: Node = Node::of(start, size, false, hole);
        node.links.set_tag(tag);
        node.links.set_last(Some(hole));
        node.prev = self.last;
        *self.nodes.node_mut(region) = node;
        match self.last {
            None => {
                self.first = Some(region);
                self.order.plant(hole);
            }
            Some(last) => {
                let before = self.nodes.node_mut(last);
                before.next = Some(region);
                if let Some(segment) = before.links.last() {
                    self.order.insert_after(&mut self.nodes, segment, None, hole);
                }
            }
        }
        self.last = Some(region);
        self.end = end;
        self.counters.regions += 1;
        self.counters.holes += 1;
        self.counters.hole_granules += size;
        self.counters.granules += size;
        Ok(region)
    }

    /// Removes a region that is one HOLE; false (and no change) for any other. O(log n).
    pub fn remove_region(&mut self, region: NodeId) -> bool {
        let node = self.nodes.node(region);
        let (prev, next) = (node.prev, node.next);
        let Some(hole) = node.links.belongs() else { return false };
        let node = self.nodes.node(hole);
        if !node.is_hole() || node.next.is_some() {
            return false;
        }
        let size = node.size();
        self.order.remove(&mut self.nodes, hole);
        match prev {
            Some(p) => self.nodes.node_mut(p).next = next,
            None => self.first = next,
        }
        match next {
            Some(n) => self.nodes.node_mut(n).prev = prev,
            None => self.last = prev,
        }
        self.recycle(hole);
        self.recycle(region);
        self.counters.regions -= 1;
        self.counters.holes -= 1;
        self.counters.hole_granules -= size;
        self.counters.granules -= size;
        true
    }

    /// The region `id` as it stands. O(1).
    pub fn region(&self, id: NodeId) -> Region {
        let node = self.nodes.node(id);
        Region {
            id,
            start: node.start,
            size: node.size(),
            tag: node.links.tag(),
            first: node.links.belongs().unwrap_or(id),
            last: node.links.last().unwrap_or(id),
        }
    }

    /// The last region of the main chain. O(1).
    pub fn last_region(&self) -> Option<Region> {
        self.last.map(|id| self.region(id))
    }

    /// The region before this one in the main chain. O(1).
    pub fn region_before(&self, region: NodeId) -> Option<Region> {
        self.nodes.node(region).prev.map(|id| self.region(id))
    }

    /// Where the name of the first region is kept, for a reader that walks the nodes by itself.
    pub fn first_place(&self) -> &Option<NodeId> {
        &self.first
    }

    /// The regions along the main chain.
    pub fn regions(&self) -> Regions<'_, N> {
        Regions::new(self, self.first)
    }

    /// The segments along the sub-chain of `region`.
    pub fn segments(&self, region: NodeId) -> Segments<'_, N> {
        Segments::new(self, self.nodes.node(region).links.belongs())
    }
}
