//! The C++ operators new and delete in every standard form, without linking C++.
//!
//! On failure the throwing forms go on in the next operator new in line, libstdc++'s: it calls the new_handler,
//! tries again (through our malloc) and throws std::bad_alloc, as ever. The nothrow forms do the same, since the
//! standard wants the new_handler called there too.

use core::ffi::{CStr, c_void};

use mems_core::count::Function;
use mems_core::posix::{self, watched};
use mems_core::profile::{self, Caller};

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

/// Keeps the three registers in which operators get their arguments, over a call: 24 bytes, and with the return address a stack
/// on 16.
#[cfg(target_arch = "x86_64")]
macro_rules! keep {
    () => {
        "push rdi\n.cfi_adjust_cfa_offset 8\npush rsi\n.cfi_adjust_cfa_offset 8\npush rdx\n.cfi_adjust_cfa_offset 8"
    };
}

/// Brings them back.
#[cfg(target_arch = "x86_64")]
macro_rules! bring_back {
    () => {
        "pop rdx\n.cfi_adjust_cfa_offset -8\npop rsi\n.cfi_adjust_cfa_offset -8\npop rdi\n.cfi_adjust_cfa_offset -8"
    };
}

/// Keeps the three registers in which operators get their arguments, and the return address, over a call: 48 bytes.
#[cfg(target_arch = "aarch64")]
macro_rules! keep {
    () => {
        concat!(
            "stp x29, x30, [sp, #-48]!\n.cfi_def_cfa_offset 48\n.cfi_offset x29, -48\n.cfi_offset x30, -40\n",
            "stp x0, x1, [sp, #16]\nstr x2, [sp, #32]"
        )
    };
}

/// Brings them back.
#[cfg(target_arch = "aarch64")]
macro_rules! bring_back {
    () => {
        concat!(
            "ldr x2, [sp, #32]\nldp x0, x1, [sp, #16]\n",
            "ldp x29, x30, [sp], #48\n.cfi_restore x29\n.cfi_restore x30\n.cfi_def_cfa_offset 0"
        )
    };
}

/// The body of a naked function: finds the next operator with `$find` and goes on in it with the same arguments, as if
/// the program had called that. The exception that it throws must pass no frame of this library, which is built to
/// abort where one does.
macro_rules! jump_to_next {
    ($find:ident) => {{
        #[cfg(target_arch = "x86_64")]
        core::arch::naked_asm!(
            ".cfi_startproc",
            keep!(),
            "call {find}",
            bring_back!(),
            "jmp rax",
            ".cfi_endproc",
            find = sym $find,
        );
        #[cfg(target_arch = "aarch64")]
        core::arch::naked_asm!(
            ".cfi_startproc",
            keep!(),
            "bl {find}",
            "mov x16, x0",
            bring_back!(),
            "br x16",
            ".cfi_endproc",
            find = sym $find,
        );
    }};
}

/// The body of a naked function: asks `$take` for a block, with its own arguments (one word, or two) and then the caller's
/// return address, stack pointer after the return, and frame pointer. Where there is none, goes on in `$failed` with its
/// own arguments.
macro_rules! take_or_go_on {
    (1 => $take:ident, $failed:ident) => {
        take_or_go_on!("rsi" "rdx" "rcx", "x1" "x2" "x3" => $take, $failed)
    };
    (2 => $take:ident, $failed:ident) => {
        take_or_go_on!("rdx" "rcx" "r8", "x2" "x3" "x4" => $take, $failed)
    };
    ($x86_0:literal $x86_1:literal $x86_2:literal, $arm_0:literal $arm_1:literal $arm_2:literal => $take:ident, $failed:ident) => {{
        #[cfg(target_arch = "x86_64")]
        core::arch::naked_asm!(
            ".cfi_startproc",
            keep!(),
            concat!("mov ", $x86_0, ", [rsp + 24]"),
            concat!("lea ", $x86_1, ", [rsp + 32]"),
            concat!("mov ", $x86_2, ", rbp"),
            "call {take}",
            bring_back!(),
            "test rax, rax",
            "jz {failed}",
            "ret",
            ".cfi_endproc",
            take = sym $take,
            failed = sym $failed,
        );
        #[cfg(target_arch = "aarch64")]
        core::arch::naked_asm!(
            ".cfi_startproc",
            keep!(),
            concat!("mov ", $arm_0, ", x30"),
            concat!("add ", $arm_1, ", sp, #48"),
            concat!("mov ", $arm_2, ", x29"),
            "bl {take}",
            "mov x9, x0",
            bring_back!(),
            "cbz x9, {failed}",
            "mov x0, x9",
            "ret",
            ".cfi_endproc",
            take = sym $take,
            failed = sym $failed,
        );
    }};
}

/// A nothrow operator new that fails.
extern "C" fn nothing() -> Pointer {
    core::ptr::null_mut()
}

extern "C" fn plain(size: usize, site: usize, stack: usize, frame: usize) -> Pointer {
    posix::new_slow(size, site, stack, frame).cast()
}

extern "C" fn aligned(size: usize, align: usize, site: usize, stack: usize, frame: usize) -> Pointer {
    let block = posix::aligned(Function::New, align, size);
    if profile::is_on() {
        return watched::took(block, size, &Caller { site, stack, frame }).cast();
    }
    block.cast()
}

/// Defines operators new. The throwing ones and the others differ in what comes after a failure only.
macro_rules! new {
    ($kind:ident: $($name:ident($size:ident $(, $more:ident: $type:ty)*);)*) => { $(
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($size: usize $(, $more: $type)*) -> Pointer {
            const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"operator new",
            };
            extern "C" fn find() -> Pointer {
                let next = next(NAME);
                if !next.is_null() {
                    return next;
                }
                // Without a C++ library nobody can have set a new_handler.
                if stringify!($name).ends_with("nothrow_t") {
                    return nothing as *const () as Pointer;
                }
                no_next(NAME)
            }
            #[cold]
            #[unsafe(naked)]
            unsafe extern "C" fn failed($size: usize $(, $more: $type)*) -> Pointer {
                jump_to_next!(find)
            }
            /// Reached by a jump, so that the return address is still the program's.
            #[unsafe(naked)]
            unsafe extern "C" fn slow($size: usize $(, $more: $type)*) -> Pointer {
                new!(@slow $kind, failed)
            }
            new!(@fast $kind, $size);
            // SAFETY: called with the caller's own arguments.
            unsafe { slow($size $(, $more)*) }
        }
    )* };
    (@slow plain, $failed:ident) => { take_or_go_on!(1 => plain, $failed) };
    (@slow aligned, $failed:ident) => { take_or_go_on!(2 => aligned, $failed) };
    (@fast plain, $size:ident) => {
        if let Some(block) = posix::new_fast($size) {
            return block.cast();
        }
    };
    (@fast aligned, $size:ident) => {};
}

new! {
    plain:
    _Znwm(size);
    _Znam(size);
    _ZnwmRKSt9nothrow_t(size, _nothrow: Pointer);
    _ZnamRKSt9nothrow_t(size, _nothrow: Pointer);
}

new! {
    aligned:
    _ZnwmSt11align_val_t(size, align: usize);
    _ZnamSt11align_val_t(size, align: usize);
    _ZnwmSt11align_val_tRKSt9nothrow_t(size, align: usize, _nothrow: Pointer);
    _ZnamSt11align_val_tRKSt9nothrow_t(size, align: usize, _nothrow: Pointer);
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
