//! Links: sub-chain and tree changed together, and the nodes that are spare.
//!
//! Owns nothing; the chain's operations call it with neighbours they know, so nothing here searches.

use crate::chain::{Chain, NoStorage};
use crate::node::{Node, NodeId, Nodes};
use crate::order::Order;

impl<N: Nodes, O: Order> Chain<N, O> {
    /// Makes one HOLE of two that are neighbours, `low` before `high`. The node that is the easier to take out of
    /// the tree goes: of two neighbours one always has at most one child.
    pub(crate) fn join(&mut self, low: NodeId, high: NodeId) -> NodeId {
        let (start, size) = (self.nodes.node(low).start, self.nodes.node(low).size());
        let size = size + self.nodes.node(high).size();
        let stays = if self.order.keeps(&self.nodes, low) { low } else { high };
        let goes = if stays == low { high } else { low };
        let node = self.nodes.node_mut(stays);
        node.start = start;
        node.set_size(size);
        self.order.changed(&mut self.nodes, stays);
        self.unlink(goes);
        self.counters.holes -= 1;
        self.counters.joins += 1;
        stays
    }

    /// Links `new` into the sub-chain and the tree, right before `id`.
    pub(crate) fn link_before(&mut self, id: NodeId, new: NodeId) {
        let Node { prev, region, .. } = *self.nodes.node(id);
        self.order.insert_before(&mut self.nodes, id, prev, new);
        let node = self.nodes.node_mut(new);
        (node.prev, node.next) = (prev, Some(id));
        self.nodes.node_mut(id).prev = Some(new);
        match prev {
            Some(prev) => self.nodes.node_mut(prev).next = Some(new),
            None => self.set_first(region, new),
        }
    }

    /// Links `new` into the sub-chain and the tree, right behind `id`.
    pub(crate) fn link_after(&mut self, id: NodeId, new: NodeId) {
        let Node { next, region, .. } = *self.nodes.node(id);
        self.order.insert_after(&mut self.nodes, id, next, new);
        let node = self.nodes.node_mut(new);
        (node.prev, node.next) = (Some(id), next);
        self.nodes.node_mut(id).next = Some(new);
        match next {
            Some(next) => self.nodes.node_mut(next).prev = Some(new),
            None => self.set_last(region, new),
        }
    }

    /// Takes `id` out of the sub-chain and the tree and keeps its node for reuse. Never the only segment.
    pub(crate) fn unlink(&mut self, id: NodeId) {
        let Node { prev, next, region, .. } = *self.nodes.node(id);
        self.order.remove(&mut self.nodes, id);
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
            self.nodes.node_mut(region).left = Some(id);
        }
    }

    pub(crate) fn set_last(&mut self, region: Option<NodeId>, id: NodeId) {
        if let Some(region) = region {
            self.nodes.node_mut(region).right = Some(id);
        }
    }

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

    pub(crate) fn recycle(&mut self, id: NodeId) {
        *self.nodes.node_mut(id) = Node { next: self.spare, ..Node::EMPTY };
        self.spare = Some(id);
        self.spares += 1;
    }
}
