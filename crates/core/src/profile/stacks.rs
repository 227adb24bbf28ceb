//! Call stacks for those who want one now and then: the unwinder without the recording of sites.
//!
//! Owns when it last looked for code that was unloaded. Allocates nothing after its start.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::*};

use super::{Caller, FRAMES, modules, unwind};

static ON: AtomicBool = AtomicBool::new(false);
/// Calls of dlclose that were looked at.
static UNLOADS: AtomicU32 = AtomicU32::new(0);

/// Readies the unwinder; `stack_end` as for `profile::start`. False when memory is short.
pub fn start(stack_end: usize) -> bool {
    let ready = modules::start() && unwind::start(stack_end);
    ON.store(ready, Release);
    ready
}

/// Whether [`start`] was called.
pub fn are_wanted() -> bool {
    ON.load(Relaxed)
}

/// The return addresses of a call and its callers, innermost first, as many as `to` holds; how many there are. About a
/// microsecond, more for code that was not met before.
pub fn of(caller: &Caller, to: &mut [usize]) -> usize {
    let unloads = modules::unloads();
    if UNLOADS.swap(unloads, AcqRel) != unloads && modules::check() {
        unwind::forget();
    }
    let mut frames = [0; FRAMES];
    let (count, _) = unwind::walk(caller, &mut frames);
    let count = count.min(to.len());
    to[..count].copy_from_slice(&frames[..count]);
    count
}
