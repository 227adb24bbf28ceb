//! A lock of one word that spins shortly and then sleeps on a futex; it knows its owner and its place in an order.
//!
//! Allocates nothing and is no cancellation point. A thread that finds itself the owner (a signal handler that came in while
//! the lock was held) is told so and not blocked: the word that says that it is held is the word that says by whom, so
//! there is no moment at which the two differ. Nor does anybody wait for ever: a thread waits for a lock only if that
//! stands behind all that it holds (see `rank`), and otherwise tries for a moment. What becomes of it over a fork is `park`'s.

mod futex;
mod park;
pub(crate) mod rank;
pub use futex::pause;
pub use park::Side;
pub use rank::{Rank, SHARED};

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::os;

const FREE: usize = 0;
/// Set beside the owner: someone sleeps until it is free. Thread control blocks are aligned, so the bit is free.
const WAITED_FOR: usize = 1;
/// Stands for an owner that will never give it back. No thread has that address.
const NOBODY: usize = usize::MAX & !WAITED_FOR;
const SPINS: u32 = 100;
/// How often a thread tries that may not wait: some 50 us, longer than anybody is inside who is not interrupted.
const TRIES: u32 = 2000;
/// A value behind a lock.
pub struct Lock<T> {
    /// FREE, NOBODY, or `thread()` of the holder; with WAITED_FOR or without.
    state: AtomicUsize,
    /// Held by its owner for the length of a fork, with nobody inside (see `park`); else 0.
    parked: AtomicUsize,
    /// Of its rank.
    bit: usize,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached only through a Guard, and there is one Guard at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

/// Access to the value; gives the lock back when dropped.
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
    /// What was noted before (see `rank`).
    had: usize,
    /// Taken within a parked lock, which stays held: what that was; else 0.
    parked: usize,
}

/// A number that no other living thread has: the address of the thread's control block.
#[inline(always)]
pub fn thread() -> usize {
    let id: usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the x86-64 psABI keeps the thread control block's own address at fs:0.
    unsafe {
        core::arch::asm!("mov {}, fs:0", out(reg) id, options(pure, readonly, nostack, preserves_flags))
    };
    #[cfg(target_arch = "aarch64")]
    // SAFETY: reading the thread pointer register has no precondition.
    unsafe {
        core::arch::asm!("mrs {}, tpidr_el0", out(reg) id, options(pure, nomem, nostack, preserves_flags))
    };
    id
}

/// Whether a lock of that rank stands behind all that this thread holds: not in a signal handler that interrupted who holds or
/// awaits that or a later one.
pub fn is_behind_all(rank: Rank) -> bool {
    rank::is_behind_all(rank.bit())
}

impl<T> Lock<T> {
    /// An open lock around `value`. No two locks that one thread holds at a time have the same rank.
    pub const fn new(rank: Rank, value: T) -> Self {
        Lock {
            state: AtomicUsize::new(FREE),
            parked: AtomicUsize::new(0),
            bit: rank.bit(),
            value: UnsafeCell::new(value),
        }
    }

    /// Makes it this thread's, from free, with `mark` beside the owner. What it was otherwise.
    #[inline]
    fn exchange(&self, mark: usize) -> Result<(), usize> {
        let (mine, ok) = (thread() | mark, Ordering::Acquire);
        self.state.compare_exchange(FREE, mine, ok, Ordering::Relaxed).map(|_| ())
    }

    /// The same, noted. Before it is held, so that a handler never finds it held and not noted.
    #[inline]
    fn grab(&self) -> Result<Guard<'_, T>, usize> {
        let had = rank::note(self.bit);
        match self.exchange(0) {
            Ok(()) => Ok(Guard { lock: self, had, parked: 0 }),
            Err(word) => {
                rank::put_back(had);
                Err(word)
            }
        }
    }

    /// Takes the lock, waiting for it. None when this thread holds it already, or is in a signal handler that interrupted
    /// the holder of this or a later one, and another thread is inside: with that it could stand in a circle.
    #[inline]
    pub fn take(&self) -> Option<Guard<'_, T>> {
        match self.grab() {
            Ok(guard) => Some(guard),
            Err(word) => self.take_late(word),
        }
    }

    #[cold]
    fn take_late(&self, word: usize) -> Option<Guard<'_, T>> {
        let holder = word & !WAITED_FOR;
        if holder == NOBODY {
            return None;
        }
        if holder == thread() {
            let parked = self.parked.swap(0, Ordering::Relaxed);
            // Not then_some: a Guard that is made is a Guard that is dropped.
            return (parked != 0).then(|| Guard { lock: self, had: 0, parked });
        }
        if rank::may_wait_for(self.bit) {
            return self.wait(None);
        }
        (0..TRIES).find_map(|_| {
            core::hint::spin_loop();
            self.try_take()
        })
    }

    /// Takes the lock if it is free now.
    #[inline]
    pub fn try_take(&self) -> Option<Guard<'_, T>> {
        self.grab().ok()
    }

    /// Waits for it, at most `patience` nanoseconds where that is given.
    ///
    /// It is noted all the while: a handler that comes in after this thread was woken keeps the next sleeper waiting, so it must
    /// not wait for what that one may have.
    #[cold]
    fn wait(&self, patience: Option<u64>) -> Option<Guard<'_, T>> {
        let had = rank::note(self.bit);
        let guard = || Some(Guard { lock: self, had, parked: 0 });
        for _ in 0..SPINS {
            if self.exchange(0).is_ok() {
                return guard();
            }
            core::hint::spin_loop();
        }
        let end = patience.map(|patience| os::now_ns() + patience);
        loop {
            // Who has slept may not be the only one who does, so it takes the lock as one that is waited for, and leaves it only
            // as one.
            let Err(word) = self.exchange(WAITED_FOR) else { return guard() };
            let next = word | WAITED_FOR;
            if self.state.compare_exchange(word, next, Ordering::Relaxed, Ordering::Relaxed).is_err() {
                continue;
            }
            let left = end.map(|end| end.saturating_sub(os::now_ns()));
            if word & !WAITED_FOR == NOBODY || left == Some(0) {
                rank::put_back(had);
                return None;
            }
            futex::wait(&self.state, next, left);
        }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.parked != 0 {
            self.lock.parked.store(self.parked, Ordering::Relaxed);
            return;
        }
        if self.lock.state.swap(FREE, Ordering::Release) & WAITED_FOR != 0 {
            futex::wake(&self.lock.state);
        }
        // Still noted where the code that this handler interrupted waits for the lock, or has yet to wake who sleeps.
        rank::strike(self.lock.bit & !self.had);
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: this Guard is the only one, so nobody writes.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this Guard is the only one, and it is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    use std::sync::mpsc;
    use std::thread::{sleep, spawn};
    use std::time::Duration;

    /// Has another thread hold a lock until the sender is used or dropped.
    pub(super) fn held_elsewhere(lock: &'static Lock<i32>) -> mpsc::Sender<()> {
        let (done, wait) = mpsc::channel();
        let (held, is_held) = mpsc::channel();
        spawn(move || {
            let guard = lock.take();
            let _ = held.send(guard.is_some());
            let _ = wait.recv();
        });
        assert_eq!(is_held.recv(), Ok(true));
        done
    }

    #[test]
    fn the_owner_is_told_and_not_let_in_twice() {
        let lock = Lock::new(Rank::Engine, 7);
        let guard = lock.take();
        assert!(guard.is_some());
        assert!(lock.take().is_none());
        // Nor the second time: finding out must not change anything.
        assert!(lock.take().is_none());
        assert!(lock.try_take().is_none());
        drop(guard);
        assert_eq!(lock.take().map(|g| *g), Some(7));
        assert!(rank::holds_none());
    }

    #[test]
    fn who_holds_a_later_lock_tries_for_an_earlier_one_and_does_not_wait() {
        static EARLY: Lock<i32> = Lock::new(Rank::Engine, 1);
        static LATE: Lock<i32> = Lock::new(Rank::Pool, 2);
        let _elsewhere = held_elsewhere(&EARLY);
        let late = LATE.take();
        assert!(EARLY.take().is_none());
        drop(late);
        assert!(rank::holds_none());
    }

    #[test]
    fn who_holds_an_earlier_lock_waits_for_a_later_one() {
        static EARLY: Lock<i32> = Lock::new(Rank::Engine, 1);
        static LATE: Lock<i32> = Lock::new(Rank::Pool, 2);
        let elsewhere = held_elsewhere(&LATE);
        let waits = spawn(|| {
            let _early = EARLY.take();
            LATE.take().map(|late| *late)
        });
        sleep(Duration::from_millis(50));
        assert!(!waits.is_finished());
        drop(elsewhere);
        assert_eq!(waits.join().ok(), Some(Some(2)));
    }

    #[test]
    fn who_waits_for_a_lock_is_as_if_it_had_it() {
        static LATE: Lock<i32> = Lock::new(Rank::Pool, 2);
        assert!(LATE.wait(Some(0)).is_some(), "it is free");
        let elsewhere = held_elsewhere(&LATE);
        rank::note(Rank::Engine.bit());
        assert!(rank::may_wait_for(Rank::Sites.bit()));
        // What a handler would find that came in meanwhile; also after it had the lock itself, or forked.
        rank::note(LATE.bit);
        assert!(!rank::may_wait_for(Rank::Sites.bit()) && rank::may_wait_for(Rank::Private.bit()));
        assert!(rank::may_wait_for(LATE.bit), "as the code does that it interrupted");
        drop(elsewhere);
        while LATE.try_take().is_none() {}
        LATE.park();
        // SAFETY: this thread parked it.
        unsafe { LATE.reset(Side::Parent) };
        assert!(!rank::may_wait_for(Rank::Sites.bit()));
        rank::put_back(0);
    }

    #[test]
    fn who_waits_in_vain_holds_nothing() {
        static LATE: Lock<i32> = Lock::new(Rank::Pool, 2);
        let _elsewhere = held_elsewhere(&LATE);
        assert!(LATE.wait(Some(1_000_000)).is_none() && rank::holds_none());
    }
}
