//! The one thread-local word: the calling thread's heap.
//!
//! An initial-exec slot: two instructions to read, no lazy set-up, no call into the C library. It is zero at first,
//! which stands for the empty heap, even in an IFUNC resolver, which runs before the loader has copied initial values
//! of thread-local data.

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

/// The calling thread's heap; None before the thread's first allocation.
#[inline(always)]
pub fn own() -> Option<&'static Heap> {
    let heap: *const Heap;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: reads this thread's slot through the initial-exec TLS model of the x86-64 psABI.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + mems_heap@GOTTPOFF]",
            "mov {0}, qword ptr fs:[{0}]",
            out(reg) heap,
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
            out(reg) heap,
            out(reg) _,
            options(pure, readonly, nostack, preserves_flags)
        )
    };
    // SAFETY: the slot holds null or a heap, and heaps are never unmapped.
    unsafe { heap.as_ref() }
}

/// Makes `heap` the calling thread's.
#[inline]
pub fn set_heap(heap: &'static Heap) {
    let word = if core::ptr::eq(heap, &EMPTY) { 0 } else { heap.address() };
    #[cfg(target_arch = "x86_64")]
    // SAFETY: writes this thread's slot only.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + mems_heap@GOTTPOFF]",
            "mov qword ptr fs:[{0}], {1}",
            out(reg) _,
            in(reg) word,
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
            in(reg) word,
            options(nostack, preserves_flags)
        )
    };
}

/// As [`own`], the empty heap for None.
#[inline(always)]
pub fn heap() -> &'static Heap {
    own().unwrap_or(&EMPTY)
}
