//! The signal handler for faults: reports those in the range of guarded blocks, and hands every fault on.
//!
//! Installed only where blocks are guarded. After a report, and for all other faults, comes what would have come without
//! it: the handler that was there before, or the default, which ends the process by the same signal.

use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;

use super::{owns, report};

/// What was there before. Written once, before the handler is there.
struct Before(UnsafeCell<MaybeUninit<libc::sigaction>>);
// SAFETY: see its comment.
unsafe impl Sync for Before {}
static BEFORE: Before = Before(UnsafeCell::new(MaybeUninit::zeroed()));

/// Installs the handler.
pub fn watch() {
    // SAFETY: zero bytes are a valid sigaction: the default, no flag, an empty mask.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = on_fault as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: both are valid; this is the one place that writes the second, and nobody reads it yet.
    unsafe { libc::sigaction(libc::SIGSEGV, &action, BEFORE.0.get().cast()) };
}

fn before() -> &'static libc::sigaction {
    // SAFETY: written by watch, or all zero, which is valid.
    unsafe { &*BEFORE.0.get().cast() }
}

extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let errno = crate::os::errno();
    // SAFETY: the kernel passes both; a handler with SA_SIGINFO may read them.
    let (code, address) = unsafe { facts(info) };
    // A fault has a positive code: kill and the like have none, and no address.
    if code > 0 && owns(address) {
        let (at, write) = access(context);
        report::fault(address, at, write);
    }
    crate::os::set_errno(errno);
    hand_on(signal, info, context, code > 0);
}

/// # Safety
/// `info` is what the kernel passed to a handler.
unsafe fn facts(info: *const libc::siginfo_t) -> (c_int, usize) {
    // SAFETY: the caller's promise.
    let info = unsafe { &*info };
    // SAFETY: of a fault this is the address; of other signals bytes that nobody believes.
    (info.si_code, unsafe { info.si_addr() } as usize)
}

/// The code that faulted, and whether it wrote.
fn access(context: *const c_void) -> (usize, Option<bool>) {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: the third argument of a handler is its ucontext.
        let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        // Bit 1 of the page fault's error code: a write (Intel SDM, volume 3, 4.7).
        let write = registers[libc::REG_ERR as usize] & 2 != 0;
        (registers[libc::REG_RIP as usize] as usize, Some(write))
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = context;
        (0, None)
    }
}

/// What would have come without this handler. A fault comes again when this one returns; a signal that was sent does not.
fn hand_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, fault: bool) {
    let before = before();
    match before.sa_sigaction {
        libc::SIG_IGN if !fault => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: zero bytes are the default action.
            let default: libc::sigaction = unsafe { core::mem::zeroed() };
            // SAFETY: a valid action; the old one is not asked for.
            unsafe { libc::sigaction(signal, &default, core::ptr::null_mut()) };
            if !fault {
                // SAFETY: raise has no precondition; the signal is blocked until this handler returns.
                unsafe { libc::raise(signal) };
            }
        }
        handler if before.sa_flags & libc::SA_SIGINFO != 0 => {
            // SAFETY: the program, or a library, installed it as a handler of this type.
            let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                unsafe { core::mem::transmute(handler) };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: as above, of the short type.
            let handler: extern "C" fn(c_int) = unsafe { core::mem::transmute(handler) };
            handler(signal);
        }
    }
}
