//! The ways out of a process, and the dump on each of them.
//!
//! exit() and the end of the last thread come by a handler that runs after every destructor: on_exit, registered at load,
//! which is told the code. _exit, _Exit and quick_exit are exported in front of the C library's. Owns nothing else.

use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicI32, AtomicU32, Ordering::Relaxed};

use mems_core::report::ExitKind;

use crate::{counters, dump, process, raw};

unsafe extern "C" {
    fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    fn __cxa_at_quick_exit(handler: extern "C" fn(*mut c_void), library: *mut c_void) -> c_int;
}

/// How often the handler was registered again, and how often at most: more threads than so do not call exit at once.
static AGAIN: AtomicU32 = AtomicU32::new(0);
const THREADS: u32 = 1000;

/// The code that quick_exit was called with.
static QUICK_CODE: AtomicI32 = AtomicI32::new(0);

/// The destructor of this library, for the case that on_exit could not be registered.
static CODE_UNKNOWN: AtomicI32 = AtomicI32::new(0);
#[used]
#[unsafe(link_section = ".fini_array")]
static FINISH: extern "C" fn() = finish;

/// Handlers for exit, of which each thread that calls it meanwhile takes one: the next finds another and waits in it.
const HANDLERS: u32 = 4;

/// Registers the handlers. Called at load, before the program can have registered any: so ours run last.
pub fn register() {
    for _ in 0..HANDLERS {
        // SAFETY: the handler lives as long as the process, since the library is never unloaded (-z nodelete).
        let refused = unsafe { on_exit(exited, ptr::null_mut()) };
        CODE_UNKNOWN.store(i32::from(refused != 0), Relaxed);
    }
    // SAFETY: as above.
    unsafe { __cxa_at_quick_exit(quick_exited, ptr::null_mut()) };
}

extern "C" fn exited(code: c_int, _: *mut c_void) {
    if process::is_this() {
        counters::ends(ExitKind::Exit, code & 0xff);
    }
    if dump::is_due() && AGAIN.fetch_add(1, Relaxed) < THREADS {
        // Another thread that calls exit meanwhile finds no handler left, and ends the process in the middle of the
        // dump. So there is one for it, which waits. Found done when it is this thread's turn again.
        // SAFETY: as in register.
        unsafe { on_exit(exited, ptr::null_mut()) };
        dump::write(ExitKind::Exit, code & 0xff);
    }
}

extern "C" fn finish() {
    if CODE_UNKNOWN.load(Relaxed) != 0 {
        dump::write(ExitKind::Exit, 0);
    }
}

extern "C" fn quick_exited(_: *mut c_void) {
    dump::write(ExitKind::Quick, QUICK_CODE.load(Relaxed));
}

/// Ends the process at once: no handler runs, nothing is flushed.
#[unsafe(no_mangle)]
pub extern "C" fn _exit(code: c_int) -> ! {
    dump::write(ExitKind::Underscore, code & 0xff);
    raw::exit_group(code)
}

/// [`_exit`] under its C name.
#[unsafe(no_mangle)]
pub extern "C" fn _Exit(code: c_int) -> ! {
    dump::write(ExitKind::Underscore, code & 0xff);
    raw::exit_group(code)
}

/// Ends the process after the handlers of at_quick_exit, which the C library's own quick_exit knows.
#[unsafe(no_mangle)]
pub extern "C" fn quick_exit(code: c_int) -> ! {
    QUICK_CODE.store(code & 0xff, Relaxed);
    // SAFETY: the name is a C string. Not an allocation path: the name exists, so nothing is allocated for an error.
    let real = unsafe { libc::dlsym(libc::RTLD_NEXT, c"quick_exit".as_ptr()) };
    if !real.is_null() {
        // SAFETY: quick_exit of the C library has this type.
        let real: extern "C" fn(c_int) -> ! = unsafe { core::mem::transmute(real) };
        real(code)
    }
    dump::write(ExitKind::Quick, code & 0xff);
    raw::exit_group(code)
}
