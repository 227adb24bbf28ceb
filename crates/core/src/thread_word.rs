//! Words of thread-local memory that cost two instructions to read.
//!
//! Initial-exec slots: no lazy set-up, no call into the C library. They are zero at first, even in an IFUNC resolver, which
//! runs before the loader has copied initial values of thread-local data. Owns nothing: who defines a word owns it.

/// Defines the thread-local word of this symbol, a `usize`, as a module with the functions `read` and `write` of the calling
/// thread's.
macro_rules! thread_word {
    ($word:ident, $symbol:literal) => {
        mod $word {
        core::arch::global_asm!(
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

        #[inline(always)]
        /// The calling thread's.
        pub fn read() -> usize {
            let word: usize;
            #[cfg(target_arch = "x86_64")]
            // SAFETY: reads this thread's slot through the initial-exec TLS model of the x86-64 psABI.
            unsafe {
                core::arch::asm!(
                    concat!("mov {0}, qword ptr [rip + ", $symbol, "@GOTTPOFF]"),
                    "mov {0}, qword ptr fs:[{0}]",
                    out(reg) word,
                    options(pure, readonly, nostack, preserves_flags)
                )
            };
            #[cfg(target_arch = "aarch64")]
            // SAFETY: reads this thread's slot through the initial-exec TLS model of the AArch64 psABI.
            unsafe {
                core::arch::asm!(
                    "mrs {0}, tpidr_el0",
                    concat!("adrp {1}, :gottprel:", $symbol),
                    concat!("ldr {1}, [{1}, :gottprel_lo12:", $symbol, "]"),
                    "ldr {0}, [{0}, {1}]",
                    out(reg) word,
                    out(reg) _,
                    options(pure, readonly, nostack, preserves_flags)
                )
            };
            word
        }

        #[inline(always)]
        /// Sets it.
        pub fn write(word: usize) {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: writes this thread's slot only.
            unsafe {
                core::arch::asm!(
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
                core::arch::asm!(
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
        }
    };
}
