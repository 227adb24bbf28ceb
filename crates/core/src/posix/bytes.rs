//! Copying and clearing blocks of slabs: a few wide moves for the small ones, the C library's way for the rest.
//!
//! Slots are multiples of 16 bytes at multiples of 16, so what is asked is rounded up to that: no block is left half a
//! vector. Owns nothing.

use core::ptr::copy_nonoverlapping;

/// Up to here a block is moved or cleared by two runs that meet or overlap, in bytes.
const SHORT: usize = 128;

/// Copies the first `len` bytes (not 0), and up to 15 more, of the block at `from` to the one at `to`.
///
/// # Safety
/// Both are blocks of slabs, apart, each at least `len` bytes long.
#[inline(always)]
pub(super) unsafe fn copy(from: usize, to: usize, len: usize) {
    let len = len.wrapping_add(15) & !15;
    match len {
        ..=32 => {
            // SAFETY: passed on, as below: both runs lie within `len`, and `len` within both slots.
            unsafe { ends::<16>(from, to, len) };
        }
        33..=64 => {
            // SAFETY: as above.
            unsafe { ends::<32>(from, to, len) };
        }
        65..=SHORT => {
            // SAFETY: as above.
            unsafe { ends::<64>(from, to, len) };
        }
        _ => {
            // SAFETY: as above.
            unsafe { copy_nonoverlapping(from as *const u8, to as *mut u8, len) };
        }
    }
}

/// Copies the first and the last N of `len` bytes.
///
/// # Safety
/// As [`copy`]; N <= `len`.
#[inline(always)]
unsafe fn ends<const N: usize>(from: usize, to: usize, len: usize) {
    // SAFETY: passed on.
    unsafe { copy_nonoverlapping(from as *const u8, to as *mut u8, N) };
    let last = len - N;
    // SAFETY: passed on.
    unsafe { copy_nonoverlapping((from + last) as *const u8, (to + last) as *mut u8, N) };
}

/// Makes the first `len` bytes of a block of a slab zero, and perhaps up to 15 more. Returns the block.
///
/// # Safety
/// The block is the caller's alone and at least `len` bytes long.
#[inline(always)]
pub(super) unsafe fn clear(block: usize, len: usize) -> *mut u8 {
    let whole = len.wrapping_add(15) & !15;
    match whole {
        // Its slot has 16 bytes.
        ..=16 => {
            // SAFETY: passed on, as below: both runs lie within the slot.
            unsafe { zeros::<16>(block, 16) };
        }
        17..=32 => {
            // SAFETY: as above.
            unsafe { zeros::<16>(block, whole) };
        }
        33..=64 => {
            // SAFETY: as above.
            unsafe { zeros::<32>(block, whole) };
        }
        65..=SHORT => {
            // SAFETY: as above.
            unsafe { zeros::<64>(block, whole) };
        }
        _ => {
            // Its result is the block: the last thing the caller does can be this call.
            // SAFETY: as above.
            return unsafe { libc::memset(block as *mut libc::c_void, 0, len) }.cast();
        }
    }
    block as *mut u8
}

/// Makes the first and the last N of `len` bytes zero.
///
/// # Safety
/// As [`clear`]; N <= `len`.
#[inline(always)]
unsafe fn zeros<const N: usize>(block: usize, len: usize) {
    // SAFETY: passed on.
    unsafe { core::ptr::write_bytes(block as *mut u8, 0, N) };
    // SAFETY: passed on.
    unsafe { core::ptr::write_bytes((block + len - N) as *mut u8, 0, N) };
}

#[cfg(test)]
mod tests {
    #[repr(align(16))]
    struct Room([u8; 512]);

    fn room() -> Room {
        Room(core::array::from_fn(|i| i as u8 | 1))
    }

    #[test]
    fn copy_brings_every_byte_and_touches_none_beyond_the_slot() {
        for len in 1..=256usize {
            let (from, mut to) = (room(), Room([0; 512]));
            let places = (from.0.as_ptr() as usize, to.0.as_mut_ptr() as usize);
            // SAFETY: both rooms are longer.
            unsafe { super::copy(places.0, places.1, len) };
            let whole = len.next_multiple_of(16);
            assert_eq!(to.0[..len], from.0[..len]);
            assert!(to.0[whole..].iter().all(|byte| *byte == 0), "{len}");
        }
    }

    #[test]
    fn clear_clears_every_byte_and_touches_none_beyond_the_slot() {
        for len in 0..=256usize {
            let mut block = room();
            let at = block.0.as_mut_ptr() as usize;
            // SAFETY: the room is longer.
            let back = unsafe { super::clear(at, len) };
            assert_eq!(back as usize, at);
            let whole = len.next_multiple_of(16).max(16);
            assert!(block.0[..len].iter().all(|byte| *byte == 0), "{len}");
            assert!(block.0[whole..].iter().all(|byte| *byte != 0), "{len}");
        }
    }
}
