//! The exec family, exported: the dump is written while there is still someone to write it.
//!
//! Each form ends in the execve or execveat system call, as the C library's do; so nothing is looked up and nothing is
//! allocated, which a child of a multi-threaded fork or of vfork needs. If the new image cannot be loaded, counting goes on.

use core::ffi::{CStr, c_char, c_int};
use core::ptr::{self, NonNull};

use mems_core::os;

use crate::{counters, dump, raw};

/// C strings, ended by null.
type Strings = *const *const c_char;

unsafe extern "C" {
    static environ: Strings;
}

/// Where the C library looks when PATH is not set.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// The environment as it is now.
fn environment() -> Strings {
    // SAFETY: the C library's variable, a word that is read whole.
    unsafe { environ }
}

/// execve(2).
///
/// # Safety
/// As execve(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execve(path: *const c_char, argv: Strings, envp: Strings) -> c_int {
    // SAFETY: the caller's arguments.
    let error = unsafe { replace(raw::HERE, path, argv, envp, 0) };
    fail(error)
}

/// execv(3).
///
/// # Safety
/// As execv(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execv(path: *const c_char, argv: Strings) -> c_int {
    // SAFETY: the caller's arguments.
    unsafe { execve(path, argv, environment()) }
}

/// execveat(2).
///
/// # Safety
/// As execveat(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execveat(
    at: c_int,
    path: *const c_char,
    argv: Strings,
    envp: Strings,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's arguments.
    let error = unsafe { replace(at, path, argv, envp, flags) };
    fail(error)
}

/// fexecve(3).
///
/// # Safety
/// As fexecve(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fexecve(descriptor: c_int, argv: Strings, envp: Strings) -> c_int {
    if descriptor < 0 || argv.is_null() || envp.is_null() {
        return fail(libc::EINVAL);
    }
    // SAFETY: an empty path with AT_EMPTY_PATH names the descriptor itself.
    let error = unsafe { replace(descriptor, c"".as_ptr(), argv, envp, libc::AT_EMPTY_PATH) };
    fail(error)
}

/// execvp(3).
///
/// # Safety
/// As execvp(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execvp(file: *const c_char, argv: Strings) -> c_int {
    // SAFETY: the caller's arguments.
    unsafe { execvpe(file, argv, environment()) }
}

/// execvpe(3): `file` without a slash is looked for along PATH, and a text file without `#!` goes to /bin/sh.
///
/// # Safety
/// As execvpe(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn execvpe(file: *const c_char, argv: Strings, envp: Strings) -> c_int {
    // SAFETY: the caller brings a C string.
    let name = unsafe { CStr::from_ptr(file) }.to_bytes();
    if name.is_empty() {
        return fail(libc::ENOENT);
    }
    if name.contains(&b'/') {
        // SAFETY: the caller's arguments.
        return fail(unsafe { program_or_script(file, argv, envp) });
    }
    if name.len() > 255 {
        return fail(libc::ENAMETOOLONG);
    }
    // SAFETY: the name is a C string; the value stays until the environment is changed.
    let path = unsafe { libc::getenv(c"PATH".as_ptr()) };
    let path = match NonNull::new(path) {
        // SAFETY: a value of the environment is a C string.
        Some(path) => unsafe { CStr::from_ptr(path.as_ptr()) }.to_bytes(),
        None => DEFAULT_PATH,
    };
    let mut refused = false;
    let mut last = libc::ENOENT;
    for directory in path.split(|byte| *byte == b':') {
        let mut place = [0u8; libc::PATH_MAX as usize + 256];
        let mut whole = mems_core::buffer::Buffer::new(&mut place);
        whole.bytes(directory);
        whole.text(if directory.is_empty() { "" } else { "/" });
        whole.bytes(name);
        whole.bytes(b"\0");
        if directory.len() >= libc::PATH_MAX as usize || whole.is_cut() {
            continue;
        }
        // SAFETY: the text ends in a NUL; the arrays are the caller's.
        last = unsafe { program_or_script(whole.as_bytes().as_ptr().cast(), argv, envp) };
        match last {
            libc::EACCES => refused = true,
            libc::ENOENT | libc::ESTALE | libc::ENOTDIR | libc::ENODEV | libc::ETIMEDOUT => {}
            _ => return fail(last),
        }
    }
    fail(if refused { libc::EACCES } else { last })
}

/// Executes a program, or a text file that names no interpreter by /bin/sh. Returns the error number.
///
/// # Safety
/// As execve(2).
unsafe fn program_or_script(path: *const c_char, argv: Strings, envp: Strings) -> c_int {
    // SAFETY: the caller's arguments.
    let wrote = dump::before_exec(|| unsafe { is_program(raw::HERE, path, 0) });
    // SAFETY: the caller's arguments.
    let error = unsafe { load(wrote, raw::HERE, path, argv, envp, 0) };
    if error != libc::ENOEXEC {
        return error;
    }
    // SAFETY: the array ends in null.
    let count = unsafe { length(argv) };
    // `/bin/sh path argv[1] … null`
    let words = count.max(1) + 2;
    let mut few = [ptr::null::<c_char>(); 128];
    if let Some(place) = few.get_mut(..words) {
        // SAFETY: the caller's arguments.
        return unsafe { script(wrote, path, argv, envp, place) };
    }
    let Some(len) = os::round_to_pages(words * size_of::<*const c_char>()) else { return libc::E2BIG };
    let Some(at) = os::map(len, 0) else { return libc::ENOMEM };
    // SAFETY: a fresh mapping of zero bytes, long enough for so many null pointers, aligned to a page.
    let place = unsafe { NonNull::slice_from_raw_parts(at.cast(), words).as_mut() };
    // SAFETY: the caller's arguments.
    let error = unsafe { script(wrote, path, argv, envp, place) };
    // SAFETY: the mapping made above, which nobody uses any more.
    unsafe { os::unmap(at, len) };
    error
}

/// Executes /bin/sh on the file `path`, with the arguments of `argv` in `place`, whose length fits them. `wrote`: the dump
/// for this exec is written.
///
/// # Safety
/// As execve(2).
unsafe fn script(
    wrote: bool,
    path: *const c_char,
    argv: Strings,
    envp: Strings,
    place: &mut [*const c_char],
) -> c_int {
    for (index, word) in place.iter_mut().enumerate() {
        *word = match index {
            0 => c"/bin/sh".as_ptr(),
            1 => path,
            // SAFETY: the place has one word more than argv has up to its null; an argv of nothing is not read.
            _ if index <= 2 && unsafe { length(argv) } == 0 => ptr::null(),
            // SAFETY: as above.
            _ => unsafe { *argv.wrapping_add(index - 1) },
        };
    }
    // SAFETY: the caller's strings in an array that ends in argv's null.
    unsafe { load(wrote, raw::HERE, c"/bin/sh".as_ptr(), place.as_ptr(), envp, 0) }
}

/// Writes the dump if the image is likely to be loaded, and has the kernel load it. Returns the error number.
///
/// # Safety
/// As execveat(2).
unsafe fn replace(at: c_int, path: *const c_char, argv: Strings, envp: Strings, flags: c_int) -> c_int {
    // SAFETY: the caller's path.
    let wrote = dump::before_exec(|| unsafe { is_program(at, path, flags) });
    // SAFETY: the caller's arguments.
    unsafe { load(wrote, at, path, argv, envp, flags) }
}

/// Has the kernel load the image; if it does not and the dump was written, counting goes on. Returns the error number.
///
/// # Safety
/// As execveat(2).
unsafe fn load(
    wrote: bool,
    at: c_int,
    path: *const c_char,
    argv: Strings,
    envp: Strings,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's path, a C string.
    let counted = unsafe { counters::execs(path) };
    // SAFETY: the caller's arguments.
    let error = unsafe { raw::exec(at, path, argv, envp, flags) };
    if counted {
        counters::goes_on();
    }
    if wrote {
        dump::exec_failed();
    }
    -error as c_int
}

/// Whether the path leads to a regular file that this process may execute.
///
/// # Safety
/// `path` is a C string.
unsafe fn is_program(at: c_int, path: *const c_char, flags: c_int) -> bool {
    // SAFETY: a C string.
    let Some(file) = (unsafe { raw::status_at(at, path, flags & libc::AT_EMPTY_PATH) }) else { return false };
    // SAFETY: as above.
    let allowed = flags & libc::AT_EMPTY_PATH != 0 || unsafe { raw::may_execute(at, path) };
    file.st_mode & libc::S_IFMT == libc::S_IFREG && file.st_mode & 0o111 != 0 && allowed
}

/// How many strings there are before the null.
///
/// # Safety
/// The array ends in null; or it is null itself.
unsafe fn length(strings: Strings) -> usize {
    let mut count = 0;
    // SAFETY: the array has not ended before this place.
    while unsafe { strings.wrapping_add(count).as_ref() }.is_some_and(|string| !string.is_null()) {
        count += 1;
    }
    count
}

fn fail(error: c_int) -> c_int {
    os::set_errno(error);
    -1
}

/// The forms that take their arguments one by one. A caller passes the first in registers and the rest on the stack; put
/// in front of the stack's, the registers' make the array that the other forms want. The return address is moved out of
/// the way and, if exec fails, back.
macro_rules! listed {
    ($name:ident, $then:path, $manual:literal) => {
        #[doc = $manual]
        ///
        /// # Safety
        /// As the manual page says: C strings, ended by null.
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        #[cfg(target_arch = "x86_64")]
        pub unsafe extern "C" fn $name() -> c_int {
            core::arch::naked_asm!(
                "pop rax",      // the return address, between the registers' and the stack's arguments
                "push r9",
                "push r8",
                "push rcx",
                "push rdx",
                "push rsi",
                "mov rsi, rsp", // argv
                "push rax",     // rsp is on 16 bytes again
                "call {then}",
                "pop rcx",
                "add rsp, 40",
                "push rcx",
                "ret",
                then = sym $then,
            )
        }

        #[doc = $manual]
        ///
        /// # Safety
        /// As the manual page says: C strings, ended by null.
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        #[cfg(target_arch = "aarch64")]
        pub unsafe extern "C" fn $name() -> c_int {
            core::arch::naked_asm!(
                "sub sp, sp, #80",
                "stp x29, x30, [sp]",
                "str x1, [sp, #24]", // argv: seven registers, up to where the stack's arguments begin
                "stp x2, x3, [sp, #32]",
                "stp x4, x5, [sp, #48]",
                "stp x6, x7, [sp, #64]",
                "mov x29, sp",
                "add x1, sp, #24",
                "bl {then}",
                "ldp x29, x30, [sp]",
                "add sp, sp, #80",
                "ret",
                then = sym $then,
            )
        }
    };
}

listed!(execl, execv, "execl(3).");
listed!(execlp, execvp, "execlp(3).");
listed!(execle, with_environment, "execle(3).");

/// execve with the environment that stands behind the arguments' null.
///
/// # Safety
/// As execle(3).
unsafe extern "C" fn with_environment(path: *const c_char, argv: Strings) -> c_int {
    // SAFETY: the arguments end in null.
    let count = unsafe { length(argv) };
    // SAFETY: execle's caller passes the environment behind the null.
    let envp = unsafe { *argv.wrapping_add(count + 1) };
    // SAFETY: the caller's arguments.
    unsafe { execve(path, argv, envp.cast()) }
}
