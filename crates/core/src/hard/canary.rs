//! The bytes behind a block's asked end, and the zeros of a freed one: written when a block changes hands, looked at
//! when it changes hands again. Owns nothing.

/// Most bytes that a canary has.
pub const LONGEST: usize = 8;

/// Eight bytes that depend on the block's address and the process's secret; none of them is zero, so that a string's
/// end that is written one too far shows as well.
#[inline]
fn pattern(block: usize, secret: usize) -> [u8; LONGEST] {
    let mixed = (block ^ secret).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ mixed >> 29) | 0x0101_0101_0101_0101).to_ne_bytes()
}

/// Puts the canary behind the `asked` bytes of a block in a place of `place` bytes, as much of it as fits.
///
/// # Safety
/// `[block, block + place)` is memory of ours that nobody else uses.
#[inline]
pub unsafe fn set(block: usize, asked: usize, place: usize, secret: usize) {
    let bytes = pattern(block, secret);
    let end = (block + asked) as *mut u8;
    if place - asked >= LONGEST {
        // SAFETY: eight bytes from the asked end on lie in the place.
        unsafe { end.cast::<[u8; LONGEST]>().write(bytes) };
        return;
    }
    for (i, byte) in bytes.iter().enumerate().take(place - asked) {
        // SAFETY: i < place - asked.
        unsafe { end.wrapping_add(i).write(*byte) };
    }
}

/// Whether the canary is whole.
///
/// # Safety
/// As for [`set`].
#[inline]
pub unsafe fn is_whole(block: usize, asked: usize, place: usize, secret: usize) -> bool {
    let bytes = pattern(block, secret);
    let end = (block + asked) as *const u8;
    if place - asked >= LONGEST {
        // SAFETY: eight bytes from the asked end on lie in the place.
        return unsafe { end.cast::<[u8; LONGEST]>().read() } == bytes;
    }
    // SAFETY: i < place - asked.
    bytes
        .iter()
        .enumerate()
        .take(place - asked)
        .all(|(i, byte)| unsafe { end.wrapping_add(i).read() } == *byte)
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

/// Whether `len` bytes from `block` on are zero. `block` and `len` are multiples of 8. One pass, whatever it finds.
///
/// # Safety
/// They are memory of ours.
#[inline]
pub unsafe fn is_clear(block: usize, len: usize) -> bool {
    // SAFETY: the caller's promise: aligned, readable words of ours.
    let words = unsafe { core::slice::from_raw_parts(block as *const u64, len / 8) };
    words.iter().fold(0, |all, word| all | word) == 0
}
