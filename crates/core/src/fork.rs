//! fork in a program with threads: the child has one thread and works at once.
//!
//! The handlers are registered with the first heap, before the program's own: so they run last before the fork
//! and first after it, and a handler of the program's may allocate. Children made without handlers (vfork, clone)
//! share or copy the memory as it stands and are left alone.

use core::sync::atomic::{AtomicBool, Ordering::*};

use crate::hard::region;
use crate::lock::Side;
use crate::{engine, guard, pool, profile, registry, shared, snapshot};

static WATCHED: AtomicBool = AtomicBool::new(false);

/// Registers the handlers, once. One load when that was done.
#[inline(always)]
pub fn watch() {
    if !WATCHED.load(Relaxed) {
        register();
    }
}

#[cold]
fn register() {
    if !WATCHED.swap(true, AcqRel) {
        handle(prepare, parent, child);
    }
}

/// Registers three handlers for fork. As pthread_atfork, which is no symbol of the C library but a piece of it that is
/// linked in, and jumps on from a page that nothing else of a start lies on.
pub fn handle(prepare: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    unsafe extern "C" {
        fn __register_atfork(
            prepare: extern "C" fn(),
            parent: extern "C" fn(),
            child: extern "C" fn(),
            library: *mut core::ffi::c_void,
        ) -> i32;
    }
    // SAFETY: the three are functions of this library, which stays loaded: so it need not be named.
    unsafe { __register_atfork(prepare, parent, child, core::ptr::null_mut()) };
}

/// In the order of their ranks, so that this thread waits only for what stands behind all that it has parked.
extern "C" fn prepare() {
    registry::fork_prepare();
    guard::fork_prepare();
    region::fork_prepare();
    engine::fork_prepare();
    profile::fork_prepare();
    pool::fork_prepare();
    // Last: no heap is born any more.
    shared::keep_copies(registry::heaps().map(|heap| &heap.counters));
}

/// # Safety
/// [`prepare`] ran in this thread, or in the one of which it is the copy.
unsafe fn open(side: Side) {
    // SAFETY: the caller's promise is theirs.
    unsafe { pool::fork_done(side) };
    // SAFETY: as above.
    unsafe { profile::fork_done(side) };
    // SAFETY: as above.
    unsafe { engine::fork_done(side) };
    // SAFETY: as above.
    unsafe { region::fork_done(side) };
    // SAFETY: as above.
    unsafe { guard::fork_done(side) };
    // SAFETY: as above.
    unsafe { registry::fork_done(side) };
}

extern "C" fn parent() {
    // SAFETY: prepare ran in this thread.
    unsafe { open(Side::Parent) };
}

extern "C" fn child() {
    // First, before anything is counted.
    shared::part(registry::heaps().map(|heap| &heap.counters));
    // SAFETY: prepare ran in the thread of which this is the copy.
    unsafe { open(Side::Child) };
    let alone = registry::THREADS.load(Relaxed) <= 1;
    registry::restart(alone);
    // SAFETY: a forked child has one thread.
    let (blocks, bytes) = unsafe { snapshot::restart() };
    shared::inherited(blocks, bytes);
    profile::restart(alone);
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::sync::mpsc;
    use std::thread::{sleep, spawn};
    use std::time::Duration;

    use super::*;
    use crate::lock::rank;
    use crate::profile::timeline;

    /// The thread inside the time line is one whose signal handler allocates.
    #[test]
    fn a_fork_that_waits_for_a_lock_keeps_nobody_inside_it_from_the_pool() {
        let (inside, is_inside) = mpsc::channel();
        let (done, is_done) = mpsc::channel();
        spawn(move || {
            timeline::see(|_| {
                let _ = inside.send(());
                sleep(Duration::from_millis(100));
                let _ = done.send(pool::take_bytes(64).is_some());
            });
        });
        assert_eq!(is_inside.recv(), Ok(()));
        let (forked, has_forked) = mpsc::channel();
        spawn(move || {
            prepare();
            let missed = rank::missed_any();
            parent();
            let _ = forked.send(missed || !rank::holds_none());
        });
        assert_eq!(is_done.recv_timeout(Duration::from_secs(20)), Ok(true));
        assert_eq!(has_forked.recv_timeout(Duration::from_secs(20)), Ok(false));
    }
}
