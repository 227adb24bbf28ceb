//! A pile: what any thread or signal handler puts down without a lock, and one takes up whole.
//!
//! Treiber's stack (Systems programming: coping with parallelism, 1986), of which nothing but all is ever taken: so no
//! element can come back to the top unseen between a look and an exchange. Owns its top; the elements bring the link.

use core::sync::atomic::{AtomicPtr, Ordering::*};

/// What can lie in a pile.
pub trait Piled: Sized + 'static {
    /// The link to the one below. The pile's, as long as this lies in it.
    fn under(&self) -> &AtomicPtr<Self>;

    /// The one below, of a pile that was taken up.
    #[inline]
    fn below(&self) -> Option<&'static Self> {
        // SAFETY: a link is null or what was put down, which lives for good or until who took it up ends it.
        unsafe { self.under().load(Relaxed).as_ref() }
    }
}

/// See the module.
pub struct Pile<T>(AtomicPtr<T>);

impl<T: Piled> Pile<T> {
    /// An empty pile.
    pub(crate) const fn new() -> Self {
        Pile(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// Whether nothing lies there. One load.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.load(Relaxed).is_null()
    }

    /// Puts one on top. Lock-free.
    #[cold]
    pub fn put(&self, one: &'static T) {
        let raw = core::ptr::from_ref(one).cast_mut();
        let mut top = self.0.load(Relaxed);
        loop {
            one.under().store(top, Relaxed);
            match self.0.compare_exchange_weak(top, raw, Release, Relaxed) {
                Ok(_) => return,
                Err(now) => top = now,
            }
        }
    }

    /// Takes the whole: its top, the rest [`Piled::below`] it. One atomic operation.
    #[inline]
    pub fn take(&self) -> Option<&'static T> {
        // SAFETY: as in `below`, and after the swap it is only the caller's.
        unsafe { self.0.swap(core::ptr::null_mut(), Acquire).as_ref() }
    }
}
