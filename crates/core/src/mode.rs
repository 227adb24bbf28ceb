//! What is chosen at the start of a process and holds from its first block on: hardened (`MEMS_HARDEN=1`) or not.
//!
//! The first mallocs come before any constructor has run, some before the C library knows its environment: so the
//! first slow call reads what the kernel put on the first stack. In a program that runs with raised rights (AT_SECURE)
//! the environment is the attacker's and is not asked. Owns the answer; never changes it.

use core::ffi::{CStr, c_char};
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

const UNKNOWN: u8 = 0;
const PLAIN: u8 = 1;
const HARDENED: u8 = 2;

static MODE: AtomicU8 = AtomicU8::new(UNKNOWN);

const NAME: &[u8] = b"MEMS_HARDEN=";

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// Whether this process is hardened. One load; the first call looks for the variable.
#[inline(always)]
pub fn is_hardened() -> bool {
    match MODE.load(Relaxed) {
        PLAIN => false,
        HARDENED => true,
        _ => choose(),
    }
}

/// Whether `value` of `MEMS_HARDEN` switches it on; None for what is not legal, which leaves it off.
pub fn reads(value: &[u8]) -> Option<bool> {
    match value {
        b"1" | b"on" => Some(true),
        b"0" | b"off" => Some(false),
        _ => None,
    }
}

/// Chooses for the process, if nothing was chosen yet: for tests, which are no programs of their own.
pub fn set(hardened: bool) {
    let wanted = if hardened { HARDENED } else { PLAIN };
    let _ = MODE.compare_exchange(UNKNOWN, wanted, Relaxed, Relaxed);
}

#[cold]
#[inline(never)]
fn choose() -> bool {
    // SAFETY: getauxval has no precondition.
    let raised = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    let hardened = !raised && value().is_some_and(|value| reads(value) == Some(true));
    // Threads that come here at the same time find the same.
    MODE.store(if hardened { HARDENED } else { PLAIN }, Relaxed);
    hardened
}

/// The value of the variable at the start of the process.
fn value() -> Option<&'static [u8]> {
    // SAFETY: the C library's variable, set once before any constructor runs.
    let mut at = unsafe { environ };
    if at.is_null() {
        return value_on_first_stack();
    }
    // SAFETY: an environment ends with a null, which `at` has not passed.
    while let Some(entry) = unsafe { at.as_ref() }.filter(|entry| !entry.is_null()) {
        // SAFETY: the entries of an environment are C strings.
        let entry = unsafe { CStr::from_ptr(*entry) }.to_bytes();
        if let Some(value) = entry.strip_prefix(NAME) {
            return Some(value);
        }
        at = at.wrapping_add(1);
    }
    None
}

/// The same, before the C library is ready (an IFUNC resolver allocates): between the random bytes and the program's
/// name the kernel lays the arguments and then the environment, string behind string.
fn value_on_first_stack() -> Option<&'static [u8]> {
    // SAFETY: getauxval has no precondition.
    let start = unsafe { libc::getauxval(libc::AT_RANDOM) } as usize;
    // SAFETY: as above.
    let end = unsafe { libc::getauxval(libc::AT_EXECFN) } as usize;
    if start == 0 || end <= start || end - start > 8 << 20 {
        return None;
    }
    // SAFETY: the kernel laid these bytes on the first stack, which stays mapped; nothing writes to them this early.
    let strings = unsafe { core::slice::from_raw_parts(start as *const u8, end - start) };
    strings.split(|byte| *byte == 0).rev().find_map(|entry| entry.strip_prefix(NAME))
}

#[cfg(test)]
mod tests {
    use super::reads;

    #[test]
    fn only_the_two_words_for_yes_switch_hardening_on() {
        assert_eq!(reads(b"1"), Some(true));
        assert_eq!(reads(b"on"), Some(true));
        assert_eq!(reads(b"0"), Some(false));
        assert_eq!(reads(b"off"), Some(false));
        for bad in [&b""[..], b"2", b"yes", b"11", b"1 "] {
            assert_eq!(reads(bad), None);
        }
    }
}
