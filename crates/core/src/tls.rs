//! The thread-local words: the calling thread's heap, and the one it keeps where calls take the slow path.
//!
//! Initial-exec slots: four instructions to read, no lazy set-up, no call into the C library. A slot holds the
//! heap's distance from the empty heap, so zero is the empty heap: a thread's first malloc needs no test of its
//! own, not even in an IFUNC resolver, which runs before the loader has copied initial values of thread-local data.

use core::arch::{asm, global_asm};

use crate::heap::{EMPTY, Heap};

/// The heap at this distance from the empty one.
#[inline(always)]
fn at(distance: usize) -> &'static Heap {
    let heap = core::ptr::from_ref(&EMPTY).wrapping_byte_add(distance);
    // SAFETY: the slots hold the distance to a heap, and heaps are never unmapped.
    unsafe { &*heap }
}

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
        pub fn $get() -> &'static Heap {
            let distance: usize;
            #[cfg(target_arch = "x86_64")]
            // SAFETY: reads this thread's slot through the initial-exec TLS model of the x86-64 psABI.
            unsafe {
                asm!(
                    concat!("mov {0}, qword ptr [rip + ", $symbol, "@GOTTPOFF]"),
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
                    concat!("adrp {1}, :gottprel:", $symbol),
                    concat!("ldr {1}, [{1}, :gottprel_lo12:", $symbol, "]"),
                    "ldr {0}, [{0}, {1}]",
                    out(reg) distance,
                    out(reg) _,
                    options(pure, readonly, nostack, preserves_flags)
                )
            };
            at(distance)
        }

        $(#[$set_doc])*
        #[inline]
        pub fn $set(heap: &'static Heap) {
            let distance = heap.address().wrapping_sub(EMPTY.address());
            #[cfg(target_arch = "x86_64")]
            // SAFETY: writes this thread's slot only.
            unsafe {
                asm!(
                    concat!("mov {0}, qword ptr [rip + ", $symbol, "@GOTTPOFF]"),
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
                    concat!("adrp {1}, :gottprel:", $symbol),
                    concat!("ldr {1}, [{1}, :gottprel_lo12:", $symbol, "]"),
                    "str {2}, [{0}, {1}]",
                    out(reg) _,
                    out(reg) _,
                    in(reg) distance,
                    options(nostack, preserves_flags)
                )
            };
        }
    };
}

slot!(
    "mems_heap",
    /// The calling thread's heap; the empty one before the thread's first allocation, and for good where calls
    /// take the slow path.
    heap,
    /// Makes `heap` the calling thread's.
    set_heap
);

slot!(
    "mems_kept_heap",
    /// The calling thread's heap where calls take the slow path; the empty one elsewhere.
    kept,
    /// Makes `heap` the one that the calling thread keeps.
    set_kept
);
