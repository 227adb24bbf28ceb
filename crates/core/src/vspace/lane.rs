//! A lane: sixteen sizes side by side in one cache line, compared at once.
//!
//! The step of the descent to the first HOLE that is large enough, with no branch that depends on the sizes. Sizes
//! of [`MOST`] and more all count as MOST. Read and written under the lock only.

#[cfg(target_arch = "x86_64")]
use core::arch::x86_64;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The largest size that is told apart from larger ones: 2 GiB − 1, the most that SSE2 compares.
pub const MOST: u32 = i32::MAX as u32;

/// Sixteen sizes, each at most [`MOST`]; 0: none.
#[repr(C, align(64))]
pub struct Lane([AtomicU32; 16]);

impl Lane {
    /// All 0.
    pub const fn new() -> Self {
        Lane([const { AtomicU32::new(0) }; 16])
    }

    /// Size number `i` (mod 16).
    #[inline(always)]
    pub fn get(&self, i: usize) -> u32 {
        self.0[i % 16].load(Relaxed)
    }

    /// Sets size number `i` (mod 16).
    #[inline(always)]
    pub fn set(&self, i: usize, size: u32) {
        self.0[i % 16].store(size, Relaxed);
    }

    /// Sets size number `i` (mod 16) if it is below `size`; whether it was.
    #[inline(always)]
    pub fn raise(&self, i: usize, size: u32) -> bool {
        let below = self.get(i) < size;
        if below {
            self.set(i, size);
        }
        below
    }

    /// The largest of the sixteen.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub fn largest(&self) -> u32 {
        let low = larger(self.quarter(0), self.quarter(1));
        let high = larger(self.quarter(2), self.quarter(3));
        let four = larger(low, high);
        // SAFETY: SSE2 belongs to x86-64.
        let two = larger(four, unsafe { x86_64::_mm_shuffle_epi32::<0b01_00_11_10>(four) });
        // SAFETY: as before.
        let one = larger(two, unsafe { x86_64::_mm_shuffle_epi32::<0b10_11_00_01>(two) });
        // SAFETY: as before.
        unsafe { x86_64::_mm_cvtsi128_si32(one) as u32 }
    }

    /// The largest of the sixteen.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn largest(&self) -> u32 {
        (0..16).fold(0, |largest, i| self.get(i).max(largest))
    }

    /// The number of the first size that is at least `size` (not 0).
    #[inline(always)]
    pub fn first(&self, size: u32) -> Option<usize> {
        let mask = self.at_least(size);
        if mask == 0 { None } else { Some(mask.trailing_zeros() as usize) }
    }

    /// Bit i: size number i is at least `size`.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn at_least(&self, size: u32) -> u32 {
        // SAFETY: SSE2 belongs to x86-64.
        let below = unsafe { x86_64::_mm_set1_epi32(size as i32 - 1) };
        // SAFETY: as before.
        let fits = |i| unsafe { x86_64::_mm_cmpgt_epi32(self.quarter(i), below) };
        // SAFETY: as before.
        let low = unsafe { x86_64::_mm_packs_epi32(fits(0), fits(1)) };
        // SAFETY: as before.
        let high = unsafe { x86_64::_mm_packs_epi32(fits(2), fits(3)) };
        // SAFETY: as before.
        let all = unsafe { x86_64::_mm_packs_epi16(low, high) };
        // SAFETY: as before.
        unsafe { x86_64::_mm_movemask_epi8(all) as u32 }
    }

    /// Four of the sixteen sizes.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn quarter(&self, i: usize) -> x86_64::__m128i {
        let at = self.0.as_ptr().cast::<x86_64::__m128i>().wrapping_add(i % 4);
        // SAFETY: a Lane is 64 bytes, aligned to 64, and only the lock's holder writes to it.
        unsafe { x86_64::_mm_load_si128(at) }
    }

    /// Bit i: size number i is at least `size`.
    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn at_least(&self, size: u32) -> u32 {
        (0..16).fold(0, |mask, i| mask | u32::from(self.get(i) >= size) << i)
    }
}

/// The larger of each two sizes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn larger(a: x86_64::__m128i, b: x86_64::__m128i) -> x86_64::__m128i {
    // SAFETY: SSE2 belongs to x86-64.
    let a_wins = unsafe { x86_64::_mm_cmpgt_epi32(a, b) };
    // SAFETY: as before.
    let from_a = unsafe { x86_64::_mm_and_si128(a_wins, a) };
    // SAFETY: as before.
    let from_b = unsafe { x86_64::_mm_andnot_si128(a_wins, b) };
    // SAFETY: as before.
    unsafe { x86_64::_mm_or_si128(from_a, from_b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_and_largest_are_those_of_a_plain_loop() {
        let lane = Lane::new();
        assert_eq!((lane.first(1), lane.largest()), (None, 0));
        let mut seed = 1u32;
        for _ in 0..2000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            lane.set((seed >> 8) as usize, (seed >> 9) % 40 * if seed & 64 == 0 { 1 } else { MOST / 40 });
            let sizes: [u32; 16] = core::array::from_fn(|i| lane.get(i));
            assert_eq!(lane.largest(), sizes.into_iter().max().unwrap_or(0));
            for want in [1, 2, 20, 39, 40, MOST / 2, MOST - 40, MOST] {
                assert_eq!(lane.first(want), sizes.iter().position(|s| *s >= want));
            }
        }
    }
}
