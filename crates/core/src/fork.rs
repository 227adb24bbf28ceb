//! fork in a program with threads: the child has one thread and works at once.
//!
//! The handlers are registered with the first heap, before the program's own: so they run last before the fork
//! and first after it, and a handler of the program's may allocate. Children made without handlers (vfork, clone)
//! share or copy the memory as it stands and are left alone.

use core::sync::atomic::{AtomicBool, Ordering::*};

use crate::{guard, profile, registry, shared, snapshot};

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

/// The locks of `profile` come last: who holds one waits for no other. That of `guard` is held where stacks are unwound.
extern "C" fn prepare() {
    guard::fork_prepare();
    registry::fork_prepare();
    profile::fork_prepare();
}

extern "C" fn parent() {
    // SAFETY: prepare ran in this thread.
    unsafe { profile::fork_done() };
    // SAFETY: as above.
    unsafe { registry::fork_parent() };
    // SAFETY: as above.
    unsafe { guard::fork_done() };
}

extern "C" fn child() {
    // SAFETY: prepare ran in the thread of which this is the copy.
    unsafe { profile::fork_done() };
    // SAFETY: as above.
    unsafe { registry::fork_child() };
    // SAFETY: a forked child has one thread.
    let (blocks, bytes) = unsafe { snapshot::restart() };
    shared::inherited(blocks, bytes);
    // SAFETY: prepare ran in the thread of which this is the copy.
    unsafe { guard::fork_done() };
    profile::restart();
}
