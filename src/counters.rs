//! The file that this process's counters live in when `mems run` watches (`MEMS_SHARED`).
//!
//! `<directory>/<pid>-<start>.counters`, one a process image, made at load and in a forked child. Its descriptor is kept,
//! under a high number, for the heaps of threads to come; where the program has closed it the file is opened anew. A file
//! that cannot be made or grown is not complained of here: the counters stay private, and `mems run` says so. Owns the
//! descriptor.

use core::ffi::{CStr, c_char, c_int};
use core::sync::atomic::Ordering::Relaxed;

use mems_core::buffer::Buffer;
use mems_core::registry;
use mems_core::report::ExitKind;
use mems_core::shared::{self, Door, HEADER, state};

use crate::descriptor::Descriptor;
use crate::{options, process, raw};

static DOOR: Door = Door { create, put };
static DESCRIPTOR: Descriptor = Descriptor::new();

const PAGE: usize = mems_core::os::PAGE;

/// Moves the counters into a file if `mems run` asked for it. To be called at load.
pub fn open() {
    if !options::get().shared.is_empty() {
        make();
    }
}

#[cold]
#[inline(never)]
fn make() {
    let facts = process::facts(ExitKind::Live, 0);
    HEADER.pid.store(facts.pid, Relaxed);
    HEADER.ppid.store(facts.ppid, Relaxed);
    HEADER.start_ns.store(facts.start_ns, Relaxed);
    HEADER.start_unix_ns.store(facts.start_unix_ns, Relaxed);
    HEADER.exe_len.store(shared::write_text(&HEADER.exe, facts.exe), Relaxed);
    HEADER.args_len.store(shared::write_text(&HEADER.args, facts.args), Relaxed);
    let cut = facts.args_cut || facts.args.len() > HEADER.args.len();
    HEADER.args_cut.store(u32::from(cut), Relaxed);
    shared::open(&DOOR, registry::heaps().map(|heap| &heap.counters));
}

/// In a forked child, whose start was just recorded: the file says the same as the record will.
pub fn forked() {
    if shared::is_open() {
        HEADER.start_unix_ns.store(process::facts(ExitKind::Live, 0).start_unix_ns, Relaxed);
    }
}

/// The process ends in this way. Only for a process that [`process::is_this`].
pub fn ends(exit: ExitKind, code: i32) {
    let kind = match exit {
        ExitKind::Exit => state::EXIT,
        ExitKind::Underscore => state::UNDERSCORE,
        ExitKind::Quick => state::QUICK,
        ExitKind::Exec | ExitKind::Signal | ExitKind::Unknown | ExitKind::Live => return,
    };
    if shared::is_open() {
        shared::ends(kind, code, &[]);
    }
}

/// The process calls exec. True: [`goes_on`] is due when that fails.
///
/// # Safety
/// `path` is a C string, or null.
pub unsafe fn execs(path: *const c_char) -> bool {
    if !shared::is_open() || path.is_null() || !process::is_this() {
        return false;
    }
    // SAFETY: the caller's C string.
    let path = unsafe { CStr::from_ptr(path) };
    shared::ends(state::EXEC, 0, path.to_bytes());
    true
}

/// The exec failed.
pub fn goes_on() {
    shared::goes_on();
}

/// Makes the file of the process that began at `start_ns`.
fn create(pid: u32, start_ns: u64) -> bool {
    DESCRIPTOR.close();
    open_as(pid, start_ns, libc::O_CREAT | libc::O_EXCL)
}

/// Writes a page of the file.
fn put(number: usize, content: &[u8; PAGE]) -> Option<c_int> {
    let open = || {
        let opened = open_as(HEADER.pid.load(Relaxed), HEADER.start_ns.load(Relaxed), 0);
        if opened { DESCRIPTOR.get() } else { None }
    };
    let descriptor = DESCRIPTOR.get().or_else(open)?;
    let wrote = raw::quietly(|| raw::write_at(descriptor, content, number * PAGE));
    (wrote == PAGE as isize).then_some(descriptor)
}

fn open_as(pid: u32, start_ns: u64, flags: c_int) -> bool {
    let mut place = [0; 1100];
    let mut path = Buffer::new(&mut place);
    path.bytes(options::get().shared);
    path.text("/");
    path.number(u64::from(pid));
    path.text("-");
    path.number(start_ns);
    path.text(".counters");
    path.bytes(b"\0");
    let Ok(path) = CStr::from_bytes_with_nul(path.as_bytes()) else { return false };
    let flags = flags | libc::O_RDWR | libc::O_CLOEXEC | libc::O_NOCTTY | libc::O_NOFOLLOW;
    // SAFETY: a C string.
    let got = unsafe { raw::open(path.as_ptr(), flags, 0o600) };
    if got < 0 {
        return false;
    }
    DESCRIPTOR.hold(got as c_int);
    true
}
