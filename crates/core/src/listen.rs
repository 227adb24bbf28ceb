//! One listener to the calls of the os floor: the log, when someone asked for it.
//!
//! Costs a load where nobody listens. The listener is called with locks of the engine held: it must not allocate from
//! the program's heap, take a lock, or change errno. Owns one word.

use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// A call to the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// mmap of fresh pages.
    Map,
    /// munmap.
    Unmap,
    /// mmap over pages of our own, which gives the old ones back.
    Purge,
}

/// Takes the call, whether the kernel granted it, the first byte (0: a mmap that was refused), and the length in bytes.
pub type Listener = fn(Call, bool, usize, usize);

static LISTENER: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// From now on `listener` is told.
pub fn set(listener: Listener) {
    LISTENER.store(listener as *mut (), Ordering::Release);
}

/// Tells the listener, if there is one.
#[inline]
pub fn tell(call: Call, granted: bool, at: usize, len: usize) {
    let listener = LISTENER.load(Ordering::Acquire);
    if !listener.is_null() {
        // SAFETY: the only value but null that is ever stored is a Listener, by set.
        let listener: Listener = unsafe { core::mem::transmute(listener) };
        listener(call, granted, at, len);
    }
}
