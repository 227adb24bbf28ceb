//! The heart of the MeMS engine: a main chain of regions, each with a sub-chain of PROCESS and HOLE segments.
//!
//! Pure bookkeeping. It owns no memory but the nodes its caller lends it through [`Nodes`], makes no system
//! call, takes no lock, and never recurses, so it runs on the smallest stack. What a granule is (one page
//! for the malloc heap) is the caller's business.
//!
//! Placement is exact address-ordered first fit, the choice of a plain scan from the lowest address, found in
//! O(log n) by one balanced tree over all segments, in which each node knows the largest HOLE on either side.
#![no_std]
#![forbid(unsafe_code)]

mod audit;
mod chain;
mod links;
mod node;
mod region;
mod tree;
mod walk;

pub use chain::{ALIGNED_TRIES, Chain, Counters, NoStorage};
pub use node::{Node, NodeId, Nodes, Region, SIZE_MAX, Segment};
pub use walk::{Regions, Segments};
