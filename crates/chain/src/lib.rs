//! The heart of the MeMS engine: a main chain of regions, each with a sub-chain of PROCESS and HOLE segments.
//!
//! Pure bookkeeping. It owns no memory but the nodes its caller lends it through [`Nodes`], makes no system
//! call, takes no lock, and never recurses, so it runs on the smallest stack. What a granule is (one byte
//! for the mems_* address space, one page for the malloc heap) is the caller's business.
//!
//! Placement is exact address-ordered first fit, the choice of a plain scan from the lowest address, found in
//! O(log n) by one balanced tree over all segments, in which each node knows the largest HOLE on either side.
#![no_std]
#![forbid(unsafe_code)]

mod audit;
mod chain;
mod links;
mod node;
mod order;
mod region;
mod tree;
mod walk;

pub use chain::{ALIGNED_TRIES, Chain, Counters, NoStorage};
pub use node::{BareLinks, Links, Node, NodeId, Nodes, Region, SIZE_MAX, Segment, TreeLinks};
pub use order::{Order, Unordered};
pub use tree::Tree;
pub use walk::{Regions, Segments};
