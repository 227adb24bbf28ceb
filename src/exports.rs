//! The malloc family as the dynamic linker sees it: one line a function, no logic.
//!
//! Every member is here, so that no block of another allocator ever comes to our free. Nothing in this library
//! calls these; the names belong to the program.

use core::ffi::{c_int, c_void};

use mems_core::count::Function;
use mems_core::posix;

macro_rules! export {
    ($($name:ident ($($arg:ident: $type:ty),*) $(-> $ret:ty)? = $body:expr;)*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($arg: $type),*) $(-> $ret)? { $body }
    )* };
}

/// Exports functions that pass their caller's return address on as one more argument, by a jump.
macro_rules! export_with_site {
    ($($name:ident, $x86:literal, $arm:literal => $to:path;)*) => { $(
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            #[cfg(target_arch = "x86_64")]
            core::arch::naked_asm!(concat!("mov ", $x86, ", [rsp]"), "jmp {to}", to = sym $to);
            #[cfg(target_arch = "aarch64")]
            core::arch::naked_asm!(concat!("mov ", $arm, ", x30"), "b {to}", to = sym $to);
        }
    )* };
}

type Pointer = *mut c_void;

export! {
    malloc(size: usize) -> Pointer = posix::malloc(size).cast();
    free(pointer: Pointer) = posix::free(pointer.cast());
    cfree(pointer: Pointer) = posix::free(pointer.cast());
    free_sized(pointer: Pointer, size: usize) = posix::free_sized(pointer.cast(), size);
    free_aligned_sized(pointer: Pointer, _align: usize, size: usize) = posix::free_sized(pointer.cast(), size);
    calloc(count: usize, size: usize) -> Pointer = posix::calloc(count, size).cast();
    memalign(align: usize, size: usize) -> Pointer = posix::aligned(Function::Memalign, align, size).cast();
    aligned_alloc(align: usize, size: usize) -> Pointer = posix::aligned(Function::AlignedAlloc, align, size).cast();
    valloc(size: usize) -> Pointer = posix::aligned(Function::Valloc, mems_core::os::PAGE, size).cast();
    pvalloc(size: usize) -> Pointer = posix::pvalloc(size).cast();
    malloc_trim(keep: usize) -> c_int = posix::trim(keep) as c_int;

    __libc_malloc(size: usize) -> Pointer = posix::malloc(size).cast();
    __libc_free(pointer: Pointer) = posix::free(pointer.cast());
    __libc_calloc(count: usize, size: usize) -> Pointer = posix::calloc(count, size).cast();
    __libc_memalign(align: usize, size: usize) -> Pointer = posix::aligned(Function::Memalign, align, size).cast();
    __libc_valloc(size: usize) -> Pointer = posix::aligned(Function::Valloc, mems_core::os::PAGE, size).cast();
    __libc_pvalloc(size: usize) -> Pointer = posix::pvalloc(size).cast();
}

/// posix_memalign(3).
///
/// # Safety
/// As the manual page says: `out` is valid to write to.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(out: *mut Pointer, align: usize, size: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { posix::posix_memalign(out.cast(), align, size) }
}

export_with_site! {
    realloc, "rdx", "x2" => realloc_from;
    __libc_realloc, "rdx", "x2" => realloc_from;
    reallocarray, "rcx", "x3" => reallocarray_from;
    __libc_reallocarray, "rcx", "x3" => reallocarray_from;
    malloc_usable_size, "rsi", "x1" => usable_size_from;
}

extern "C" fn realloc_from(pointer: Pointer, size: usize, site: usize) -> Pointer {
    posix::realloc(Function::Realloc, pointer.cast(), size, site).cast()
}

extern "C" fn reallocarray_from(pointer: Pointer, count: usize, size: usize, site: usize) -> Pointer {
    posix::reallocarray(pointer.cast(), count, size, site).cast()
}

extern "C" fn usable_size_from(pointer: Pointer, site: usize) -> usize {
    posix::usable_size(pointer.cast(), site)
}
