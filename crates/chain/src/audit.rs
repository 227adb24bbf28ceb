//! The audit: every invariant of the chain, checked by walking it whole.
//!
//! For tests and for a program that wants to be told that its bookkeeping was overwritten; nothing else here
//! calls it. O(n), without recursion: the tree is walked in order along its parent links.

use crate::chain::Chain;
use crate::node::{Balance, NodeId, Nodes};

impl<N: Nodes> Chain<N> {
    /// Whether main chain and sub-chains are as they must be: links both ways, addresses in order, no gap inside a
    /// region, no two HOLEs side by side, true counters. O(n), no storage.
    fn links_hold(&self) -> bool {
        let (mut floor, mut regions, mut process, mut holes, mut free) = (0, 0, 0, 0, 0);
        let mut before_region = None;
        for region in self.regions() {
            let node = self.nodes().node(region.id);
            if node.prev != before_region || region.start < floor {
                return false;
            }
            let mut at = region.start;
            let (mut before, mut before_hole) = (None, false);
            for (id, segment) in self.segments(region.id) {
                let hole = !segment.process;
                let linked = self.neighbours(id).0 == before && segment.region == region.id;
                if !linked || segment.start != at || segment.size == 0 || (hole && before_hole) {
                    return false;
                }
                at += segment.size;
                (before, before_hole) = (Some(id), hole);
                if hole {
                    holes += 1
                } else {
                    process += 1
                }
                free += if hole { segment.size } else { 0 };
            }
            if at != region.start + region.size || before != Some(region.last) {
                return false;
            }
            floor = at;
            regions += 1;
            before_region = Some(region.id);
        }
        let c = self.counters();
        (c.regions, c.process, c.holes, c.hole_granules) == (regions, process, holes, free)
            && self.last == before_region
            && floor <= self.end()
    }
}

impl<N: Nodes> Chain<N> {
    /// Whether every link, order, sum, balance and largest HOLE is as it must be. O(n), no storage.
    pub fn audit(&self) -> bool {
        self.links_hold() && self.tree_holds()
    }

    /// The tree holds exactly the segments, in order, balanced, with true maxima.
    fn tree_holds(&self) -> bool {
        let mut at = self.order.root;
        let mut from = None;
        let (mut seen, mut last_start) = (0u64, None);
        // In order without a stack: coming from above go left; from the left visit, go right; from the right go up.
        while let Some(id) = at {
            let node = self.nodes().node(id);
            if from == node.links.parent
                && let Some(left) = node.links.left
            {
                (from, at) = (at, Some(left));
                continue;
            }
            if from != node.links.right || node.links.right.is_none() {
                if !self.node_holds(id) || last_start.is_some_and(|s| node.start <= s) {
                    return false;
                }
                last_start = Some(node.start);
                seen += 1;
                if let Some(right) = node.links.right {
                    (from, at) = (at, Some(right));
                    continue;
                }
            }
            (from, at) = (at, node.links.parent);
        }
        seen == self.counters().process + self.counters().holes
    }

    fn node_holds(&self, id: NodeId) -> bool {
        let node = self.nodes().node(id);
        let side = |child: Option<NodeId>| match child {
            None => (0, 0, true),
            Some(c) => {
                let n = self.nodes().node(c);
                (n.largest(), self.height(c), n.links.parent == Some(id))
            }
        };
        let (left_max, left_height, left_linked) = side(node.links.left);
        let (right_max, right_height, right_linked) = side(node.links.right);
        let balance = match left_height - right_height {
            0 => Balance::Even,
            1 => Balance::Left,
            -1 => Balance::Right,
            _ => return false,
        };
        left_linked
            && right_linked
            && (node.links.left_max, node.links.right_max, node.balance()) == (left_max, right_max, balance)
    }

    /// Levels of the subtree of `id`, by its balances: always down the higher side.
    fn height(&self, id: NodeId) -> i32 {
        let mut levels = 0;
        let mut at = Some(id);
        while let Some(id) = at {
            levels += 1;
            let node = self.nodes().node(id);
            at = if node.balance() == Balance::Left { node.links.left } else { node.links.right };
        }
        levels
    }
}
