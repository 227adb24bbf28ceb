//! Jumps that bring the program's call site along: return address, stack pointer and frame pointer as further arguments.
//!
//! An exported function ends in a jump to one of these where its fast path ends, so that the return address on the stack is
//! still the program's. Owns nothing.

macro_rules! with_caller {
    ($(#[$doc:meta])* $name:ident($($argument:ident),*) $(-> $given:ty)?,
        [$x86_0:literal $x86_1:literal $x86_2:literal] [$arm_0:literal $arm_1:literal $arm_2:literal] => $to:ident) => {
        $(#[$doc])*
        #[cold]
        #[unsafe(naked)]
        extern "C" fn $name($($argument: usize),*) $(-> $given)? {
            #[cfg(target_arch = "x86_64")]
            core::arch::naked_asm!(
                concat!("mov ", $x86_0, ", [rsp]"),
                concat!("lea ", $x86_1, ", [rsp + 8]"),
                concat!("mov ", $x86_2, ", rbp"),
                "jmp {to}",
                to = sym $to
            );
            #[cfg(target_arch = "aarch64")]
            core::arch::naked_asm!(
                concat!("mov ", $arm_0, ", x30"),
                concat!("mov ", $arm_1, ", sp"),
                concat!("mov ", $arm_2, ", x29"),
                "b {to}",
                to = sym $to
            );
        }
    };
}
