//! Order: what keeps all segments of a chain findable by address and by size.
//!
//! A chain tells its order of every change; [`crate::Tree`] is the one that serves any caller. A caller that finds
//! places and addresses by a structure of its own takes [`Unordered`], which keeps nothing, and hands the HOLE
//! of its choice to `Chain::take_at`.

use crate::node::{BareLinks, Links, NodeId, Nodes};

/// What a chain tells its order. Neighbours are those of the whole chain, in address order.
pub trait Order {
    /// What it keeps in each node.
    type Links: Links;

    /// `new` is the first segment of all.
    fn plant(&mut self, new: NodeId);
    /// `new` comes right before `id`; `prev`, where known, right before both.
    fn insert_before<N: Nodes<Self::Links>>(
        &mut self,
        nodes: &mut N,
        id: NodeId,
        prev: Option<NodeId>,
        new: NodeId,
    );
    /// `new` comes right behind `id`; `next`, where known, right behind both.
    fn insert_after<N: Nodes<Self::Links>>(
        &mut self,
        nodes: &mut N,
        id: NodeId,
        next: Option<NodeId>,
        new: NodeId,
    );
    /// `id` is no segment any more.
    fn remove<N: Nodes<Self::Links>>(&mut self, nodes: &mut N, id: NodeId);
    /// The size of `id` as a HOLE has changed.
    fn changed<N: Nodes<Self::Links>>(&mut self, nodes: &mut N, id: NodeId);
    /// Whether of two neighbours that become one it is `low`, the first, whose node is better kept.
    fn keeps<N: Nodes<Self::Links>>(&self, nodes: &N, low: NodeId) -> bool;
}

/// No order: the caller keeps one.
#[derive(Clone, Copy, Default, Debug)]
pub struct Unordered;

impl Order for Unordered {
    type Links = BareLinks;

    #[inline(always)]
    fn plant(&mut self, _: NodeId) {}

    #[inline(always)]
    fn insert_before<N: Nodes<BareLinks>>(&mut self, _: &mut N, _: NodeId, _: Option<NodeId>, _: NodeId) {}

    #[inline(always)]
    fn insert_after<N: Nodes<BareLinks>>(&mut self, _: &mut N, _: NodeId, _: Option<NodeId>, _: NodeId) {}

    #[inline(always)]
    fn remove<N: Nodes<BareLinks>>(&mut self, _: &mut N, _: NodeId) {}

    #[inline(always)]
    fn changed<N: Nodes<BareLinks>>(&mut self, _: &mut N, _: NodeId) {}

    #[inline(always)]
    fn keeps<N: Nodes<BareLinks>>(&self, _: &N, _: NodeId) -> bool {
        true
    }
}
