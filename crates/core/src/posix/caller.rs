//! Jumps that bring the program's call site along: return address, stack pointer and frame pointer as further arguments.
//!
//! An exported function ends in a jump to one of these where its fast path ends, so that the return address on the stack is
//! still the program's. Owns nothing.

/// The body of a naked function of so many arguments (one word each): goes on in `$to` with the same ones and three more, which
/// are the caller's return address, its stack pointer after the return, and its frame pointer.
#[macro_export]
macro_rules! jump_with_caller {
    (1 => $to:path) => { $crate::jump_with_caller!("rsi" "rdx" "rcx", "x1" "x2" "x3" => $to) };
    (2 => $to:path) => { $crate::jump_with_caller!("rdx" "rcx" "r8", "x2" "x3" "x4" => $to) };
    (3 => $to:path) => { $crate::jump_with_caller!("rcx" "r8" "r9", "x3" "x4" "x5" => $to) };
    ($x86_0:literal $x86_1:literal $x86_2:literal, $arm_0:literal $arm_1:literal $arm_2:literal => $to:path) => {{
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
    }};
}

/// Defines a function of this many arguments that is such a jump.
macro_rules! with_caller {
    ($(#[$doc:meta])* $name:ident($($argument:ident),*) $(-> $given:ty)?, $count:tt => $to:path) => {
        $(#[$doc])*
        #[cold]
        #[unsafe(naked)]
        extern "C" fn $name($($argument: usize),*) $(-> $given)? {
            $crate::jump_with_caller!($count => $to)
        }
    };
}

/// Defines a function of one argument that goes on in `$to` by a jump: a name that the compiler cannot look behind. So a
/// function that ends there in many places gets one jump to it and short ways to that jump, of 2 bytes each and not 6, and
/// takes a line of code less.
macro_rules! short_way {
    ($(#[$doc:meta])* $name:ident($argument:ident) $(-> $given:ty)? => $to:path) => {
        $(#[$doc])*
        #[cold]
        #[unsafe(naked)]
        extern "C" fn $name($argument: usize) $(-> $given)? {
            #[cfg(target_arch = "x86_64")]
            core::arch::naked_asm!("jmp {to}", to = sym $to);
            #[cfg(target_arch = "aarch64")]
            core::arch::naked_asm!("b {to}", to = sym $to);
        }
    };
}
