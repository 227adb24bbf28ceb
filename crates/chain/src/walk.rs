//! Walks: the regions along the main chain, the segments along a sub-chain, in address order.
//!
//! A walk only reads; the borrow checker keeps the chain from changing under it.

use crate::chain::Chain;
use crate::node::{NodeId, Nodes, Region, Segment};

/// The regions of the main chain, first to last.
pub struct Regions<'a, N: Nodes> {
    chain: &'a Chain<N>,
    at: Option<NodeId>,
}

/// The segments of one region's sub-chain, first to last, each with its id.
pub struct Segments<'a, N: Nodes> {
    chain: &'a Chain<N>,
    at: Option<NodeId>,
}

impl<'a, N: Nodes> Regions<'a, N> {
    pub(crate) fn new(chain: &'a Chain<N>, at: Option<NodeId>) -> Self {
        Regions { chain, at }
    }
}

impl<'a, N: Nodes> Segments<'a, N> {
    pub(crate) fn new(chain: &'a Chain<N>, at: Option<NodeId>) -> Self {
        Segments { chain, at }
    }
}

impl<N: Nodes> Iterator for Regions<'_, N> {
    type Item = Region;

    fn next(&mut self) -> Option<Region> {
        let id = self.at?;
        self.at = self.chain.nodes().node(id).next;
        Some(self.chain.region(id))
    }
}

impl<N: Nodes> Iterator for Segments<'_, N> {
    type Item = (NodeId, Segment);

    fn next(&mut self) -> Option<(NodeId, Segment)> {
        let id = self.at?;
        self.at = self.chain.nodes().node(id).next;
        Some((id, self.chain.segment(id)))
    }
}
