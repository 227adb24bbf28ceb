//! Random numbers that decide where hardened blocks go: fast, and started from what an attacker does not know. Not a
//! cipher: who sees many numbers can compute the state, but a program shows none of them.
//!
//! The step is a linear congruential generator with the multiplier of Knuth's MMIX, of which only the high bits are used.

use core::cell::Cell;

/// A source of random numbers for one heap.
pub struct Random(Cell<u64>);

impl Random {
    /// Starts the source. The secret is the process's, the address the heap's, the time this moment's.
    pub fn seed(&self, secret: usize, address: usize, time: u64) {
        let mixed = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ time;
        self.0
            .set((secret as u64).rotate_left(32) ^ (mixed ^ mixed >> 32).wrapping_mul(0xbf58_476d_1ce4_e5b9));
    }

    /// A number below `limit` (at most 2^32). Three instructions and a load.
    #[inline(always)]
    pub fn below(&self, limit: usize) -> usize {
        self.two_below(limit, 1).0
    }

    /// A number below `first` and one below `second`, both small, out of one step: what is left over from the first makes
    /// the second.
    #[inline(always)]
    pub fn two_below(&self, first: usize, second: usize) -> (usize, usize) {
        let state =
            self.0.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0.set(state);
        let product = (state >> 32) * first as u64;
        ((product >> 32) as usize, (((product & 0xffff_ffff) * second as u64) >> 32) as usize)
    }
}
