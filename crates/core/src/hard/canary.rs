//! The bytes behind a block's asked end, and the zeros of a freed one: written when a block changes hands, looked at
//! when it changes hands again. Owns nothing.

use crate::hard::wide;

/// Most bytes that a canary has.
pub const LONGEST: usize = 8;

/// The longest slot that is wiped and looked at without a loop, in bytes.
pub const SHORT: usize = 128;

/// Eight bytes that depend on the block's address and the process's secret; none of them is zero, so that a string's
/// end that is written one too far shows as well.
#[inline(always)]
fn pattern(block: usize, secret: usize) -> u64 {
    // The first bytes count most: they are those of the product that depend on all of the address.
    let mixed = (block ^ secret).wrapping_mul(0x9e37_79b9_7f4a_7c15) as u64;
    mixed.swap_bytes() | 0x0101_0101_0101_0101
}

/// Puts the canary behind the `asked` bytes of a block.
///
/// # Safety
/// The [`LONGEST`] bytes from there on are memory of ours that nobody else uses.
#[inline(always)]
pub unsafe fn set(block: usize, asked: usize, secret: usize) {
    // SAFETY: the caller's promise.
    unsafe { ((block + asked) as *mut u64).write_unaligned(pattern(block, secret)) };
}

/// Whether it is whole.
///
/// # Safety
/// As for [`set`].
#[inline(always)]
pub unsafe fn is_whole(block: usize, asked: usize, secret: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ((block + asked) as *const u64).read_unaligned() == pattern(block, secret) }
}

/// As [`set`], in a place of `place` bytes, `asked` at least: as much of the canary as fits.
///
/// # Safety
/// `[block, block + place)` is memory of ours that nobody else uses.
pub unsafe fn set_within(block: usize, asked: usize, place: usize, secret: usize) {
    for (i, byte) in pattern(block, secret).to_le_bytes().iter().enumerate().take(place - asked) {
        // SAFETY: i < place - asked.
        unsafe { ((block + asked + i) as *mut u8).write(*byte) };
    }
}

/// Whether that is whole.
///
/// # Safety
/// As for [`set_within`].
pub unsafe fn is_whole_within(block: usize, asked: usize, place: usize, secret: usize) -> bool {
    let mut bytes = pattern(block, secret).to_le_bytes().into_iter().enumerate().take(place - asked);
    // SAFETY: i < place - asked.
    bytes.all(|(i, byte)| unsafe { ((block + asked + i) as *const u8).read() } == byte)
}

/// Makes `len` bytes from `block` on zero.
///
/// # Safety
/// They are memory of ours that nobody else uses.
#[inline]
pub unsafe fn clear(block: usize, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { core::ptr::write_bytes(block as *mut u8, 0, len) };
}

/// As [`clear`], for a block and a length that are multiples of 16, the length 16 to [`SHORT`]: without a call or a loop.
///
/// # Safety
/// As for [`clear`].
#[inline(always)]
pub unsafe fn wipe_short(block: usize, len: usize) {
    // SAFETY: 16 aligned bytes within the len from block on; the conditions below see to that.
    let zero = |at: usize| unsafe { ((block + at) as *mut u128).write(0) };
    if len > 64 {
        for at in [32, 48] {
            zero(at);
            zero(len - 16 - at);
        }
    }
    if len > 32 {
        zero(16);
        zero(len - 32);
    }
    zero(0);
    zero(len - 16);
}

/// From so many bytes on it is worth while to look first whether a block was written to.
const LONG: usize = 4096;

/// Makes `len` bytes from `block` on zero, and up to 15 more; of a long block, parts that are zero are not written to, so that
/// they cost no memory if nobody has.
///
/// # Safety
/// They are memory of ours that nobody else uses, to the next multiple of 16; `block` is one.
#[inline]
pub unsafe fn wipe(block: usize, len: usize) {
    let len = len.next_multiple_of(16);
    if len < LONG {
        // SAFETY: the caller's promise.
        return unsafe { clear(block, len) };
    }
    // SAFETY: as above.
    unsafe { wide::wipe(block, len) }
}

/// Bytes that are copied, or seen to be zero, at once.
const PART: usize = 4096;

/// Copies `len` bytes to memory that is zero, but for those parts that are zero already.
///
/// # Safety
/// Both are memory of ours, apart, that nobody else uses; multiples of 16.
pub unsafe fn copy_to_zero(from: usize, to: usize, len: usize) {
    let mut at = 0;
    while at < len {
        let next = (at + PART - ((from + at) & (PART - 1))).min(len);
        // SAFETY: within the len from `from` on.
        if next - at < PART || !unsafe { is_clear(from + at, PART) } {
            let (source, target) = ((from + at) as *const u8, (to + at) as *mut u8);
            // SAFETY: as above, in both.
            unsafe { core::ptr::copy_nonoverlapping(source, target, next - at) };
        }
        at = next;
    }
}

/// Whether `len` bytes from `block` on are zero. `block` and `len` are multiples of 16, `len` is 16 to [`SHORT`]. Without a
/// call or a loop.
///
/// # Safety
/// They are memory of ours.
#[inline(always)]
pub unsafe fn is_clear_short(block: usize, len: usize) -> bool {
    let last = block + len - 16;
    // SAFETY: 16 aligned bytes within the len from block on; the conditions below see to that.
    let pair = |at: usize| unsafe { (at as *const [u64; 2]).read() };
    let mut seen = both(pair(block), pair(last));
    if len > 32 {
        seen = both(seen, both(pair(block + 16), pair(last - 16)));
    }
    if len > 64 {
        seen = both(seen, both(pair(block + 32), pair(last - 32)));
        seen = both(seen, both(pair(block + 48), pair(last - 48)));
    }
    seen[0] | seen[1] == 0
}

#[inline(always)]
fn both(one: [u64; 2], other: [u64; 2]) -> [u64; 2] {
    [one[0] | other[0], one[1] | other[1]]
}

/// As [`is_clear_short`], for any length. One pass, whatever it finds.
///
/// # Safety
/// As for [`is_clear_short`].
#[inline]
pub unsafe fn is_clear(block: usize, len: usize) -> bool {
    match len {
        0 => true,
        // SAFETY: the caller's promise.
        1..=SHORT => unsafe { is_clear_short(block, len) },
        // SAFETY: as above.
        _ => unsafe { wide::is_clear(block, len) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(align(16))]
    struct Bytes([u8; 512]);

    #[test]
    fn every_byte_of_a_wiped_range_is_zero_and_none_beside_it() {
        for len in (16..=480).step_by(16) {
            let mut bytes = Bytes([7; 512]);
            let at = bytes.0.as_mut_ptr() as usize;
            let wipe = if len <= SHORT { wipe_short } else { wipe };
            // SAFETY: within the array, aligned.
            unsafe { wipe(at + 16, len) };
            assert!(bytes.0[16..16 + len].iter().all(|byte| *byte == 0));
            assert!(bytes.0[..16].iter().chain(&bytes.0[16 + len..]).all(|byte| *byte == 7));
        }
    }

    #[test]
    fn one_written_bit_shows_wherever_it_is() {
        for len in (16..=480).step_by(16) {
            for written in 0..len + 16 {
                let mut bytes = Bytes([0; 512]);
                bytes.0[written] = 128;
                let at = bytes.0.as_ptr() as usize;
                // SAFETY: within the array, aligned.
                assert_eq!(unsafe { is_clear(at, len) }, written >= len);
                if len <= SHORT {
                    // SAFETY: as above.
                    assert_eq!(unsafe { is_clear_short(at, len) }, written >= len);
                }
            }
        }
    }

    #[test]
    fn a_changed_canary_is_no_longer_whole_however_short_it_is() {
        let mut bytes = Bytes([0; 512]);
        let at = bytes.0.as_mut_ptr() as usize;
        for asked in 80..96 {
            // SAFETY: within the array.
            unsafe { set_within(at, asked, 96, 0x1234_5678) };
            // SAFETY: as above.
            assert!(unsafe { is_whole_within(at, asked, 96, 0x1234_5678) });
            // SAFETY: as above.
            assert!(asked > 88 || unsafe { is_whole(at, asked, 0x1234_5678) });
            for i in asked..96.min(asked + LONGEST) {
                let old = core::mem::replace(&mut bytes.0[i], 0);
                assert_ne!(old, 0, "no byte of a canary is zero");
                // SAFETY: as above.
                assert!(!unsafe { is_whole_within(at, asked, 96, 0x1234_5678) });
                // SAFETY: as above.
                assert!(asked > 88 || !unsafe { is_whole(at, asked, 0x1234_5678) });
                bytes.0[i] = old;
            }
        }
    }
}
