//! daemon(3): the C library's leaves its parent by an _exit of its own, which nobody could see.
//!
//! The same steps with the exported ones: fork, the parent's _exit, a session of its own, `/` and `/dev/null` if asked.

use core::ffi::c_int;

use crate::{exit, raw};

/// Goes on in a child without a terminal; the parent ends with code 0. Returns 0, or -1 with errno.
#[unsafe(no_mangle)]
pub extern "C" fn daemon(keep_directory: c_int, keep_descriptors: c_int) -> c_int {
    // SAFETY: fork has no precondition.
    match unsafe { libc::fork() } {
        -1 => return -1,
        0 => {}
        _ => exit::_exit(0),
    }
    let session = raw::new_session();
    if session < 0 {
        mems_core::os::set_errno(-session as c_int);
        return -1;
    }
    if keep_directory == 0 {
        // A directory that cannot be entered is no failure, as in the C library.
        raw::change_directory(c"/");
    }
    if keep_descriptors == 0 {
        return to_nowhere();
    }
    0
}

/// Puts /dev/null on descriptors 0 to 2.
fn to_nowhere() -> c_int {
    // SAFETY: a C string.
    let null = unsafe { raw::open(c"/dev/null".as_ptr(), libc::O_RDWR, 0) };
    if null < 0 {
        mems_core::os::set_errno(-null as c_int);
        return -1;
    }
    for descriptor in 0..3 {
        raw::duplicate_onto(null as c_int, descriptor, 0);
    }
    if null > 2 {
        raw::close(null as c_int);
    }
    0
}
