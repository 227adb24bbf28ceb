//! What is known of this process beside its counters: who it is, what it was called with, when it began.
//!
//! Recorded at load, and again in a forked child. A process whose number is not the recorded one is a vfork child (or a
//! raw clone) that shares or copies this memory unasked: it is none of ours and touches nothing.

use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

use mems_core::os;
use mems_core::report::{ExitKind, Process};

use crate::place::Place;
use crate::raw;

/// Argument bytes that are kept. What is longer is shown cut, and said to be.
pub const ARGUMENTS: usize = 4096;

static PID: AtomicU32 = AtomicU32::new(0);
static PPID: AtomicU32 = AtomicU32::new(0);
static START_UNIX: AtomicU64 = AtomicU64::new(0);
static START: AtomicU64 = AtomicU64::new(0);
static FORKED: AtomicBool = AtomicBool::new(false);
static CUT: AtomicBool = AtomicBool::new(false);
static ARGS: Place = Place::new();
static EXE: Place = Place::new();
/// A longer path of the executable is cut.
const PATH: usize = 1024;

/// Records the facts at load, but for [`find_executable`].
///
/// # Safety
/// `arguments` is a null-ended array of C strings, or null.
pub unsafe fn record(arguments: *const *const c_char) {
    PID.store(raw::pid(), Relaxed);
    PPID.store(raw::parent(), Relaxed);
    begin();
    ARGS.set(ARGUMENTS, |place| {
        // SAFETY: the caller's array.
        let (used, cut) = unsafe { copy(arguments, place) };
        CUT.store(cut, Relaxed);
        used
    });
}

/// Asks the kernel for the path of the executable, which the short forms of the dump do without: it costs as much as all
/// else that is done at the load. To be called at the load too, since later the process may be shut in a sandbox.
pub fn find_executable() {
    EXE.set(PATH, |place| {
        // SAFETY: a C string.
        let len = unsafe { raw::read_link(c"/proc/self/exe".as_ptr(), place) };
        usize::try_from(len).unwrap_or(0)
    });
}

/// Whether the program was called with a name of its own.
pub fn has_name() -> bool {
    !matches!(ARGS.get().first(), None | Some(0))
}

/// Records what is new in a forked child.
pub fn forked() {
    PPID.store(PID.load(Relaxed), Relaxed);
    PID.store(raw::pid(), Relaxed);
    FORKED.store(true, Relaxed);
    begin();
}

/// Whether the caller runs in the recorded process.
pub fn is_this() -> bool {
    let pid = PID.load(Relaxed);
    pid != 0 && raw::is_in(pid)
}

/// Whether this process is a forked child (that has not called exec).
pub fn is_forked() -> bool {
    FORKED.load(Relaxed)
}

/// The facts now, for a process that ends by `exit` with `code`.
pub fn facts(exit: ExitKind, code: i32) -> Process<'static> {
    Process {
        pid: PID.load(Relaxed),
        ppid: PPID.load(Relaxed),
        exe: EXE.get(),
        args: ARGS.get(),
        args_cut: CUT.load(Relaxed),
        start_unix_ns: START_UNIX.load(Relaxed),
        start_ns: START.load(Relaxed),
        elapsed_ns: os::ns_by_call(libc::CLOCK_MONOTONIC).saturating_sub(START.load(Relaxed)),
        exit,
        code,
    }
}

fn begin() {
    START.store(os::ns_by_call(libc::CLOCK_MONOTONIC), Relaxed);
    START_UNIX.store(os::ns_by_call(libc::CLOCK_REALTIME), Relaxed);
}

/// Copies C strings with their NULs into `place`; how many bytes, and whether some did not fit.
///
/// # Safety
/// `strings` is a null-ended array of C strings, or null.
unsafe fn copy(strings: *const *const c_char, place: &mut [u8]) -> (usize, bool) {
    let mut used = 0;
    let mut at = strings;
    // SAFETY: `at` has not passed the array's null.
    while let Some(string) = unsafe { at.as_ref() }.filter(|string| !string.is_null()) {
        // SAFETY: the entries are C strings.
        let string = unsafe { CStr::from_ptr(*string) }.to_bytes();
        // The NUL needs its byte too.
        let room = place.len().saturating_sub(used + 1);
        let take = string.len().min(room);
        if let (Some(to), Some(from)) = (place.get_mut(used..used + take), string.get(..take)) {
            to.copy_from_slice(from);
        }
        used += take;
        if let Some(end) = place.get_mut(used) {
            *end = 0;
            used += 1;
        }
        if take < string.len() {
            return (used, true);
        }
        at = at.wrapping_add(1);
    }
    (used, false)
}
