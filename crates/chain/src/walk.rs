//! Walks: the regions along the main chain, the segments along a sub-chain, in address order.
//!
//! A walk only reads; the borrow checker keeps the chain from changing under it.

use crate::chain::Chain;
use crate::node::{NodeId, Nodes, Region, Segment};
use crate::order::Order;

/// The regions of the main chain, first to last.
pub struct Regions<'a, N: Nodes<O::Links>, O: Order> {
    chain: &'a Chain<N, O>,
    at: Option<NodeId>,
}

/// The segments of one region's sub-chain, first to last, each with its id.
pub struct Segments<'a, N: Nodes<O::Links>, O: Order> {
    chain: &'a Chain<N, O>,
    at: Option<NodeId>,
}

impl<'a, N: Nodes<O::Links>, O: Order> Regions<'a, N, O> {
    pub(crate) fn new(chain: &'a Chain<N, O>, at: Option<NodeId>) -> Self {
        Regions { chain, at }
    }
}

impl<'a, N: Nodes<O::Links>, O: Order> Segments<'a, N, O> {
    pub(crate) fn new(chain: &'a Chain<N, O>, at: Option<NodeId>) -> Self {
        Segments { chain, at }
    }
}

impl<N: Nodes<O::Links>, O: Order> Iterator for Regions<'_, N, O> {
    type Item = Region;

    fn next(&mut self) -> Option<Region> {
        let id = self.at?;
        self.at = self.chain.nodes().node(id).next;
        Some(self.chain.region(id))
    }
}

impl<N: Nodes<O::Links>, O: Order> Iterator for Segments<'_, N, O> {
    type Item = (NodeId, Segment);

    fn next(&mut self) -> Option<(NodeId, Segment)> {
        let id = self.at?;
        self.at = self.chain.nodes().node(id).next;
        Some((id, self.chain.segment(id)))
    }
}
