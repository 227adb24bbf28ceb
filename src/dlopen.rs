//! dlopen without RTLD_DEEPBIND.
//!
//! A library opened with RTLD_DEEPBIND looks its symbols up in itself and its own dependencies first: its malloc
//! would be the C library's and its free MeMS's, or the other way round. php opens every extension so, and dies at
//! start under an interposed malloc. So the flag is cleared, and nothing else is touched.
//!
//! The real dlopen reads its return address to learn who called: the caller's RUNPATH, `$ORIGIN` and namespace
//! decide where the file is looked for. So this one keeps no frame: it ends in a jump, and the real one returns to
//! the caller. Owns one word, the real address; allocates nothing and takes no lock.

use core::ffi::{c_char, c_int, c_void};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Address of the next dlopen in the search order; 0 until it was looked up. It is written more than once when
/// threads race, always with the same value.
static REAL: AtomicUsize = AtomicUsize::new(0);

/// Clears RTLD_DEEPBIND (8) in `mode` and goes on in the real dlopen, as if the caller had called that.
///
/// # Safety
/// As dlopen(3): `file` is null or a C string.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlopen(file: *const c_char, mode: c_int) -> *mut c_void {
    core::arch::naked_asm!(
        ".cfi_startproc",
        "and esi, {keep}",
        "mov rax, [rip + {real}]",
        "test rax, rax",
        "jz 2f",
        "jmp rax",
        "2:", // the first call: look the real one up, both arguments kept on the stack
        "push rdi",
        ".cfi_adjust_cfa_offset 8",
        "push rsi",
        ".cfi_adjust_cfa_offset 8",
        "sub rsp, 8", // a call wants rsp on 16 bytes
        ".cfi_adjust_cfa_offset 8",
        "call {find}",
        "add rsp, 8",
        ".cfi_adjust_cfa_offset -8",
        "pop rsi",
        ".cfi_adjust_cfa_offset -8",
        "pop rdi",
        ".cfi_adjust_cfa_offset -8",
        "jmp rax",
        ".cfi_endproc",
        keep = const !libc::RTLD_DEEPBIND,
        real = sym REAL,
        find = sym find,
    )
}

/// Clears RTLD_DEEPBIND (8) in `mode` and goes on in the real dlopen, as if the caller had called that.
///
/// # Safety
/// As dlopen(3): `file` is null or a C string.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlopen(file: *const c_char, mode: c_int) -> *mut c_void {
    core::arch::naked_asm!(
        ".cfi_startproc",
        "and w1, w1, #{keep}",
        "adrp x16, {real}",
        "ldr x16, [x16, :lo12:{real}]",
        "cbz x16, 2f",
        "br x16",
        "2:", // the first call: look the real one up, both arguments kept on the stack
        "stp x29, x30, [sp, #-32]!",
        ".cfi_def_cfa_offset 32",
        ".cfi_offset x29, -32",
        ".cfi_offset x30, -24",
        "stp x0, x1, [sp, #16]",
        "bl {find}",
        "mov x16, x0",
        "ldp x0, x1, [sp, #16]",
        "ldp x29, x30, [sp], #32",
        ".cfi_restore x29",
        ".cfi_restore x30",
        ".cfi_def_cfa_offset 0",
        "br x16",
        ".cfi_endproc",
        keep = const !libc::RTLD_DEEPBIND,
        real = sym REAL,
        find = sym find,
    )
}

/// The real dlopen's address, or that of [`absent`]. A dlsym of a name that exists allocates nothing.
extern "C" fn find() -> usize {
    // SAFETY: the name is a C string; RTLD_NEXT means the libraries behind the caller, which is this one.
    let at = unsafe { libc::dlsym(libc::RTLD_NEXT, c"dlopen".as_ptr()) } as usize;
    if at == 0 {
        return absent as *const () as usize;
    }
    REAL.store(at, Relaxed);
    at
}

/// What a caller gets where no library has a dlopen (a C library older than 2.34 without libdl): NULL. The failed
/// dlsym has left its message for dlerror.
extern "C" fn absent(_file: *const c_char, _mode: c_int) -> *mut c_void {
    core::ptr::null_mut()
}

/// Address of the next dlclose in the search order; as REAL.
static REAL_CLOSE: AtomicUsize = AtomicUsize::new(0);

/// The real dlclose. Afterwards call sites in what it unloaded are forgotten, since other code may soon lie there.
///
/// # Safety
/// As dlclose(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlclose(handle: *mut c_void) -> c_int {
    let mut at = REAL_CLOSE.load(Relaxed);
    if at == 0 {
        // SAFETY: as in find.
        at = unsafe { libc::dlsym(libc::RTLD_NEXT, c"dlclose".as_ptr()) } as usize;
        if at == 0 {
            return -1;
        }
        REAL_CLOSE.store(at, Relaxed);
    }
    // SAFETY: the C library's function of that name has this type.
    let real: unsafe extern "C" fn(*mut c_void) -> c_int = unsafe { core::mem::transmute(at) };
    // SAFETY: the caller's promise.
    let got = unsafe { real(handle) };
    mems_core::profile::library_closed();
    got
}
