//! Links: sub-chain and tree changed together, and the nodes that are spare.
//!
//! Owns nothing; the chain's operations call it with neighbours they know, so nothing here searches.

use crate::chain::{Chain, NoStorage};
use crate::node::{NodeId, Nodes};

impl<N: Nodes> Chain<N> {
    /// Makes one HOLE of two that are neighbours, `low` before `high`. The node that is the easier to take out of
    /// the order goes.
    #[inline]
    pub(crate) fn join(&mut self, low: NodeId, high: NodeId) -> NodeId {
        let before = self.nodes.node(low);
        let (start, low_size, prev, region) =
            (before.start, before.size(), before.prev, before.links.belongs());
        let behind = self.nodes.node(high);
        let (size, next) = (low_size + behind.size(), behind.next);
        let (stays, goes) = if self.order.keeps(&self.nodes, low) { (low, high) } else { (high, low) };
        let node = self.nodes.node_mut(stays);
        node.start = start;
        node.set_size(size);
        if stays == low {
            node.next = next;
            match next {
                Some(next) => self.nodes.node_mut(next).prev = Some(low),
                None => self.set_last(region, low),
            }
        } else {
            node.prev = prev;
            match prev {
                Some(prev) => self.nodes.node_mut(prev).next = Some(high),
                None => self.set_first(region, high),
            }
        }
        self.order.changed(&mut self.nodes, stays);
        self.order.remove(&mut self.nodes, goes);
        self.recycle(goes);
        self.counters.holes -= 1;
        self.counters.joins += 1;
        stays
    }

    /// Links `new`, a segment of the same region, into the sub-chain and the order, right before `id`.
    #[inline]
    pub(crate) fn link_before(&mut self, id: NodeId, new: NodeId) {
        let prev = self.nodes.node(id).prev;
        self.order.insert_before(&mut self.nodes, id, prev, new);
        let node = self.nodes.node_mut(new);
        (node.prev, node.next) = (prev, Some(id));
        let region = node.links.belongs();
        self.nodes.node_mut(id).prev = Some(new);
        match prev {
            Some(prev) => self.nodes.node_mut(prev).next = Some(new),
            None => self.set_first(region, new),
        }
    }

    /// Links `new`, a segment of the same region, into the sub-chain and the order, right behind `id`.
    #[inline]
    pub(crate) fn link_after(&mut self, id: NodeId, new: NodeId) {
        let next = self.nodes.node(id).next;
        self.order.insert_after(&mut self.nodes, id, next, new);
        let node = self.nodes.node_mut(new);
        (node.prev, node.next) = (Some(id), next);
        let region = node.links.belongs();
        self.nodes.node_mut(id).next = Some(new);
        match next {
            Some(next) => self.nodes.node_mut(next).prev = Some(new),
            None => self.set_last(region, new),
        }
    }

    /// Takes `id` out of the sub-chain and the order and keeps its node for reuse. Never the only segment.
    #[inline]
    pub(crate) fn unlink(&mut self, id: NodeId) {
        self.order.remove(&mut self.nodes, id);
        let node = self.nodes.node(id);
        let (prev, next, region) = (node.prev, node.next, node.links.belongs());
        match (prev, next) {
            (Some(prev), _) => self.nodes.node_mut(prev).next = next,
            (None, Some(next)) => self.set_first(region, next),
            (None, None) => {}
        }
        match (next, prev) {
            (Some(next), _) => self.nodes.node_mut(next).prev = prev,
            (None, Some(prev)) => self.set_last(region, prev),
            (None, None) => {}
        }
        self.recycle(id);
    }

    pub(crate) fn set_first(&mut self, region: Option<NodeId>, id: NodeId) {
        if let Some(region) = region {
            self.nodes.node_mut(region).links.set_belongs(Some(id));
        }
    }

    fn set_last(&mut self, region: Option<NodeId>, id: NodeId) {
        if let Some(region) = region {
            self.nodes.node_mut(region).links.set_last(Some(id));
        }
    }

    #[inline]
    pub(crate) fn new_node(&mut self) -> Result<NodeId, NoStorage> {
        match self.spare {
            Some(id) => {
                self.spare = self.nodes.node(id).next;
                self.spares -= 1;
                Ok(id)
            }
            None => self.nodes.grow().ok_or(NoStorage),
        }
    }

    /// Keeps a node that stands for nothing any more. Whatever takes it writes it whole.
    #[inline]
    pub(crate) fn recycle(&mut self, id: NodeId) {
        self.nodes.node_mut(id).next = self.spare;
        self.spare = Some(id);
        self.spares += 1;
    }
}
