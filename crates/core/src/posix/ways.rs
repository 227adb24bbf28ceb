//! Where malloc and free go on whose fast paths find no heap: by a jump through a word, so that a mode that sees every call
//! is reached at once. Owns the words.

use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use super::{booked, free_cold, malloc_cold};

/// malloc with its caller's return address.
type Malloc = extern "C" fn(usize, usize) -> *mut u8;
type Free = extern "C" fn(usize);

/// At first a function that looks for the return address itself.
static MALLOC: AtomicPtr<()> = AtomicPtr::new(malloc_cold as extern "C" fn(usize) -> *mut u8 as *mut ());
static FREE: AtomicPtr<()> = AtomicPtr::new(free_cold as Free as *mut ());

/// malloc, or operator new, in mode `sites`, where a call came the long way: from now on malloc and free go to its fast paths.
#[inline(always)]
pub fn first_at_site<const NEW: bool>(size: usize, site: usize) -> *mut u8 {
    MALLOC.store(booked::malloc_at_site::<false> as Malloc as *mut (), Relaxed);
    FREE.store(booked::free_at_site as Free as *mut (), Relaxed);
    booked::malloc_at_site::<NEW>(size, site)
}

/// malloc. Reached by a jump from the exported function, so that the return address is still the program's.
#[cfg(target_arch = "x86_64")]
#[cold]
#[unsafe(naked)]
pub extern "C" fn malloc(size: usize) -> *mut u8 {
    core::arch::naked_asm!("mov rsi, [rsp]", "jmp qword ptr [rip + {way}]", way = sym MALLOC)
}

/// As above.
#[cfg(target_arch = "aarch64")]
#[cold]
#[unsafe(naked)]
pub extern "C" fn malloc(size: usize) -> *mut u8 {
    core::arch::naked_asm!(
        "mov x1, x30",
        "adrp x16, {way}",
        "ldr x16, [x16, :lo12:{way}]",
        "br x16",
        way = sym MALLOC
    )
}

/// free. As [`malloc`].
#[cfg(target_arch = "x86_64")]
#[cold]
#[unsafe(naked)]
pub extern "C" fn free(pointer: usize) {
    core::arch::naked_asm!("jmp qword ptr [rip + {way}]", way = sym FREE)
}

/// As above.
#[cfg(target_arch = "aarch64")]
#[cold]
#[unsafe(naked)]
pub extern "C" fn free(pointer: usize) {
    core::arch::naked_asm!("adrp x16, {way}", "ldr x16, [x16, :lo12:{way}]", "br x16", way = sym FREE)
}
