//! Freed large blocks whose addresses the kernel would not take back, and that no vault can keep: offered again whenever a
//! large block is taken or freed, so that nothing stays mapped for good.
//!
//! Anyone adds without a lock; one thread at a time offers. A block here is out of every other list.

use core::sync::atomic::{AtomicPtr, Ordering::*};

use super::Large;
use crate::lock::{Lock, Rank};
use crate::pile::{Pile, Piled};

/// Most blocks that one call offers.
const OFFERED: usize = 8;

/// Added since `REST` ran empty.
static ADDED: Pile<Large> = Pile::new();
/// What is offered next. Tried, never waited for: in a child of a fork that came in between it stays closed.
static REST: Lock<Option<&'static Large>> = Lock::new(Rank::Rest, None);
/// The newest of `REST`, to be seen without its lock.
static SOME: AtomicPtr<Large> = AtomicPtr::new(core::ptr::null_mut());

/// Adds a freed block.
#[cold]
pub fn add(large: &'static Large) {
    ADDED.put(large);
}

/// Offers some of them to the kernel. Two loads when there is none.
#[inline]
pub fn end() {
    if !ADDED.is_empty() || !SOME.load(Relaxed).is_null() {
        offer();
    }
}

#[cold]
fn offer() {
    let Some(mut rest) = REST.try_take() else { return };
    for _ in 0..OFFERED {
        let Some(large) = rest.or_else(|| ADDED.take()) else { break };
        *rest = Some(large);
        // Read before it goes back to the pool.
        let below = large.below();
        if !large.end() {
            break;
        }
        *rest = below;
    }
    SOME.store(rest.map_or(core::ptr::null_mut(), |large| core::ptr::from_ref(large).cast_mut()), Relaxed);
}
