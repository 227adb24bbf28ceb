//! Size classes: which slot size serves a request, and how the slabs of a class are cut.
//!
//! Slots are multiples of 16 bytes: steps of 16 up to 256, then eight classes a doubling up to 1024, then
//! four a doubling up to [`SLAB_MAX`]. No class crosses a power of two, so the size histogram, whose rows are
//! powers of two, is a sum of classes. Pure arithmetic; owns nothing.

/// Room in tables that are indexed by class. Class 0 is "not a slab".
pub const LIMIT: usize = 64;
