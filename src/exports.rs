//! The malloc family as the dynamic linker sees it: one line a function, no logic.
//!
//! Every member is here, so that no block of another allocator ever comes to our free. Nothing in this library
//! calls these; the names belong to the program.

use core::ffi::{c_int, c_void};

use mems_core::count::Function;
use mems_core::posix::{self, watched};
use mems_core::profile::{self, Caller};

macro_rules! export {
    ($($name:ident ($($arg:ident: $type:ty),*) $(-> $ret:ty)? = $body:expr;)*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($arg: $type),*) $(-> $ret)? { $body }
    )* };
}

/// Exports functions of so many arguments that pass their caller on as three more, by a jump.
macro_rules! export_with_caller {
    ($($name:ident $count:tt => $to:path;)*) => { $(
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn $name() {
            mems_core::jump_with_caller!($count => $to)
        }
    )* };
}

type Pointer = *mut c_void;

export! {
    malloc(size: usize) -> Pointer = posix::malloc(size).cast();
    free(pointer: Pointer) = posix::free(pointer.cast());
    cfree(pointer: Pointer) = posix::free(pointer.cast());
    calloc(count: usize, size: usize) -> Pointer = posix::calloc(count, size).cast();
    realloc(pointer: Pointer, size: usize) -> Pointer = posix::realloc(pointer.cast(), size).cast();
    posix_memalign(out: *mut Pointer, align: usize, size: usize) -> c_int = {
        // SAFETY: the caller's promise, as the manual page has it.
        unsafe { posix::posix_memalign(out.cast(), align, size) }
    };
    free_sized(pointer: Pointer, size: usize) = posix::free_sized(pointer.cast(), size);
    free_aligned_sized(pointer: Pointer, _align: usize, size: usize) = posix::free_sized(pointer.cast(), size);
    malloc_trim(keep: usize) -> c_int = posix::trim(keep) as c_int;
    __libc_malloc(size: usize) -> Pointer = posix::malloc(size).cast();
    __libc_calloc(count: usize, size: usize) -> Pointer = posix::calloc(count, size).cast();
    __libc_realloc(pointer: Pointer, size: usize) -> Pointer = posix::realloc(pointer.cast(), size).cast();
    __libc_free(pointer: Pointer) = posix::free(pointer.cast());
}

export_with_caller! {
    valloc 1 => valloc_from;
    __libc_valloc 1 => valloc_from;
    pvalloc 1 => pvalloc_from;
    __libc_pvalloc 1 => pvalloc_from;
    malloc_usable_size 1 => usable_size_from;
    memalign 2 => memalign_from;
    __libc_memalign 2 => memalign_from;
    aligned_alloc 2 => aligned_alloc_from;
    reallocarray 3 => reallocarray_from;
    __libc_reallocarray 3 => reallocarray_from;
}

/// Records a block of `size` bytes where call sites are recorded, and hands it on.
#[inline(always)]
fn given(block: *mut u8, size: usize, caller: Caller) -> Pointer {
    if profile::is_on() { watched::took(block, size, &caller).cast() } else { block.cast() }
}

extern "C" fn memalign_from(align: usize, size: usize, site: usize, stack: usize, frame: usize) -> Pointer {
    given(posix::aligned(Function::Memalign, align, size), size, Caller { site, stack, frame })
}

extern "C" fn aligned_alloc_from(
    align: usize,
    size: usize,
    site: usize,
    stack: usize,
    frame: usize,
) -> Pointer {
    given(posix::aligned(Function::AlignedAlloc, align, size), size, Caller { site, stack, frame })
}

extern "C" fn valloc_from(size: usize, site: usize, stack: usize, frame: usize) -> Pointer {
    given(posix::aligned(Function::Valloc, mems_core::os::PAGE, size), size, Caller { site, stack, frame })
}

extern "C" fn pvalloc_from(size: usize, site: usize, stack: usize, frame: usize) -> Pointer {
    given(posix::pvalloc(size), size, Caller { site, stack, frame })
}

extern "C" fn reallocarray_from(
    pointer: Pointer,
    count: usize,
    size: usize,
    site: usize,
    stack: usize,
    frame: usize,
) -> Pointer {
    if profile::is_on() {
        let caller = Caller { site, stack, frame };
        return watched::reallocarray(pointer.cast(), count, size, &caller).cast();
    }
    posix::reallocarray(pointer.cast(), count, size, site).cast()
}

extern "C" fn usable_size_from(pointer: Pointer, site: usize) -> usize {
    posix::usable_size(pointer.cast(), site)
}
