//! The tree: all segments of all regions, ordered by address, as an AVL tree (Adelson-Velsky and Landis 1962)
//! with parent links. Each node keeps the largest HOLE of either subtree, so a descent reads one node a level.
//!
//! It changes only the tree's own links, never a segment's place or kind. Nothing here compares addresses to
//! insert or remove: the chain knows the neighbours, and of two neighbours in order one always lacks the child
//! between them. Height ≤ 1.44 log2 n, at most 46 for 2^32 nodes; every loop is bounded by it.

use crate::node::{Balance, Links, NodeId, Nodes};

/// The order of the segments: first fit and find in O(log n). The nodes are lent to each operation.
pub struct Tree {
    pub(crate) root: Option<NodeId>,
}

impl Tree {
    pub(crate) const fn new() -> Self {
        Tree { root: None }
    }

    /// The largest HOLE of all, granules. O(1).
    pub(crate) fn largest<N: Nodes>(&self, nodes: &N) -> u64 {
        self.root.map_or(0, |root| nodes.node(root).largest())
    }

    /// The segment with the highest start that is not above `address`.
    pub(crate) fn at_or_before<N: Nodes>(&self, nodes: &N, address: u64) -> Option<NodeId> {
        let mut found = None;
        let mut at = self.root;
        while let Some(id) = at {
            let node = nodes.node(id);
            if node.start <= address {
                found = at;
                at = node.links.right;
            } else {
                at = node.links.left;
            }
        }
        found
    }

    /// The HOLE of at least `size` with the lowest address; `size` is not 0.
    #[inline]
    pub(crate) fn first_fit<N: Nodes>(&self, nodes: &N, size: u64) -> Option<NodeId> {
        leftmost(nodes, self.root?, size)
    }

    /// The HOLE of at least `size` (not 0) with the lowest start that is not below `from`.
    pub(crate) fn first_fit_from<N: Nodes>(&self, nodes: &N, from: u64, size: u64) -> Option<NodeId> {
        // The deepest ancestor that lies at or above `from` and has something to offer, itself or to its
        // right: everything below it to the left was searched or lies below `from`.
        let mut best = None;
        let mut at = self.root;
        while let Some(id) = at {
            let node = nodes.node(id);
            if node.start < from {
                at = node.links.right;
            } else {
                if node.hole_size() >= size || node.links.right_max >= size {
                    best = at;
                }
                at = node.links.left;
            }
        }
        let id = best?;
        let node = nodes.node(id);
        if node.hole_size() >= size { best } else { leftmost(nodes, node.links.right?, size) }
    }

    fn attach<N: Nodes>(&mut self, nodes: &mut N, parent: NodeId, left: bool, new: NodeId) {
        let p = nodes.node_mut(parent);
        if left {
            p.links.left = Some(new)
        } else {
            p.links.right = Some(new)
        }
        nodes.node_mut(new).links.parent = Some(parent);
        lift(nodes, new);
        self.grown(nodes, new);
    }

    /// Takes out a node that has at most one child.
    fn unlink<N: Nodes>(&mut self, nodes: &mut N, id: NodeId) {
        let Links { left, right, parent, .. } = nodes.node(id).links;
        let child = left.or(right);
        if let Some(child) = child {
            nodes.node_mut(child).links.parent = parent;
        }
        let was_left = parent.is_some_and(|p| nodes.node(p).links.left == Some(id));
        self.replace_child(nodes, parent, id, child);
        let Some(p) = parent else { return };
        let largest = child.map_or(0, |c| nodes.node(c).largest());
        let above = nodes.node_mut(p);
        if was_left {
            above.links.left_max = largest
        } else {
            above.links.right_max = largest
        }
        lift(nodes, p);
        self.shrunk(nodes, p, was_left);
    }

    fn replace_child<N: Nodes>(
        &mut self,
        n: &mut N,
        parent: Option<NodeId>,
        old: NodeId,
        new: Option<NodeId>,
    ) {
        match parent {
            None => self.root = new,
            Some(p) => {
                let p = n.node_mut(p);
                if p.links.left == Some(old) { p.links.left = new } else { p.links.right = new }
            }
        }
    }

    /// Restores the balance above `child`, whose subtree has become one level higher.
    fn grown<N: Nodes>(&mut self, nodes: &mut N, mut child: NodeId) {
        while let Some(p) = nodes.node(child).links.parent {
            let parent = nodes.node_mut(p);
            let left = parent.links.left == Some(child);
            match (parent.balance(), left) {
                (Balance::Even, true) => parent.set_balance(Balance::Left),
                (Balance::Even, false) => parent.set_balance(Balance::Right),
                (Balance::Left, false) | (Balance::Right, true) => {
                    parent.set_balance(Balance::Even);
                    return;
                }
                (Balance::Left, true) | (Balance::Right, false) => {
                    self.straighten(nodes, p);
                    return;
                }
            }
            child = p;
        }
    }

    /// Restores the balance from `p` upwards; its left (or right) subtree has become one level lower.
    fn shrunk<N: Nodes>(&mut self, nodes: &mut N, mut p: NodeId, mut left: bool) {
        loop {
            let parent = nodes.node_mut(p);
            let top = match (parent.balance(), left) {
                (Balance::Even, true) => {
                    parent.set_balance(Balance::Right);
                    return;
                }
                (Balance::Even, false) => {
                    parent.set_balance(Balance::Left);
                    return;
                }
                (Balance::Left, true) | (Balance::Right, false) => {
                    parent.set_balance(Balance::Even);
                    p
                }
                (Balance::Left, false) | (Balance::Right, true) => {
                    let top = self.straighten(nodes, p);
                    if nodes.node(top).balance() != Balance::Even {
                        return;
                    }
                    top
                }
            };
            let Some(above) = nodes.node(top).links.parent else { return };
            left = nodes.node(above).links.left == Some(top);
            p = above;
        }
    }

    /// Mends a node whose higher subtree has become two levels higher than the other one; returns the new root
    /// of this subtree, which is even exactly when the subtree has become one level lower.
    fn straighten<N: Nodes>(&mut self, nodes: &mut N, x: NodeId) -> NodeId {
        let heavy_left = nodes.node(x).balance() == Balance::Left;
        let (toward, away) =
            if heavy_left { (Balance::Left, Balance::Right) } else { (Balance::Right, Balance::Left) };
        let Some(z) = (if heavy_left { nodes.node(x).links.left } else { nodes.node(x).links.right }) else {
            return x;
        };
        let z_balance = nodes.node(z).balance();
        if z_balance != away {
            self.rotate(nodes, x, !heavy_left);
            let even = z_balance == Balance::Even;
            nodes.node_mut(x).set_balance(if even { toward } else { Balance::Even });
            nodes.node_mut(z).set_balance(if even { away } else { Balance::Even });
            return z;
        }
        let Some(y) = (if heavy_left { nodes.node(z).links.right } else { nodes.node(z).links.left }) else {
            return x;
        };
        let y_balance = nodes.node(y).balance();
        self.rotate(nodes, z, heavy_left);
        self.rotate(nodes, x, !heavy_left);
        nodes.node_mut(x).set_balance(if y_balance == toward { away } else { Balance::Even });
        nodes.node_mut(z).set_balance(if y_balance == away { toward } else { Balance::Even });
        nodes.node_mut(y).set_balance(Balance::Even);
        y
    }

    /// Turns the edge between `x` and its right child (`to_left`) or its left child.
    fn rotate<N: Nodes>(&mut self, nodes: &mut N, x: NodeId, to_left: bool) {
        let Links { left, right, parent, .. } = nodes.node(x).links;
        let Some(y) = (if to_left { right } else { left }) else { return };
        let up = *nodes.node(y);
        let lower = nodes.node_mut(x);
        let inner = if to_left {
            (lower.links.right, lower.links.right_max) = (up.links.left, up.links.left_max);
            up.links.left
        } else {
            (lower.links.left, lower.links.left_max) = (up.links.right, up.links.right_max);
            up.links.right
        };
        lower.links.parent = Some(y);
        let largest = lower.largest();
        let upper = nodes.node_mut(y);
        if to_left {
            (upper.links.left, upper.links.left_max) = (Some(x), largest);
        } else {
            (upper.links.right, upper.links.right_max) = (Some(x), largest);
        }
        upper.links.parent = parent;
        if let Some(inner) = inner {
            nodes.node_mut(inner).links.parent = Some(x);
        }
        self.replace_child(nodes, parent, x, Some(y));
    }

    /// `new` comes right before `id`; `prev`, where known, right before both.
    pub(crate) fn insert_before<N: Nodes>(
        &mut self,
        nodes: &mut N,
        id: NodeId,
        prev: Option<NodeId>,
        new: NodeId,
    ) {
        match nodes.node(id).links.left {
            None => self.attach(nodes, id, true, new),
            Some(left) => {
                let before = prev.unwrap_or_else(|| end_of(nodes, left, false));
                self.attach(nodes, before, false, new);
            }
        }
    }

    /// `new` comes right behind `id`; `next`, where known, right behind both.
    pub(crate) fn insert_after<N: Nodes>(
        &mut self,
        nodes: &mut N,
        id: NodeId,
        next: Option<NodeId>,
        new: NodeId,
    ) {
        match nodes.node(id).links.right {
            None => self.attach(nodes, id, false, new),
            Some(right) => {
                let behind = next.unwrap_or_else(|| end_of(nodes, right, true));
                self.attach(nodes, behind, true, new);
            }
        }
    }

    /// `new` is the first segment of all.
    pub(crate) fn plant(&mut self, new: NodeId) {
        self.root = Some(new);
    }

    /// `id` is no segment any more.
    pub(crate) fn remove<N: Nodes>(&mut self, nodes: &mut N, id: NodeId) {
        let node = nodes.node(id);
        let (Some(_), Some(right)) = (node.links.left, node.links.right) else {
            self.unlink(nodes, id);
            return;
        };
        // Two children: the next segment in order has no left child; it leaves its place and takes ours.
        let heir = end_of(nodes, right, true);
        self.unlink(nodes, heir);
        let Links { left, right, parent, left_max, right_max, .. } = nodes.node(id).links;
        let balance = nodes.node(id).balance();
        let h = nodes.node_mut(heir);
        (h.links.left, h.links.right, h.links.parent, h.links.left_max, h.links.right_max) =
            (left, right, parent, left_max, right_max);
        h.set_balance(balance);
        for child in [left, right].into_iter().flatten() {
            nodes.node_mut(child).links.parent = Some(heir);
        }
        self.replace_child(nodes, parent, id, Some(heir));
        lift(nodes, heir);
    }

    /// The size of `id` as a HOLE has changed.
    pub(crate) fn changed<N: Nodes>(&mut self, nodes: &mut N, id: NodeId) {
        lift(nodes, id);
    }

    /// Whether of two neighbours that become one it is `low`, the first, whose node is better kept: with two children it is
    /// the harder one to take out, and the one behind it, its successor, has at most one.
    pub(crate) fn keeps<N: Nodes>(&self, nodes: &N, low: NodeId) -> bool {
        let node = nodes.node(low);
        node.links.left.is_some() && node.links.right.is_some()
    }
}

/// Carries a changed largest HOLE of `id`'s subtree up, as far as it makes a difference.
fn lift<N: Nodes>(nodes: &mut N, mut id: NodeId) {
    loop {
        let node = nodes.node(id);
        let largest = node.largest();
        let Some(p) = node.links.parent else { return };
        let parent = nodes.node_mut(p);
        let known = if parent.links.left == Some(id) {
            &mut parent.links.left_max
        } else {
            &mut parent.links.right_max
        };
        if *known == largest {
            return;
        }
        *known = largest;
        id = p;
    }
}

/// The first HOLE of at least `size` in the subtree of `id`.
#[inline]
fn leftmost<N: Nodes>(nodes: &N, mut id: NodeId, size: u64) -> Option<NodeId> {
    loop {
        let node = nodes.node(id);
        if node.links.left_max >= size {
            id = node.links.left?;
        } else if node.hole_size() >= size {
            return Some(id);
        } else if node.links.right_max >= size {
            id = node.links.right?;
        } else {
            return None;
        }
    }
}

/// The first (or last) node of the subtree of `id`.
fn end_of<N: Nodes>(nodes: &N, mut id: NodeId, first: bool) -> NodeId {
    loop {
        let node = nodes.node(id);
        match if first { node.links.left } else { node.links.right } {
            Some(child) => id = child,
            None => return id,
        }
    }
}
