//! Freed large blocks whose addresses the kernel would not take back, and that no vault can keep: offered again whenever a
//! large block is taken or freed, so that nothing stays mapped for good.
//!
//! Anyone adds without a lock; one thread at a time offers. A block here is out of every other list.

use core::sync::atomic::{AtomicPtr, Ordering::*};

use super::Large;
use crate::lock::Lock;

/// Most blocks that one call offers.
const OFFERED: usize = 8;

/// Added since `REST` ran empty.
static ADDED: AtomicPtr<Large> = AtomicPtr::new(core::ptr::null_mut());
/// What is offered next. Tried, never waited for: in a child of a fork that came in between it stays closed.
static REST: Lock<Option<&'static Large>> = Lock::new(None);
/// The newest of `REST`, to be seen without its lock.
static SOME: AtomicPtr<Large> = AtomicPtr::new(core::ptr::null_mut());

/// Adds a freed block.
#[cold]
pub fn add(large: &'static Large) {
    let raw = core::ptr::from_ref(large).cast_mut();
    let mut head = ADDED.load(Relaxed);
    loop {
        large.next.store(head, Relaxed);
        match ADDED.compare_exchange_weak(head, raw, Release, Relaxed) {
            Ok(_) => return,
            Err(now) => head = now,
        }
    }
}

/// Offers some of them to the kernel. Two loads when there is none.
#[inline]
pub fn end() {
    if !ADDED.load(Relaxed).is_null() || !SOME.load(Relaxed).is_null() {
        offer();
    }
}

#[cold]
fn offer() {
    let Some(mut rest) = REST.try_take() else { return };
    for _ in 0..OFFERED {
        let next = match *rest {
            Some(large) => Some(large),
            // SAFETY: what was added is a Large, whose memory is never unmapped, and after the swap it is only ours.
            None => unsafe { ADDED.swap(core::ptr::null_mut(), Acquire).as_ref() },
        };
        *rest = next;
        let Some(large) = next else { break };
        // Read before it goes back to the pool.
        let behind = large.next.load(Relaxed);
        if !large.end() {
            break;
        }
        // SAFETY: as above.
        *rest = unsafe { behind.as_ref() };
    }
    SOME.store(rest.map_or(core::ptr::null_mut(), |large| core::ptr::from_ref(large).cast_mut()), Relaxed);
}
