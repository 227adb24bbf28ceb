//! The C++ operators new and delete in every standard form, without linking C++.
//!
//! On failure the throwing forms go on in the next operator new in line, libstdc++'s: it calls the new_handler,
//! tries again (through our malloc) and throws std::bad_alloc, as ever. The nothrow forms do the same, since the
//! standard wants the new_handler called there too.

use core::ffi::{CStr, c_void};

use mems_core::count::Function;
use mems_core::posix;

type Pointer = *mut c_void;

/// The next function of this name in the search order after this library.
fn next(name: &CStr) -> Pointer {
    // SAFETY: a C string; dlsym has no other precondition.
    unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }
}

#[cold]
fn no_next(name: &CStr) -> ! {
    mems_core::say::line(|text| {
        text.text("out of memory in ");
        text.text(name.to_str().unwrap_or("operator new"));
        text.text(", and no C++ library to throw std::bad_alloc");
    });
    // SAFETY: abort has no precondition.
    unsafe { libc::abort() }
}

/// The body of a naked function: finds the next operator with `$find` and goes on in it with the same arguments, as if
/// the program had called that. The exception that it throws must pass no frame of this library, which is built to
/// abort where one does.
macro_rules! jump_to_next {
    ($find:ident) => {{
        #[cfg(target_arch = "x86_64")]
        core::arch::naked_asm!(
            ".cfi_startproc",
            "push rdi",
            ".cfi_adjust_cfa_offset 8",
            "push rsi",
            ".cfi_adjust_cfa_offset 8",
            "push rdx", // three words keep rsp on 16 bytes for the call
            ".cfi_adjust_cfa_offset 8",
            "call {find}",
            "pop rdx",
            ".cfi_adjust_cfa_offset -8",
            "pop rsi",
            ".cfi_adjust_cfa_offset -8",
            "pop rdi",
            ".cfi_adjust_cfa_offset -8",
            "jmp rax",
            ".cfi_endproc",
            find = sym $find,
        );
        #[cfg(target_arch = "aarch64")]
        core::arch::naked_asm!(
            ".cfi_startproc",
            "stp x29, x30, [sp, #-48]!",
            ".cfi_def_cfa_offset 48",
            ".cfi_offset x29, -48",
            ".cfi_offset x30, -40",
            "stp x0, x1, [sp, #16]",
            "str x2, [sp, #32]",
            "bl {find}",
            "mov x16, x0",
            "ldr x2, [sp, #32]",
            "ldp x0, x1, [sp, #16]",
            "ldp x29, x30, [sp], #48",
            ".cfi_restore x29",
            ".cfi_restore x30",
            ".cfi_def_cfa_offset 0",
            "br x16",
            ".cfi_endproc",
            find = sym $find,
        );
    }};
}

macro_rules! new {
    ($($name:ident($size:ident $(, $more:ident: $type:ty)*) = $take:expr;)*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($size: usize $(, $more: $type)*) -> Pointer {
            let block = $take;
            if !block.is_null() {
                return block.cast();
            }
            const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"operator new",
            };
            extern "C" fn find() -> Pointer {
                let next = next(NAME);
                if next.is_null() {
                    no_next(NAME);
                }
                next
            }
            #[cold]
            #[unsafe(naked)]
            unsafe extern "C" fn failed($size: usize $(, $more: $type)*) -> Pointer {
                jump_to_next!(find)
            }
            // SAFETY: called with the caller's own arguments.
            unsafe { failed($size $(, $more)*) }
        }
    )* };
}

new! {
    _Znwm(size) = posix::new(size);
    _Znam(size) = posix::new(size);
    _ZnwmRKSt9nothrow_t(size, _nothrow: Pointer) = posix::new(size);
    _ZnamRKSt9nothrow_t(size, _nothrow: Pointer) = posix::new(size);
    _ZnwmSt11align_val_t(size, align: usize) = posix::aligned(Function::New, align, size);
    _ZnamSt11align_val_t(size, align: usize) = posix::aligned(Function::New, align, size);
    _ZnwmSt11align_val_tRKSt9nothrow_t(size, align: usize, _nothrow: Pointer) = posix::aligned(Function::New, align, size);
    _ZnamSt11align_val_tRKSt9nothrow_t(size, align: usize, _nothrow: Pointer) = posix::aligned(Function::New, align, size);
}

macro_rules! delete {
    ($($name:ident($($more:ident: $type:ty),*) = $delete:expr;)*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(pointer: Pointer $(, $more: $type)*) {
            $delete(pointer.cast());
        }
    )* };
}

delete! {
    _ZdlPv() = posix::delete;
    _ZdaPv() = posix::delete;
    _ZdlPvm(size: usize) = |block| posix::delete_sized(block, size);
    _ZdaPvm(size: usize) = |block| posix::delete_sized(block, size);
    _ZdlPvRKSt9nothrow_t(_nothrow: Pointer) = posix::delete;
    _ZdaPvRKSt9nothrow_t(_nothrow: Pointer) = posix::delete;
    _ZdlPvSt11align_val_t(_align: usize) = posix::delete;
    _ZdaPvSt11align_val_t(_align: usize) = posix::delete;
    _ZdlPvmSt11align_val_t(size: usize, _align: usize) = |block| posix::delete_sized(block, size);
    _ZdaPvmSt11align_val_t(size: usize, _align: usize) = |block| posix::delete_sized(block, size);
    _ZdlPvSt11align_val_tRKSt9nothrow_t(_align: usize, _nothrow: Pointer) = posix::delete;
    _ZdaPvSt11align_val_tRKSt9nothrow_t(_align: usize, _nothrow: Pointer) = posix::delete;
}
