//! A lane: sixteen sizes side by side, compared at once: of four bytes in one cache line, or of one byte.
//!
//! The step of the descent to the first HOLE that is large enough, with no branch that depends on the sizes. Sizes
//! of [`MOST`] and more all count as MOST. Read and written under the lock only.

#[cfg(target_arch = "x86_64")]
use core::arch::x86_64;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

/// The largest size that is told apart from larger ones: 2 GiB − 1, the most that SSE2 compares.
pub const MOST: u32 = i32::MAX as u32;

/// Sixteen sizes, each at most [`MOST`]; 0: none.
#[repr(C, align(64))]
pub struct Lane([AtomicU32; 16]);

impl Lane {
    /// All 0.
    #[cfg(test)]
    fn new() -> Self {
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

/// Sixteen small sizes: those of [`Short::MOST`] and more all count as MOST; 0: none.
#[repr(C, align(16))]
pub struct Short([AtomicU8; 16]);

impl Short {
    /// The largest size that is told apart from larger ones.
    pub const MOST: u32 = 255;

    /// Size number `i` (mod 16).
    #[inline(always)]
    pub fn get(&self, i: usize) -> u32 {
        self.0[i % 16].load(Relaxed) as u32
    }

    /// Sets size number `i` (mod 16).
    #[inline(always)]
    pub fn set(&self, i: usize, size: u32) {
        self.0[i % 16].store(size.min(Self::MOST) as u8, Relaxed);
    }

    /// Sets all to 0.
    pub fn clear(&self) {
        self.0.iter().for_each(|size| size.store(0, Relaxed));
    }

    /// The largest of the sixteen.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub fn largest(&self) -> u32 {
        let all = self.all();
        // SAFETY: SSE2 belongs to x86-64.
        let above = unsafe { x86_64::_mm_srli_si128::<8>(all) };
        let eight = larger_bytes(all, above);
        // SAFETY: as before.
        let above = unsafe { x86_64::_mm_srli_si128::<4>(eight) };
        let four = larger_bytes(eight, above);
        // SAFETY: as before.
        let above = unsafe { x86_64::_mm_srli_si128::<2>(four) };
        let two = larger_bytes(four, above);
        // SAFETY: as before.
        let both = unsafe { x86_64::_mm_cvtsi128_si32(two) as u32 };
        (both & 255).max(both >> 8 & 255)
    }

    /// The largest of the sixteen.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn largest(&self) -> u32 {
        (0..16).fold(0, |largest, i| self.get(i).max(largest))
    }

    /// All sixteen.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn all(&self) -> x86_64::__m128i {
        let at = self.0.as_ptr().cast::<x86_64::__m128i>();
        // SAFETY: a Short is 16 bytes, aligned to 16, and only the lock's holder writes to it.
        unsafe { x86_64::_mm_load_si128(at) }
    }

    /// Bit i: size number i is at least `size`, as far as that can be told.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub fn at_least(&self, size: u32) -> u32 {
        let sizes = self.all();
        // SAFETY: SSE2 belongs to x86-64.
        let size = unsafe { x86_64::_mm_set1_epi8(size.min(Self::MOST) as i8) };
        let larger = larger_bytes(sizes, size);
        // SAFETY: as before.
        let fits = unsafe { x86_64::_mm_cmpeq_epi8(larger, sizes) };
        // SAFETY: as before.
        unsafe { x86_64::_mm_movemask_epi8(fits) as u32 }
    }

    /// Bit i: size number i is at least `size`, as far as that can be told.
    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    pub fn at_least(&self, size: u32) -> u32 {
        let size = size.min(Self::MOST);
        (0..16).fold(0, |mask, i| mask | u32::from(self.get(i) >= size) << i)
    }
}

/// The larger of each two bytes.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn larger_bytes(a: x86_64::__m128i, b: x86_64::__m128i) -> x86_64::__m128i {
    // SAFETY: SSE2 belongs to x86-64.
    unsafe { x86_64::_mm_max_epu8(a, b) }
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

/// Asks for a cache line ahead of its use.
#[inline(always)]
pub fn soon<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing that the program could see, at whatever address.
    unsafe {
        core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(at.cast())
    };
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
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

    #[test]
    fn short_sizes_compare_as_in_a_plain_loop() {
        let short = Short([const { AtomicU8::new(0) }; 16]);
        let mut seed = 1u32;
        for _ in 0..2000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            short.set((seed >> 8) as usize, (seed >> 9) % 400);
            let sizes: [u32; 16] = core::array::from_fn(|i| short.get(i));
            assert_eq!(short.largest(), sizes.into_iter().max().unwrap_or(0));
            for want in [1, 2, 127, 128, 200, 254, 255, 256, MOST] {
                let plain = (0..16).fold(0, |mask, i| mask | u32::from(sizes[i] >= want.min(255)) << i);
                assert_eq!(short.at_least(want), plain);
            }
        }
    }
}
