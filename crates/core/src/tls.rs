//! The one thread-local word: the calling thread's heap.
//!
//! An initial-exec slot: four instructions to read, no lazy set-up, no call into the C library. It holds the
//! heap's distance from the empty heap, so zero is the empty heap: a thread's first malloc needs no test of its
//! own, not even in an IFUNC resolver, which runs before the loader has copied initial values of thread-local data.

use core::arch::{asm, global_asm};

use crate::heap::{EMPTY, Heap};

global_asm!(
    ".pushsection .tbss.mems_heap,\"awT\",@nobits",
    ".globl mems_heap",
    ".hidden mems_heap",
    ".type mems_heap,@object",
    ".size mems_heap,8",
    ".p2align 3",
    "mems_heap:",
    ".zero 8",
    ".popsection",
);

/// The calling thread's heap; the empty one before the thread's first allocation and after its end.
#[inline(always)]
pub fn heap() -> &'static Heap {
    let distance: usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: reads this thread's slot through the initial-exec TLS model of the x86-64 psABI.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + mems_heap@GOTTPOFF]",
            "mov {0}, qword ptr fs:[{0}]",
            out(reg) distance,
            options(pure, readonly, nostack, preserves_flags)
        )
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: reads this thread's slot through the initial-exec TLS model of the AArch64 psABI.
    unsafe {
        asm!(
            "mrs {0}, tpidr_el0",
            "adrp {1}, :gottprel:mems_heap",
            "ldr {1}, [{1}, :gottprel_lo12:mems_heap]",
            "ldr {0}, [{0}, {1}]",
            out(reg) distance,
            out(reg) _,
            options(pure, readonly, nostack, preserves_flags)
        )
    };
    let heap = core::ptr::from_ref(&EMPTY).wrapping_byte_add(distance);
    // SAFETY: the slot holds the distance to a heap, and heaps are never unmapped.
    unsafe { &*heap }
}

/// Makes `heap` the calling thread's.
#[inline]
pub fn set_heap(heap: &'static Heap) {
    let distance = heap.address().wrapping_sub(EMPTY.address());
    #[cfg(target_arch = "x86_64")]
    // SAFETY: writes this thread's slot only.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + mems_heap@GOTTPOFF]",
            "mov qword ptr fs:[{0}], {1}",
            out(reg) _,
            in(reg) distance,
            options(nostack, preserves_flags)
        )
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: writes this thread's slot only.
    unsafe {
        asm!(
            "mrs {0}, tpidr_el0",
            "adrp {1}, :gottprel:mems_heap",
            "ldr {1}, [{1}, :gottprel_lo12:mems_heap]",
            "str {2}, [{0}, {1}]",
            out(reg) _,
            out(reg) _,
            in(reg) distance,
            options(nostack, preserves_flags)
        )
    };
}
