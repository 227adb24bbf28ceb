//! The thread-local words: the calling thread's heap, and the one it keeps where calls take the slow path.
//!
//! Initial-exec slots: two instructions to read, no lazy set-up, no call into the C library. They are zero at first,
//! which stands for the empty heap, even in an IFUNC resolver, which runs before the loader has copied initial values
//! of thread-local data.

use core::arch::{asm, global_asm};

use crate::heap::{EMPTY, Heap};

/// Defines a slot and its two accessors.
macro_rules! slot {
    ($symbol:literal, $(#[$get_doc:meta])* $get:ident, $(#[$set_doc:meta])* $set:ident) => {
        global_asm!(
            concat!(".pushsection .tbss.", $symbol, ",\"awT\",@nobits"),
            concat!(".globl ", $symbol),
            concat!(".hidden ", $symbol),
            concat!(".type ", $symbol, ",@object"),
            concat!(".size ", $symbol, ",8"),
            ".p2align 3",
            concat!($symbol, ":"),
            ".zero 8",
            ".popsection",
        );

        $(#[$get_doc])*
        #[inline(always)]
        pub fn $get() -> Option<&'static Heap> {
            let heap: *const Heap;
            #[cfg(target_arch = "x86_64")]
            // SAFETY: reads this thread's slot through the initial-exec TLS model of the x86-64 psABI.
            unsafe {
                asm!(
                    concat!("mov {0}, qword ptr [rip + ", $symbol, "@GOTTPOFF]"),
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
                    concat!("adrp {1}, :gottprel:", $symbol),
                    concat!("ldr {1}, [{1}, :gottprel_lo12:", $symbol, "]"),
                    "ldr {0}, [{0}, {1}]",
                    out(reg) heap,
                    out(reg) _,
                    options(pure, readonly, nostack, preserves_flags)
                )
            };
            // SAFETY: the slots hold null or a heap, and heaps are never unmapped.
            unsafe { heap.as_ref() }
        }

        $(#[$set_doc])*
        #[inline]
        pub fn $set(heap: &'static Heap) {
            let word = if core::ptr::eq(heap, &EMPTY) { 0 } else { heap.address() };
            #[cfg(target_arch = "x86_64")]
            // SAFETY: writes this thread's slot only.
            unsafe {
                asm!(
                    concat!("mov {0}, qword ptr [rip + ", $symbol, "@GOTTPOFF]"),
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
                    concat!("adrp {1}, :gottprel:", $symbol),
                    concat!("ldr {1}, [{1}, :gottprel_lo12:", $symbol, "]"),
                    "str {2}, [{0}, {1}]",
                    out(reg) _,
                    out(reg) _,
                    in(reg) word,
                    options(nostack, preserves_flags)
                )
            };
        }
    };
}

slot!(
    "mems_heap",
    /// The calling thread's heap; None before the thread's first allocation, and for good where calls take the slow
    /// path.
    own,
    /// Makes `heap` the calling thread's.
    set_heap
);

slot!(
    "mems_kept_heap",
    /// The calling thread's heap where calls take the slow path; None elsewhere.
    kept_own,
    /// Makes `heap` the one that the calling thread keeps.
    set_kept
);

/// As [`own`], the empty heap for None.
#[inline(always)]
pub fn heap() -> &'static Heap {
    own().unwrap_or(&EMPTY)
}

/// As [`kept_own`], the empty heap for None.
#[inline]
pub fn kept() -> &'static Heap {
    kept_own().unwrap_or(&EMPTY)
}
