//! Storage for the engine's chain nodes, straight from mmap.
//!
//! Tiers: the first holds 16 nodes, each further one as many as all before it, so a node's place follows from
//! its index by one bit scan and nothing ever moves. Never gives memory back; the chain uses its nodes again.

use core::ptr::NonNull;

use mems_chain::{Node, NodeId, Nodes};

use crate::pool;

/// Nodes in the first tier.
pub const FIRST: usize = 16;
/// Enough for every index.
pub const TIERS: usize = 28;

/// The nodes of one chain.
pub struct NodePool {
    tiers: [Option<NonNull<Node>>; TIERS],
    len: usize,
}

// SAFETY: the tiers are mappings that only this pool refers to.
unsafe impl Send for NodePool {}

impl NodePool {
    /// A pool without nodes.
    pub const fn new() -> Self {
        NodePool { tiers: [None; TIERS], len: 0 }
    }

    /// The address of the tiers' addresses.
    pub fn tiers(&self) -> usize {
        self.tiers.as_ptr() as usize
    }

    #[inline]
    fn place(&self, id: NodeId) -> NonNull<Node> {
        let i = id.index() as usize + FIRST;
        let tier = (usize::BITS - 1 - i.leading_zeros() - FIRST.trailing_zeros()) as usize;
        let offset = i - (FIRST << tier);
        match self.tiers[tier] {
            // SAFETY: offset < FIRST << tier, the number of nodes in this tier.
            Some(first) => unsafe { first.add(offset) },
            None => NonNull::dangling(),
        }
    }
}

impl Default for NodePool {
    fn default() -> Self {
        Self::new()
    }
}

impl Nodes for NodePool {
    #[inline]
    fn node(&self, id: NodeId) -> &Node {
        debug_assert!((id.index() as usize) < self.len);
        // SAFETY: the chain asks only for ids that grow gave, whose tier is mapped.
        unsafe { self.place(id).as_ref() }
    }

    #[inline]
    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        debug_assert!((id.index() as usize) < self.len);
        // SAFETY: as for node, and self is borrowed mutably.
        unsafe { self.place(id).as_mut() }
    }

    fn grow(&mut self) -> Option<NodeId> {
        let id = NodeId::new(u32::try_from(self.len).ok()?)?;
        let tier = (usize::BITS - 1 - (self.len + FIRST).leading_zeros() - FIRST.trailing_zeros()) as usize;
        let place = self.tiers.get_mut(tier)?;
        if place.is_none() {
            *place = Some(pool::take_bytes((FIRST << tier) * size_of::<Node>())?.cast());
        }
        self.len += 1;
        Some(id)
    }
}
