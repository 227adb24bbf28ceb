//! A lock over a fork: it is *parked*, so that nobody is inside when the process is copied.
//!
//! The forking thread keeps it meanwhile, and may still take it inside the program's fork handlers. One that could not be parked
//! is *nobody's* in the child: never had again, never waited for. Owns nothing: what is noted stands in the lock.

use core::sync::atomic::Ordering;

use super::{FREE, Guard, Lock, NOBODY, WAITED_FOR, rank, thread};

/// How long a fork, from a signal handler that interrupted the holder of one lock, waits for each lock before that in the
/// order, in nanoseconds. Who has one may be waiting for what the handler's thread holds.
const PATIENCE: u64 = 20_000_000;

/// Stands beside what the guard of a parked lock had noted; a bit that no rank has.
const PARKED: usize = 1 << (usize::BITS - 1);

/// Where a fork returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// In the process that forked.
    Parent,
    /// In the new one, which has one thread.
    Child,
}

impl<T> Lock<T> {
    /// Takes the lock and keeps it until [`Lock::reset`], for the length of a fork. Meanwhile this thread, and no
    /// other, may still take it. Locks are parked in the order of their ranks. Missed, after a while, where this thread must
    /// not wait; not done where it is inside itself: then it forks from a signal handler.
    pub fn park(&self) {
        let guard = match self.grab() {
            Ok(guard) => Some(guard),
            Err(word) if word & !WAITED_FOR == thread() => return,
            Err(_) => self.wait((!rank::may_wait_for(self.bit)).then_some(PATIENCE)),
        };
        match guard {
            None => rank::miss(self.bit),
            Some(guard) => {
                self.parked.store(guard.had | PARKED, Ordering::Relaxed);
                core::mem::forget(guard);
            }
        }
    }

    /// Opens a parked lock, after the fork. One that this thread was inside before it forked stays held; in the child one that
    /// was missed is nobody's, since what is behind it may be half changed.
    ///
    /// # Safety
    /// The calling thread, or the one of which it is a forked copy, called [`Lock::park`].
    pub unsafe fn reset(&self, side: Side) {
        if rank::was_missed(self.bit) {
            if side == Side::Child {
                self.state.store(NOBODY, Ordering::Relaxed);
            }
            return;
        }
        let parked = self.parked.swap(0, Ordering::Relaxed);
        if parked != 0 {
            drop(Guard { lock: self, had: parked & !PARKED, parked: 0 });
        }
    }

    /// In a forked child, for a lock that is not parked: opens it around a new value, whoever was inside. Nothing is done
    /// where this thread itself is.
    ///
    /// # Safety
    /// The calling thread is the only one of this process.
    pub unsafe fn renew(&self, value: T) {
        if self.state.load(Ordering::Relaxed) & !WAITED_FOR != thread() {
            // SAFETY: there is no other thread, and this one is not inside.
            unsafe { self.value.get().write(value) };
            self.state.store(FREE, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    use crate::lock::Rank;
    use crate::lock::tests::held_elsewhere;
    use std::time::{Duration, Instant};

    #[test]
    fn a_parked_lock_lets_its_thread_in_one_at_a_time() {
        let lock = Lock::new(Rank::Engine, 7);
        lock.park();
        let inside = lock.take();
        assert!(inside.is_some());
        assert!(lock.take().is_none());
        drop(inside);
        assert!(lock.take().is_some());
        // SAFETY: this thread parked it.
        unsafe { lock.reset(Side::Parent) };
        assert!(lock.try_take().is_some());
        assert!(rank::holds_none());
    }

    #[test]
    fn a_fork_from_inside_a_later_lock_goes_without_an_earlier_one_that_stays_held() {
        static EARLY: Lock<i32> = Lock::new(Rank::Engine, 1);
        static LATE: Lock<i32> = Lock::new(Rank::Pool, 2);
        let elsewhere = held_elsewhere(&EARLY);
        let late = LATE.take();
        let begin = Instant::now();
        EARLY.park();
        LATE.park();
        assert!(begin.elapsed() >= Duration::from_nanos(PATIENCE));
        // SAFETY: this thread parked them.
        unsafe { EARLY.reset(Side::Parent) };
        // SAFETY: as above.
        unsafe { LATE.reset(Side::Parent) };
        assert!(LATE.take().is_none(), "still inside");
        drop(late);
        drop(elsewhere);
        assert_eq!(EARLY.take().map(|early| *early), Some(1), "nothing has changed for the parent");
        assert!(rank::holds_none());
    }

    #[test]
    fn in_the_child_what_a_fork_missed_is_nobodys() {
        static EARLY: Lock<i32> = Lock::new(Rank::Engine, 1);
        static LATE: Lock<i32> = Lock::new(Rank::Pool, 2);
        let _elsewhere = held_elsewhere(&EARLY);
        let late = LATE.take();
        EARLY.park();
        // SAFETY: this thread parked it, and the child is played.
        unsafe { EARLY.reset(Side::Child) };
        drop(late);
        assert!(EARLY.take().is_none() && EARLY.try_take().is_none());
        // A child of that child.
        EARLY.park();
        // SAFETY: as above.
        unsafe { EARLY.reset(Side::Child) };
        assert!(EARLY.take().is_none());
        // SAFETY: the other thread will not touch it any more.
        unsafe { EARLY.renew(5) };
        assert_eq!(EARLY.take().map(|early| *early), Some(5));
        assert!(rank::holds_none());
    }
}
