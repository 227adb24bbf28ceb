//! The node that stands for a region, a segment, or nothing yet: 64 bytes, one cache line.
//!
//! Nodes name each other by index, so the storage may be anything that grows. Only this crate reads or writes
//! what is inside a node; the caller just keeps it.

use core::num::NonZeroU32;

/// The name of a node: its index in the caller's storage, plus one, so that `Option<NodeId>` is four bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct NodeId(NonZeroU32);

impl NodeId {
    /// The name of the node at `index` of the storage; None for `u32::MAX`, which has no name.
    #[inline]
    pub const fn new(index: u32) -> Option<NodeId> {
        match NonZeroU32::new(index.wrapping_add(1)) {
            Some(n) => Some(NodeId(n)),
            None => None,
        }
    }

    /// The index in the storage.
    #[inline(always)]
    pub const fn index(self) -> u32 {
        self.0.get() - 1
    }

    /// The name as a number that is not 0, to be kept in a word; [`NodeId::from_raw`] is the way back.
    #[inline(always)]
    pub const fn raw(self) -> u32 {
        self.0.get()
    }

    /// The name that [`NodeId::raw`] gave; None for 0.
    #[inline(always)]
    pub const fn from_raw(raw: u32) -> Option<NodeId> {
        match NonZeroU32::new(raw) {
            Some(n) => Some(NodeId(n)),
            None => None,
        }
    }
}

/// Where the nodes live. `node` and `node_mut` are asked only for ids that `grow` gave.
pub trait Nodes {
    /// The node called `id`.
    fn node(&self, id: NodeId) -> &Node;
    /// The node called `id`, to be changed.
    fn node_mut(&mut self, id: NodeId) -> &mut Node;
    /// One more node, of any content (zero bytes will do), that no id before named. None: no storage.
    fn grow(&mut self) -> Option<NodeId>;
}

/// What a node keeps beside its place: where it belongs, and its place in the tree.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Links {
    /// The caller's word.
    tag: u64,
    /// The largest HOLE in the left subtree, granules; 0: none.
    pub(crate) left_max: u64,
    /// The largest HOLE in the right subtree.
    pub(crate) right_max: u64,
    pub(crate) left: Option<NodeId>,
    /// Of a region: the last segment.
    pub(crate) right: Option<NodeId>,
    /// parent.left = self or parent.right = self; None at the root.
    pub(crate) parent: Option<NodeId>,
    belongs: Option<NodeId>,
}

impl Links {
    /// Of a segment: the region whose sub-chain it is in. Of a region: the first segment of its sub-chain.
    #[inline(always)]
    pub(crate) fn belongs(&self) -> Option<NodeId> {
        self.belongs
    }

    /// Sets that.
    #[inline(always)]
    pub(crate) fn set_belongs(&mut self, id: Option<NodeId>) {
        self.belongs = id;
    }

    /// Of a region: the last segment of its sub-chain.
    #[inline(always)]
    pub(crate) fn last(&self) -> Option<NodeId> {
        self.right
    }

    /// Sets that.
    #[inline(always)]
    pub(crate) fn set_last(&mut self, id: Option<NodeId>) {
        self.right = id;
    }

    /// The caller's word.
    #[inline(always)]
    pub(crate) fn tag(&self) -> u64 {
        self.tag
    }

    /// Sets that.
    #[inline(always)]
    pub(crate) fn set_tag(&mut self, tag: u64) {
        self.tag = tag;
    }
}

/// The longest region or segment, in granules: the upper bits of the word carry kind and balance.
pub const SIZE_MAX: u64 = (1 << 60) - 1;

const HOLE: u64 = 1 << 63;
const BALANCE_SHIFT: u32 = 60;
const BALANCE: u64 = 3 << BALANCE_SHIFT;

/// Which subtree of a node is the higher one (by exactly one level).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Balance {
    Even,
    Left,
    Right,
}

/// One node. As a segment it is in its region's sub-chain, by `prev` and `next`, and in the order of the chain; as a
/// region it is in the main chain; a free one uses only `next`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Node {
    /// First granule.
    pub(crate) start: u64,
    /// Bits 0–59: granules. Bits 60–61: balance. Bit 63: HOLE.
    word: u64,
    /// next.prev = self; prev.start + prev.size = self.start within a sub-chain.
    pub(crate) prev: Option<NodeId>,
    pub(crate) next: Option<NodeId>,
    pub(crate) links: Links,
}

const _: () = assert!(size_of::<Node>() == 64);

impl Node {
    /// A node that stands for nothing.
    pub const EMPTY: Node = Node {
        start: 0,
        word: 0,
        prev: None,
        next: None,
        links: Links {
            tag: 0,
            left_max: 0,
            right_max: 0,
            left: None,
            right: None,
            parent: None,
            belongs: None,
        },
    };

    /// The largest HOLE in the subtree of which this is the root.
    #[inline(always)]
    pub(crate) fn largest(&self) -> u64 {
        self.hole_size().max(self.links.left_max).max(self.links.right_max)
    }

    #[inline(always)]
    pub(crate) fn balance(&self) -> Balance {
        match (self.word & BALANCE) >> BALANCE_SHIFT {
            0 => Balance::Even,
            1 => Balance::Left,
            _ => Balance::Right,
        }
    }

    #[inline(always)]
    pub(crate) fn set_balance(&mut self, balance: Balance) {
        self.word = self.word & !BALANCE | (balance as u64) << BALANCE_SHIFT;
    }
}

impl Node {
    /// A segment in `belongs`, or a region whose first segment that is, between `prev` and `next`.
    #[inline(always)]
    pub(crate) fn of(start: u64, size: u64, hole: bool, belongs: NodeId) -> Node {
        let mut node = Node {
            start,
            word: size | if hole { HOLE } else { 0 },
            prev: None,
            next: None,
            links: Links::default(),
        };
        node.links.set_belongs(Some(belongs));
        node
    }

    /// What a reader that found this node by itself may want to know: first granule, granules, whether it is a HOLE, the
    /// first segment's name (of a region), the next one's name.
    pub fn seen(&self) -> (u64, u64, bool, Option<NodeId>, Option<NodeId>) {
        (self.start, self.size(), self.is_hole(), self.links.belongs(), self.next)
    }

    #[inline(always)]
    pub(crate) fn size(&self) -> u64 {
        self.word & SIZE_MAX
    }

    #[inline(always)]
    pub(crate) fn set_size(&mut self, size: u64) {
        self.word = self.word & !SIZE_MAX | size;
    }

    /// One past the last granule.
    #[inline(always)]
    pub(crate) fn end(&self) -> u64 {
        self.start + self.size()
    }

    #[inline(always)]
    pub(crate) fn is_hole(&self) -> bool {
        self.word & HOLE != 0
    }

    #[inline(always)]
    pub(crate) fn set_hole(&mut self, hole: bool) {
        self.word = self.word & !HOLE | if hole { HOLE } else { 0 };
    }

    /// The size as a HOLE: 0 for a PROCESS segment.
    #[inline(always)]
    pub(crate) fn hole_size(&self) -> u64 {
        if self.is_hole() { self.size() } else { 0 }
    }
}

/// A segment as it stands now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// First granule.
    pub start: u64,
    /// Granules.
    pub size: u64,
    /// PROCESS (given out) or else HOLE.
    pub process: bool,
    /// The region whose sub-chain it is in.
    pub region: NodeId,
    /// The caller's word for this segment; 0 until it is set, and again whenever the segment is freed.
    pub tag: u64,
    /// The segment before it in the sub-chain.
    pub prev: Option<NodeId>,
    /// The segment behind it in the sub-chain.
    pub next: Option<NodeId>,
}

/// A region as it stands now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Its node in the main chain.
    pub id: NodeId,
    /// First granule.
    pub start: u64,
    /// Granules.
    pub size: u64,
    /// The caller's word for this region: the physical base, say.
    pub tag: u64,
    /// The first segment of its sub-chain.
    pub first: NodeId,
    /// The last segment of its sub-chain.
    pub last: NodeId,
}
