//! Size classes: which slot size serves a request, and how the slabs of a class are cut.
//!
//! Slots are multiples of 16 bytes: steps of 16 up to 256, then eight classes a doubling up to 1024, then those that leave
//! little of their slab over: so many to a slab, in multiples of 64 bytes, up to [`SLAB_MAX`]. No class crosses a power of two, so the size histogram, whose rows are
//! powers of two, is a sum of classes. Slots end where their slab ends; what is left over lies in front of the
//! first. So whether an address is the start of a slot is one question: is its distance to the slab's end a
//! multiple of the slot size? It is answered by one multiplication (Lemire, Kaser, Kurz: Faster remainder by
//! direct computation, 2019). Pure arithmetic; owns nothing.

use crate::os::PAGE;

/// Room in tables that are indexed by class. Class 0 is "not a slab".
pub const LIMIT: usize = 64;
/// Classes in use are 1 to `COUNT`.
pub const COUNT: usize = 56;
/// The largest request that goes to a table look-up of 16-byte steps, in bytes.
pub const SMALL_MAX: usize = 1024;
/// The largest slot, in bytes.
pub const SLAB_MAX: usize = 32768;
/// Most slots a slab has.
pub const SLOTS_MAX: usize = 1024;

/// What is fixed for a class.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub struct Class {
    /// Slot size in bytes.
    pub slot: u32,
    /// Slab size in bytes, less 1; the slab is aligned to its size.
    pub mask: u32,
    /// ceil(2^32 / slot).
    pub inverse: u32,
    /// Slots a slab has: slab size / slot.
    pub slots: u32,
    /// What a block adds to a heap's level.
    pub weight: u64,
    /// The most blocks that a thread's stack of this class holds at first.
    pub stack: u16,
    /// The most blocks that it ever holds.
    pub deepest: u16,
    /// The row of the size histogram that its sizes belong to.
    pub row: u8,
}

/// The classes, by number.
pub static CLASSES: [Class; LIMIT] = TABLE;

/// The same, for constants.
pub const TABLE: [Class; LIMIT] = {
    let mut all =
        [Class { slot: 0, mask: 0, inverse: 0, slots: 0, weight: 0, stack: 0, deepest: 0, row: 0 }; LIMIT];
    let mut c = 1;
    while c <= COUNT {
        all[c] = class(slot_size(c));
        c += 1;
    }
    all
};

/// 16 times the class by `(size + 15) / 16`, for sizes up to [`SMALL_MAX`]: a tally takes 16 bytes and a stack 64, so the
/// number is an offset among the ones and, times four, which an address may hold, among the others.
static SMALL: [u16; SMALL_MAX / 16 + 1] = {
    let mut table = [16u16; SMALL_MAX / 16 + 1];
    let mut i = 1;
    while i < table.len() {
        table[i] = search(i * 16) as u16 * 16;
        i += 1;
    }
    table
};

/// Class by `(size + 63) / 64`, for sizes up to [`SLAB_MAX`] and above [`SMALL_MAX`]. Wider than `SMALL`,
/// lest the compiler make one look-up with a choice of tables out of the two and malloc slower for small sizes.
static MEDIUM: [u16; SLAB_MAX / 64 + 1] = {
    let mut table = [1u16; SLAB_MAX / 64 + 1];
    let mut i = 1;
    while i < table.len() {
        table[i] = search(i * 64) as u16;
        i += 1;
    }
    table
};

/// The slots above [`SMALL_MAX`]: 14, 12, 11, 10, 9 and 8 to a slab of four pages; the same to one of eight; then 7, 6, 5 and 4 to
/// one of eight, and to one of sixteen. Of those above 16 KiB what is left over are whole pages, which nobody touches.
const MEDIUM_SLOTS: [usize; COUNT - 32] = [
    1152, 1344, 1472, 1600, 1792, 2048, 2304, 2688, 2944, 3264, 3584, 4096, 4608, 5440, 6528, 8192, 9344,
    10880, 13056, 16384, 20480, 24576, 28672, 32768,
];

const fn slot_size(class: usize) -> usize {
    match class {
        1..=16 => class * 16,
        17..=24 => 256 + (class - 16) * 32,
        25..=32 => 512 + (class - 24) * 64,
        _ => MEDIUM_SLOTS[class - 33],
    }
}

const fn class(slot: usize) -> Class {
    let slab = match slot {
        ..=2048 => 4 * PAGE,
        2049..=8192 => 8 * PAGE,
        _ => 16 * PAGE,
    };
    let (stack, deepest) = ((64 << 10) / slot, (512 << 10) / slot);
    Class {
        slot: slot as u32,
        mask: slab as u32 - 1,
        inverse: (1u64 << 32).div_ceil(slot as u64) as u32,
        slots: (slab / slot) as u32,
        weight: crate::count::weight(slot),
        stack: if stack > 1024 { 1024 } else { stack as u16 },
        deepest: deepest as u16,
        row: crate::count::size_row(slot) as u8,
    }
}

const fn search(size: usize) -> usize {
    let mut c = 1;
    while slot_size(c) < size {
        c += 1;
    }
    c
}

/// The class that serves `size` ≤ [`SMALL_MAX`] bytes.
#[inline(always)]
pub fn of_small(size: usize) -> usize {
    offset_of_small(size) / 16
}

/// 16 times that class.
#[inline(always)]
pub fn offset_of_small(size: usize) -> usize {
    let offset = SMALL[size.wrapping_add(15) >> 4] as usize;
    // SAFETY: the table holds classes only, times 16.
    unsafe { core::hint::assert_unchecked(offset <= COUNT * 16) };
    offset
}

/// The class that serves `size` bytes, [`SMALL_MAX`] < `size` ≤ [`SLAB_MAX`].
#[inline(always)]
pub fn of_medium(size: usize) -> usize {
    let class = MEDIUM[(size + 63) >> 6] as usize;
    // SAFETY: the table holds classes only.
    unsafe { core::hint::assert_unchecked(class <= COUNT) };
    class
}

/// The class that serves `size` ≤ [`SLAB_MAX`] bytes.
#[inline(always)]
pub fn of(size: usize) -> usize {
    if size <= SMALL_MAX { of_small(size) } else { of_medium(size) }
}

/// The smallest class that serves `size` bytes at a multiple of `align` (a power of two), or None where only
/// whole pages do.
///
/// Up to 1 KiB it is the class of the size rounded up to the alignment: there classes stand at even steps between two powers of
/// two, so a class is either a multiple of a step that is one of `align`, or the rounded size itself. Above, one of the next
/// few is; the last before each power of two at the latest.
#[inline(always)]
pub fn of_aligned(size: usize, align: usize) -> Option<usize> {
    of_aligned_below(size, align, SLAB_MAX + 1)
}

/// As [`of_aligned`] for sizes below `below`, which is at most [`SLAB_MAX`] + 1; None for others.
#[inline(always)]
pub fn of_aligned_below(size: usize, align: usize, below: usize) -> Option<usize> {
    if size >= below || align > PAGE {
        return None;
    }
    let size = size.max(1).wrapping_add(align - 1) & align.wrapping_neg();
    if size > SLAB_MAX {
        return None;
    }
    let mut class = of(size);
    while CLASSES[class].slot as usize & (align - 1) != 0 && class < COUNT {
        class += 1;
    }
    Some(class)
}

impl Class {
    /// The number of the slot that starts at `address` (0 is the slab's last), or None when no slot does.
    #[inline(always)]
    pub fn slot_at(&self, address: usize) -> Option<usize> {
        let from_end = (!(address as u32) & self.mask) + 1;
        let product = from_end as u64 * self.inverse as u64;
        if product as u32 >= self.inverse {
            return None;
        }
        Some((product >> 32) as usize - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_gets_the_smallest_slot_that_holds_it() {
        for size in 0..=SLAB_MAX {
            let c = of(size);
            assert!(CLASSES[c].slot as usize >= size);
            assert!(c == 1 || (CLASSES[c - 1].slot as usize) < size);
        }
    }

    #[test]
    fn little_of_a_slab_is_left_over_and_little_of_a_slot() {
        for c in 33..=COUNT {
            let (class, before) = (&CLASSES[c], CLASSES[c - 1].slot);
            assert!(
                class.slot.is_multiple_of(64) && class.slot * 100 <= before * 126,
                "from {before} to {}",
                class.slot
            );
            if class.slot <= 16384 {
                let (slab, used) = (class.mask + 1, class.slots * class.slot);
                assert!(used * 40 >= slab * 39, "{} of {slab} in slots of {}", used, class.slot);
            }
        }
    }

    #[test]
    fn a_class_lies_in_one_row_of_the_histogram() {
        for c in 1..=COUNT {
            let smallest = if c == 1 { 0 } else { CLASSES[c - 1].slot as usize + 1 };
            assert_eq!(crate::count::size_row(smallest), CLASSES[c].row as usize);
            assert_eq!(crate::count::size_row(CLASSES[c].slot as usize), CLASSES[c].row as usize);
        }
    }

    #[test]
    fn only_slot_starts_have_a_slot_number() {
        for class in &CLASSES[1..=COUNT] {
            let size = class.mask as usize + 1;
            for offset in 0..size {
                let base = 7 * size;
                let from_end = size - offset;
                let expected =
                    from_end.is_multiple_of(class.slot as usize).then(|| from_end / class.slot as usize - 1);
                assert_eq!(class.slot_at(base + offset), expected, "slot {} offset {offset}", class.slot);
            }
        }
    }

    #[test]
    fn aligned_requests_get_the_smallest_slot_that_is_a_multiple_of_the_alignment() {
        for shift in 0..=12 {
            for size in 0..=SLAB_MAX {
                let fits = |c: &usize| {
                    CLASSES[*c].slot as usize >= size && CLASSES[*c].slot.is_multiple_of(1 << shift)
                };
                assert_eq!(of_aligned(size, 1 << shift), (1..=COUNT).find(fits), "{size} at {shift}");
            }
        }
        assert_eq!(of_aligned(16, 8192), None);
        assert_eq!(of_aligned(SLAB_MAX, 4096), Some(COUNT));
    }
}
