//! System calls made directly, for the way out and the way in.
//!
//! The C library's wrappers of these are cancellation points, or are functions that this library itself exports, or that
//! other preloaded libraries wrap, and each costs the loader a look-up in every process. Each of these returns the result or
//! the negated error number and leaves errno alone. Owns nothing.

use core::ffi::{CStr, c_char, c_int, c_long};
use core::mem::MaybeUninit;
use core::ptr;

use mems_core::syscall;

/// `path` is taken relative to the working directory.
pub const HERE: c_int = libc::AT_FDCWD;

/// A set of signals as the kernel has it.
type Signals = u64;

/// Makes system call `number`.
///
/// # Safety
/// As the system call's.
unsafe fn call(number: c_long, [a, b, c, d, e]: [usize; 5]) -> isize {
    // SAFETY: the caller keeps the call's rules; unused arguments are ignored.
    unsafe { syscall::call(number, [a, b, c, d, e, 0]) }
}

/// The process's number.
pub fn pid() -> u32 {
    // SAFETY: getpid takes nothing and cannot fail.
    unsafe { call(libc::SYS_getpid, [0; 5]) as u32 }
}

/// The parent's number.
pub fn parent() -> u32 {
    // SAFETY: getppid takes nothing and cannot fail.
    unsafe { call(libc::SYS_getppid, [0; 5]) as u32 }
}

/// Whether the caller runs in process `pid`. Asks clock_gettime, which a sandbox that kills for getpid allows: the CPU
/// clock of a thread is refused to every process but its own, and the first thread's number is the process's.
pub fn is_in(pid: u32) -> bool {
    const OF_A_THREAD: u32 = 4;
    const SCHEDULED: u32 = 2;
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let clock = (!pid << 3 | OF_A_THREAD | SCHEDULED) as c_int;
    // SAFETY: a timespec to write to.
    unsafe {
        call(libc::SYS_clock_gettime, [clock as usize, ptr::from_mut(&mut time) as usize, 0, 0, 0]) == 0
    }
}

/// Ends the process at once.
pub fn exit_group(code: c_int) -> ! {
    loop {
        // SAFETY: exit_group does not return.
        unsafe { call(libc::SYS_exit_group, [code as usize, 0, 0, 0, 0]) };
    }
}

/// write(2).
pub fn write(descriptor: c_int, bytes: &[u8]) -> isize {
    // SAFETY: the bytes are valid for their length.
    unsafe { call(libc::SYS_write, [descriptor as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0]) }
}

/// write(2) until all is written. The length, or what the write that failed returned.
pub fn write_all(descriptor: c_int, bytes: &[u8]) -> isize {
    let mut rest = bytes;
    while !rest.is_empty() {
        let wrote = write(descriptor, rest);
        if wrote <= 0 {
            return wrote;
        }
        rest = rest.get(wrote as usize..).unwrap_or_default();
    }
    bytes.len() as isize
}

/// pwrite(2).
pub fn write_at(descriptor: c_int, bytes: &[u8], offset: usize) -> isize {
    let at = bytes.as_ptr() as usize;
    // SAFETY: the bytes are valid for their length.
    unsafe { call(libc::SYS_pwrite64, [descriptor as usize, at, bytes.len(), offset, 0]) }
}

/// open(2) of a C string.
///
/// # Safety
/// `path` is a C string.
pub unsafe fn open(path: *const c_char, flags: c_int, mode: u32) -> isize {
    // SAFETY: the caller brings a C string.
    unsafe { call(libc::SYS_openat, [HERE as usize, path as usize, flags as usize, mode as usize, 0]) }
}

/// readlink(2) of a C string: how many bytes of `place` are the answer.
///
/// # Safety
/// `path` is a C string.
pub unsafe fn read_link(path: *const c_char, place: &mut [u8]) -> isize {
    let arguments = [HERE as usize, path as usize, place.as_mut_ptr() as usize, place.len(), 0];
    // SAFETY: the caller brings a C string, and the place is valid for its length.
    unsafe { call(libc::SYS_readlinkat, arguments) }
}

/// fstat(2); None when that fails.
pub fn status(descriptor: c_int) -> Option<libc::stat> {
    let mut file = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the kernel writes one stat, which the C library's is on 64-bit machines.
    let got = unsafe { call(libc::SYS_fstat, [descriptor as usize, file.as_mut_ptr() as usize, 0, 0, 0]) };
    // SAFETY: fstat succeeded, so it wrote all of it.
    (got == 0).then(|| unsafe { file.assume_init() })
}

/// Whether `descriptor` is a terminal's.
pub fn is_terminal(descriptor: c_int) -> bool {
    // The kernel's termios is smaller than the C library's.
    let mut settings = MaybeUninit::<libc::termios>::uninit();
    let arguments = [descriptor as usize, libc::TCGETS as usize, settings.as_mut_ptr() as usize, 0, 0];
    // SAFETY: TCGETS writes a termios.
    unsafe { call(libc::SYS_ioctl, arguments) == 0 }
}

/// A copy of `descriptor` with the first free number from `least` on, closed by exec.
pub fn duplicate(descriptor: c_int, least: c_int) -> isize {
    let arguments = [descriptor as usize, libc::F_DUPFD_CLOEXEC as usize, least as usize, 0, 0];
    // SAFETY: duplicating a descriptor touches no memory.
    unsafe { call(libc::SYS_fcntl, arguments) }
}

/// dup3(2): `number` becomes a copy of `descriptor`; what it was is closed.
pub fn duplicate_onto(descriptor: c_int, number: c_int, flags: c_int) -> isize {
    // SAFETY: touches no memory; the number is the caller's.
    unsafe { call(libc::SYS_dup3, [descriptor as usize, number as usize, flags as usize, 0, 0]) }
}

/// setsid(2).
pub fn new_session() -> isize {
    // SAFETY: setsid takes nothing.
    unsafe { call(libc::SYS_setsid, [0; 5]) }
}

/// chdir(2).
pub fn change_directory(path: &CStr) -> isize {
    // SAFETY: a C string.
    unsafe { call(libc::SYS_chdir, [path.as_ptr() as usize, 0, 0, 0, 0]) }
}

/// fstatat(2); None when that fails.
///
/// # Safety
/// `path` is a C string.
pub unsafe fn status_at(at: c_int, path: *const c_char, flags: c_int) -> Option<libc::stat> {
    let mut file = MaybeUninit::<libc::stat>::uninit();
    let arguments = [at as usize, path as usize, file.as_mut_ptr() as usize, flags as usize, 0];
    // SAFETY: the caller brings a C string; the kernel writes one stat.
    let got = unsafe { call(libc::SYS_newfstatat, arguments) };
    // SAFETY: the call succeeded, so it wrote all of it.
    (got == 0).then(|| unsafe { file.assume_init() })
}

/// Whether the process may execute the file that `path` leads to.
///
/// # Safety
/// `path` is a C string.
pub unsafe fn may_execute(at: c_int, path: *const c_char) -> bool {
    // SAFETY: the caller brings a C string.
    unsafe { call(libc::SYS_faccessat, [at as usize, path as usize, libc::X_OK as usize, 0, 0]) == 0 }
}

/// mkdir(2).
pub fn make_directory(path: &CStr, mode: u32) {
    // SAFETY: a C string.
    unsafe { call(libc::SYS_mkdirat, [HERE as usize, path.as_ptr() as usize, mode as usize, 0, 0]) };
}

/// Whether `path` leads to a directory.
pub fn is_directory(path: &CStr) -> bool {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: a C string.
    let got = unsafe { open(path.as_ptr(), flags, 0) };
    if got >= 0 {
        close(got as c_int);
    }
    got >= 0
}

/// getcwd(2): writes the working directory, as a C string, to `place`. Its length with the NUL.
pub fn working_directory(place: &mut [u8]) -> isize {
    // SAFETY: the place is valid for its length.
    unsafe { call(libc::SYS_getcwd, [place.as_mut_ptr() as usize, place.len(), 0, 0, 0]) }
}

/// close(2).
pub fn close(descriptor: c_int) {
    // SAFETY: closing a number harms nobody but its user, which is the caller.
    unsafe { call(libc::SYS_close, [descriptor as usize, 0, 0, 0, 0]) };
}

/// Whether `descriptor` takes bytes within `milliseconds` (also true when it is broken: write then says how).
pub fn is_writable(descriptor: c_int, milliseconds: i64) -> bool {
    let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLOUT, revents: 0 };
    let limit = libc::timespec { tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000 };
    let (poll, limit) = (ptr::from_mut(&mut poll) as usize, ptr::from_ref(&limit) as usize);
    // SAFETY: one pollfd, a timespec, no signal mask.
    unsafe { call(libc::SYS_ppoll, [poll, 1, limit, 0, 8]) > 0 }
}

/// Waits about `milliseconds`.
pub fn wait(milliseconds: i64) {
    let limit = libc::timespec { tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000 };
    // SAFETY: no pollfd, a timespec, no signal mask.
    unsafe { call(libc::SYS_ppoll, [0, 0, ptr::from_ref(&limit) as usize, 0, 8]) };
}

/// Runs `write` with every signal of this thread blocked, and takes back what a write that failed raised: SIGPIPE from a
/// pipe without a reader, SIGXFSZ from a file at its limit. `write` returns as [`write()`]. A blocked SIGTTOU lets a
/// background process write to its terminal.
pub fn quietly(write: impl FnOnce() -> isize) -> isize {
    let mask = set_mask(!0);
    let got = write();
    match -got as c_int {
        libc::EPIPE => take_back(libc::SIGPIPE),
        libc::EFBIG => take_back(libc::SIGXFSZ),
        _ => {}
    }
    set_mask(mask);
    got
}

/// Takes a waiting signal from this thread, if there is one.
fn take_back(signal: c_int) {
    let set: Signals = 1 << (signal - 1);
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let (set, now) = (ptr::from_ref(&set) as usize, ptr::from_ref(&now) as usize);
    // SAFETY: one set of 8 bytes, no siginfo, a timespec.
    unsafe { call(libc::SYS_rt_sigtimedwait, [set, 0, now, 8, 0]) };
}

/// Sets this thread's mask and returns the one before.
fn set_mask(mask: Signals) -> Signals {
    let mut before: Signals = 0;
    let (set, old) = (ptr::from_ref(&mask) as usize, ptr::from_mut(&mut before) as usize);
    // SAFETY: two sets of 8 bytes.
    unsafe { call(libc::SYS_rt_sigprocmask, [libc::SIG_SETMASK as usize, set, old, 8, 0]) };
    before
}

/// Replaces the process's image. Returns the negated error number.
///
/// # Safety
/// As execveat(2): C strings and null-ended arrays of them.
pub unsafe fn exec(
    at: c_int,
    path: *const c_char,
    argv: *const *const c_char,
    envp: *const *const c_char,
    flags: c_int,
) -> isize {
    let (path, argv, envp) = (path as usize, argv as usize, envp as usize);
    if at == HERE && flags == 0 {
        // SAFETY: the caller's strings and arrays.
        return unsafe { call(libc::SYS_execve, [path, argv, envp, 0, 0]) };
    }
    // SAFETY: the caller's strings and arrays.
    unsafe { call(libc::SYS_execveat, [at as usize, path, argv, envp, flags as usize]) }
}
