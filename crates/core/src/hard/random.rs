//! Random numbers that decide where hardened blocks go: fast, of good quality, and started from what an attacker does
//! not know. Not a cipher: who sees many numbers can compute the state, but a program shows none of them.
//!
//! The step is SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).

use core::cell::Cell;

/// A source of random numbers for one heap.
pub struct Random(Cell<u64>);

impl Random {
    /// Starts the source. The secret is the process's, the address the heap's, the time this moment's.
    pub fn seed(&self, secret: usize, address: usize, time: u64) {
        self.0.set(
            (secret as u64).rotate_left(32) ^ (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ time,
        );
        self.next();
    }

    /// The next 64 bits.
    #[inline]
    pub fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit` (at most 2^32).
    #[inline]
    pub fn below(&self, limit: usize) -> usize {
        (((self.next() >> 32) * limit as u64) >> 32) as usize
    }
}
