//! How many locks this thread holds, but for outer ones: a signal handler that finds any has interrupted their holder.
//!
//! A thread-local count in an initial-exec slot, like those of `tls`: no lazy set-up, no call into the C library.

use core::arch::{asm, global_asm};

global_asm!(
    ".pushsection .tbss.mems_held,\"awT\",@nobits",
    ".globl mems_held",
    ".hidden mems_held",
    ".type mems_held,@object",
    ".size mems_held,8",
    ".p2align 3",
    "mems_held:",
    ".zero 8",
    ".popsection",
);

/// The address of this thread's count.
#[inline]
fn place() -> *mut isize {
    let at: *mut isize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: computes the address of this thread's slot by the initial-exec TLS model of the x86-64 psABI.
    unsafe {
        asm!(
            "mov {0}, qword ptr [rip + mems_held@GOTTPOFF]",
            "add {0}, qword ptr fs:[0]",
            out(reg) at,
            options(pure, readonly, nostack)
        )
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: computes the address of this thread's slot by the initial-exec TLS model of the AArch64 psABI.
    unsafe {
        asm!(
            "mrs {0}, tpidr_el0",
            "adrp {1}, :gottprel:mems_held",
            "ldr {1}, [{1}, :gottprel_lo12:mems_held]",
            "add {0}, {0}, {1}",
            out(reg) at,
            out(reg) _,
            options(pure, readonly, nostack, preserves_flags)
        )
    };
    at
}

/// Whether this thread holds a lock that counts.
#[inline]
pub fn any() -> bool {
    // SAFETY: this thread's own slot, aligned and zero at its birth; nobody else writes to it.
    unsafe { place().read_volatile() != 0 }
}

/// Changes the count. A handler between the two halves leaves it as it found it.
#[inline]
pub fn count(change: isize) {
    let place = place();
    // SAFETY: this thread's own slot, aligned and zero at its birth; nobody else writes to it.
    let now = unsafe { place.read_volatile() };
    // SAFETY: as above.
    unsafe { place.write_volatile(now.wrapping_add(change)) };
}
