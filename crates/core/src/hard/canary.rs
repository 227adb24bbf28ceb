//! The bytes behind a block's asked end, and the zeros of a freed one: written when a block changes hands, looked at
//! when it changes hands again. Owns nothing.

/// Most bytes that a canary has.
pub const LONGEST: usize = 8;

/// Eight bytes that depend on the block's address and the process's secret; none of them is zero, so that a string's
/// end that is written one too far shows as well.
#[inline(always)]
fn pattern(block: usize, secret: usize) -> u64 {
    let mixed = (block ^ secret).wrapping_mul(0x9e37_79b9_7f4a_7c15) as u64;
    (mixed ^ mixed >> 29) | 0x0101_0101_0101_0101
}

/// Puts the canary behind the `asked` bytes of a block in a place of `place` bytes, as much of it as fits.
///
/// # Safety
/// `[block, block + place)` is memory of ours that nobody else uses; `asked` < `place`.
#[inline(always)]
pub unsafe fn set(block: usize, asked: usize, place: usize, secret: usize) {
    let bytes = pattern(block, secret);
    let room = place - asked;
    if room >= LONGEST {
        // SAFETY: eight bytes from the asked end on lie in the place.
        unsafe { ((block + asked) as *mut u64).write_unaligned(bytes) };
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { set_short(block + asked, room, bytes) };
}

/// # Safety
/// The `room` bytes from `end` on are memory of ours.
#[cold]
unsafe fn set_short(end: usize, room: usize, bytes: u64) {
    for (i, byte) in bytes.to_le_bytes().iter().enumerate().take(room) {
        // SAFETY: i < room.
        unsafe { ((end + i) as *mut u8).write(*byte) };
    }
}

/// Whether the canary is whole.
///
/// # Safety
/// As for [`set`].
#[inline(always)]
pub unsafe fn is_whole(block: usize, asked: usize, place: usize, secret: usize) -> bool {
    let bytes = pattern(block, secret);
    let room = place - asked;
    if room >= LONGEST {
        // SAFETY: eight bytes from the asked end on lie in the place.
        return unsafe { ((block + asked) as *const u64).read_unaligned() } == bytes;
    }
    // SAFETY: the caller's promise.
    unsafe { is_whole_short(block + asked, room, bytes) }
}

/// # Safety
/// The `room` bytes from `end` on are memory of ours.
#[cold]
unsafe fn is_whole_short(end: usize, room: usize, bytes: u64) -> bool {
    // SAFETY: i < room.
    let byte_at = |i| unsafe { ((end + i) as *const u8).read() };
    bytes.to_le_bytes().iter().enumerate().take(room).all(|(i, byte)| byte_at(i) == *byte)
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

/// As [`clear`], for a block and a length that are multiples of 16, neither of them 0: without a call where it is short.
///
/// # Safety
/// As for [`clear`].
#[inline(always)]
pub unsafe fn wipe(block: usize, len: usize) {
    // SAFETY: 16 aligned bytes within the len from block on; the conditions below see to that.
    let zero = |at: usize| unsafe { ((block + at) as *mut u128).write(0) };
    if len > 128 {
        // SAFETY: the caller's promise.
        return unsafe { wipe_long(block, len) };
    }
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

/// Bytes of a block that are looked at, and cleared if need be, at once.
const PART: usize = 4096;

/// As [`wipe`], for any length: parts that are zero are not written to, so that they cost no memory if nobody has.
///
/// # Safety
/// As for [`clear`]; `block` is a multiple of 16.
#[inline(never)]
pub unsafe fn wipe_long(block: usize, len: usize) {
    let mut at = block;
    let end = block + len;
    while at < end {
        let next = ((at + PART) & !(PART - 1)).min(end);
        // SAFETY: within the len from block on.
        if next - at < PART || !unsafe { is_clear_early(at, PART) } {
            // SAFETY: as above.
            unsafe { clear(at, next - at) };
        }
        at = next;
    }
}

/// As [`is_clear`], but ends at the first line that is not.
///
/// # Safety
/// As for [`is_clear`]; `len` is a multiple of 256.
unsafe fn is_clear_early(block: usize, len: usize) -> bool {
    // SAFETY: the caller's promise.
    (0..len / 256).all(|i| unsafe { is_clear(block + i * 256, 256) })
}

/// Copies `len` bytes to memory that is zero, but for those parts that are zero already.
///
/// # Safety
/// Both are memory of ours, apart, that nobody else uses; multiples of 16.
pub unsafe fn copy_to_zero(from: usize, to: usize, len: usize) {
    let mut at = 0;
    while at < len {
        let next = (at + PART - ((from + at) & (PART - 1))).min(len);
        // SAFETY: within the len from `from` on.
        if next - at < PART || !unsafe { is_clear_early(from + at, PART) } {
            let (source, target) = ((from + at) as *const u8, (to + at) as *mut u8);
            // SAFETY: as above, in both.
            unsafe { core::ptr::copy_nonoverlapping(source, target, next - at) };
        }
        at = next;
    }
}

/// Whether `len` bytes from `block` on are zero. `block` and `len` are multiples of 16. One pass, whatever it finds.
///
/// # Safety
/// They are memory of ours.
#[inline(always)]
pub unsafe fn is_clear(block: usize, len: usize) -> bool {
    // SAFETY: the caller's promise: aligned, readable words of ours.
    let words = unsafe { core::slice::from_raw_parts(block as *const u64, len / 8) };
    let mut lines = words.chunks_exact(8);
    // A lane for each word of a line, so that the compiler reads 16 bytes at a time.
    let mut seen = [0; 8];
    for line in &mut lines {
        for (lane, word) in seen.iter_mut().zip(line) {
            *lane |= word;
        }
    }
    for pair in lines.remainder().chunks_exact(2) {
        seen[0] |= pair[0];
        seen[1] |= pair[1];
    }
    seen.iter().fold(0, |all, lane| all | lane) == 0
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
                // SAFETY: within the array, aligned.
                assert_eq!(unsafe { is_clear(bytes.0.as_ptr() as usize, len) }, written >= len);
            }
        }
    }

    #[test]
    fn a_changed_canary_is_no_longer_whole_however_short_it_is() {
        let mut bytes = Bytes([0; 512]);
        let at = bytes.0.as_mut_ptr() as usize;
        for asked in 80..96 {
            // SAFETY: within the array.
            unsafe { set(at, asked, 96, 0x1234_5678) };
            // SAFETY: as above.
            assert!(unsafe { is_whole(at, asked, 96, 0x1234_5678) });
            for i in asked..96.min(asked + LONGEST) {
                let old = core::mem::replace(&mut bytes.0[i], 0);
                assert_ne!(old, 0, "no byte of a canary is zero");
                // SAFETY: as above.
                assert!(!unsafe { is_whole(at, asked, 96, 0x1234_5678) });
                bytes.0[i] = old;
            }
        }
    }
}
