//! Passes over long blocks: whether all is zero, and making it so, in steps of 32 bytes where the processor has instructions
//! for them (AVX2). They bound what hardened mode costs for blocks of a kilobyte and more.
//!
//! The processor is asked once. Where it says no, and on other machines, the same code runs with what every one has. Owns the
//! answer.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// Bytes of a step.
const LINE: usize = 128;
/// The shortest range that these passes take, in bytes.
#[cfg(test)]
const LEAST: usize = LINE;

const UNKNOWN: u8 = 0;
const NARROW: u8 = 1;
const WIDE: u8 = 2;

static WIDTH: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Whether `len` bytes from `block` on are zero; multiples of 16, `len` is a [`LINE`] or more. One pass, whatever it finds.
///
/// # Safety
/// They are memory of ours.
#[inline(never)]
pub unsafe fn is_clear(block: usize, len: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    if is_wide() {
        // SAFETY: the processor has what it needs; the rest is passed on.
        return unsafe { is_clear_avx2(block, len) };
    }
    // SAFETY: passed on.
    unsafe { is_clear_in_lines(block, len) }
}

/// Makes `len` bytes from `block` on zero; lines that are zero are not written to. As for [`is_clear`].
///
/// # Safety
/// They are memory of ours that nobody else uses.
#[inline(never)]
pub unsafe fn wipe(block: usize, len: usize) {
    #[cfg(target_arch = "x86_64")]
    if is_wide() {
        // SAFETY: the processor has what it needs; the rest is passed on.
        return unsafe { wipe_avx2(block, len) };
    }
    // SAFETY: passed on.
    unsafe { wipe_in_lines(block, len) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn is_clear_avx2(block: usize, len: usize) -> bool {
    // SAFETY: passed on.
    unsafe { is_clear_in_lines(block, len) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn wipe_avx2(block: usize, len: usize) {
    // SAFETY: passed on.
    unsafe { wipe_in_lines(block, len) }
}

/// 32 bytes.
type Part = [u64; 4];

/// Four parts: a line.
type Line = [Part; LINE / 32];

#[inline(always)]
fn both(one: Part, other: Part) -> Part {
    [one[0] | other[0], one[1] | other[1], one[2] | other[2], one[3] | other[3]]
}

#[inline(always)]
fn with(one: Line, other: Line) -> Line {
    [both(one[0], other[0]), both(one[1], other[1]), both(one[2], other[2]), both(one[3], other[3])]
}

#[inline(always)]
fn is_zero(line: Line) -> bool {
    let all = both(both(line[0], line[1]), both(line[2], line[3]));
    all[0] | all[1] | all[2] | all[3] == 0
}

#[inline(always)]
unsafe fn is_clear_in_lines(block: usize, len: usize) -> bool {
    // SAFETY: a line within the len from block on, whose words are aligned: `at` goes no further than a line before the end.
    let line = |at: usize| unsafe { (at as *const Line).read() };
    let last = block + len - LINE;
    // What the last line has in common with the one before is read twice.
    let mut seen = line(last);
    let mut at = block;
    while at < last {
        seen = with(seen, line(at));
        at += LINE;
    }
    is_zero(seen)
}

#[inline(always)]
unsafe fn wipe_in_lines(block: usize, len: usize) {
    let last = block + len - LINE;
    let mut at = block;
    loop {
        // SAFETY: a line within the len from block on, whose words are aligned.
        if !is_zero(unsafe { (at as *const Line).read() }) {
            // SAFETY: as above; nobody else uses it.
            unsafe { (at as *mut Line).write([[0; 4]; LINE / 32]) };
        }
        if at == last {
            return;
        }
        at = (at + LINE).min(last);
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn is_wide() -> bool {
    match WIDTH.load(Relaxed) {
        NARROW => false,
        WIDE => true,
        _ => ask(),
    }
}

/// Whether processor and kernel (which has to keep the longer registers of each thread) have AVX2.
#[cfg(target_arch = "x86_64")]
#[cold]
#[inline(never)]
fn ask() -> bool {
    use core::arch::x86_64::{__cpuid, __cpuid_count};
    /// AVX, and XGETBV for every program.
    const AVX: u32 = 1 << 28 | 1 << 27;
    const AVX2: u32 = 1 << 5;
    /// SSE and AVX registers.
    const KEPT: u32 = 6;
    let has = __cpuid(0).eax >= 7 && __cpuid(1).ecx & AVX == AVX && __cpuid_count(7, 0).ebx & AVX2 != 0;
    let wide = has && kept() & KEPT == KEPT;
    // Threads that come here at the same time find the same.
    WIDTH.store(if wide { WIDE } else { NARROW }, Relaxed);
    wide
}

/// The registers that the kernel keeps, a bit a kind.
#[cfg(target_arch = "x86_64")]
fn kept() -> u32 {
    let kinds: u32;
    // SAFETY: the processor was found to have XGETBV; it reads a register that says what is kept.
    unsafe {
        core::arch::asm!("xgetbv", in("ecx") 0, out("eax") kinds, out("edx") _, options(nomem, nostack, preserves_flags))
    };
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(align(16))]
    struct Bytes([u8; 1024]);

    #[test]
    fn every_width_wipes_all_of_a_range_and_nothing_beside_it() {
        for wipe in [wipe, wipe_in_lines as unsafe fn(usize, usize)] {
            for len in (LEAST..=960).step_by(16) {
                let mut bytes = Bytes([7; 1024]);
                let at = bytes.0.as_mut_ptr() as usize;
                // SAFETY: within the array, aligned.
                unsafe { wipe(at + 16, len) };
                assert!(bytes.0[16..16 + len].iter().all(|byte| *byte == 0));
                assert!(bytes.0[..16].iter().chain(&bytes.0[16 + len..]).all(|byte| *byte == 7));
            }
        }
    }

    #[test]
    fn every_width_sees_one_written_bit_wherever_it_is() {
        for is_clear in [is_clear, is_clear_in_lines as unsafe fn(usize, usize) -> bool] {
            for len in (LEAST..=480).step_by(16) {
                for written in 0..len + 16 {
                    let mut bytes = Bytes([0; 1024]);
                    bytes.0[written] = 128;
                    // SAFETY: within the array, aligned.
                    assert_eq!(unsafe { is_clear(bytes.0.as_ptr() as usize, len) }, written >= len);
                }
            }
        }
    }
}
