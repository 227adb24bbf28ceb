//! A lock of one word that spins shortly and then sleeps on a futex; it knows its owner.
//!
//! Allocates nothing, is no cancellation point, and can be re-initialised in a forked child. A thread that finds
//! itself the owner (a signal handler that came in while the lock was held) is told so and not blocked: the word that
//! says that it is held is the word that says by whom, so there is no moment at which the two differ. Nor does a
//! handler wait for ever: see [`Lock::enter`]. Over a fork a lock is *parked*: the forking thread keeps it, and may still
//! take it inside the program's fork handlers.

mod held;

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::syscall;

const FREE: usize = 0;
/// Set beside the owner: someone sleeps until it is free. Thread control blocks are aligned, so the bit is free.
const WAITED_FOR: usize = 1;
const SPINS: u32 = 100;
/// How often a handler tries that may not wait: some 50 us, longer than anybody is inside who is not interrupted.
const TRIES: u32 = 2000;

/// A value behind a lock.
pub struct Lock<T> {
    /// FREE, or `thread()` of the holder, with WAITED_FOR or without.
    state: AtomicUsize,
    /// Held by its owner for the length of a fork, with nobody inside.
    parked: AtomicBool,
    /// Whether who holds it may wait for other locks ([`Lock::outer`]).
    outer: bool,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached only through a Guard, and there is one Guard at a time.
unsafe impl<T: Send> Sync for Lock<T> {}

/// Access to the value; gives the lock back when dropped.
pub struct Guard<'a, T> {
    lock: &'a Lock<T>,
    /// Taken within a parked lock, which stays held.
    nested: bool,
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

impl<T> Lock<T> {
    /// An open lock around `value`.
    pub const fn new(value: T) -> Self {
        Lock {
            state: AtomicUsize::new(FREE),
            parked: AtomicBool::new(false),
            outer: false,
            value: UnsafeCell::new(value),
        }
    }

    /// The same, which stands before all others in the order of locks: who holds it may wait in [`Lock::enter`].
    pub const fn outer(value: T) -> Self {
        Lock {
            state: AtomicUsize::new(FREE),
            parked: AtomicBool::new(false),
            outer: true,
            value: UnsafeCell::new(value),
        }
    }

    /// Makes it this thread's, from free, with `mark` beside the owner. What it was otherwise. Counted before it is held, so that a
    /// handler never finds it held and not counted.
    #[inline]
    fn grab(&self, mark: usize) -> Result<(), usize> {
        let counts = !self.outer;
        held::count(counts as isize);
        match self.state.compare_exchange(FREE, thread() | mark, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(()),
            Err(held) => {
                held::count(-(counts as isize));
                Err(held)
            }
        }
    }

    /// Takes the lock, waiting for it. None when this thread holds it already.
    #[inline]
    pub fn take(&self) -> Option<Guard<'_, T>> {
        if let Err(held) = self.grab(0) {
            if held & !WAITED_FOR == thread() {
                let parked = self.parked.swap(false, Ordering::Relaxed);
                // Not then_some: a Guard that is made is a Guard that is dropped.
                return parked.then(|| Guard { lock: self, nested: true });
            }
            self.wait();
        }
        Some(Guard { lock: self, nested: false })
    }

    /// As [`Lock::take`], but where another thread is inside and this one holds a lock itself, so it is in a signal handler
    /// that came in then, it tries for a moment only. A handler of the other thread's may wait for that lock, and both would
    /// wait for ever.
    #[inline]
    pub fn enter(&self) -> Option<Guard<'_, T>> {
        match self.grab(0) {
            Ok(()) => Some(Guard { lock: self, nested: false }),
            Err(held) if held & !WAITED_FOR != thread() && held::any() => self.try_often(),
            Err(_) => self.take(),
        }
    }

    #[cold]
    fn try_often(&self) -> Option<Guard<'_, T>> {
        (0..TRIES).find_map(|_| {
            core::hint::spin_loop();
            self.try_take()
        })
    }

    /// Takes the lock if it is free now.
    #[inline]
    pub fn try_take(&self) -> Option<Guard<'_, T>> {
        self.grab(0).ok()?;
        Some(Guard { lock: self, nested: false })
    }

    /// Takes the lock and keeps it until [`Lock::reset`], for the length of a fork. Meanwhile this thread, and no
    /// other, may still take it.
    pub fn park(&self) {
        if let Some(guard) = self.take() {
            core::mem::forget(guard);
            self.parked.store(true, Ordering::Relaxed);
        }
    }

    /// Opens a parked lock: after the fork, in parent and child. One that this thread was inside before it forked
    /// (from a signal handler) stays held.
    ///
    /// # Safety
    /// The calling thread, or the one of which it is a forked copy, called [`Lock::park`].
    pub unsafe fn reset(&self) {
        if self.parked.swap(false, Ordering::Relaxed) {
            drop(Guard { lock: self, nested: false });
        }
    }

    #[cold]
    fn wait(&self) {
        for _ in 0..SPINS {
            if self.grab(0).is_ok() {
                return;
            }
            core::hint::spin_loop();
        }
        loop {
            // Who has slept may not be the only one who does, so it takes the lock as one that is waited for.
            let Err(held) = self.grab(WAITED_FOR) else { return };
            let next = held | WAITED_FOR;
            if self.state.compare_exchange(held, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                futex(&self.state, libc::FUTEX_WAIT, next as u32);
            }
        }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.nested {
            self.lock.parked.store(true, Ordering::Relaxed);
            return;
        }
        if self.lock.state.swap(FREE, Ordering::Release) & WAITED_FOR != 0 {
            futex(&self.lock.state, libc::FUTEX_WAKE, 1);
        }
        held::count(-(!self.lock.outer as isize));
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

/// The kernel looks at 32 bits of the word: the low ones, which hold WAITED_FOR. Two owners that differ in the high
/// ones only are woken alike.
fn futex(word: &AtomicUsize, op: i32, value: u32) {
    let op = op | libc::FUTEX_PRIVATE_FLAG;
    let low = word.as_ptr().cast::<u32>().wrapping_add(usize::from(cfg!(target_endian = "big")));
    // SAFETY: the word outlives the call; both operations take no pointer but it (the timeout is null).
    unsafe { syscall::call(libc::SYS_futex, [low as usize, op as usize, value as usize, 0, 0, 0]) };
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn the_owner_is_told_and_not_let_in_twice() {
        let lock = Lock::new(7);
        let guard = lock.take();
        assert!(guard.is_some());
        assert!(lock.take().is_none());
        // Nor the second time: finding out must not change anything.
        assert!(lock.take().is_none());
        assert!(lock.try_take().is_none());
        drop(guard);
        assert_eq!(lock.take().map(|g| *g), Some(7));
    }

    #[test]
    fn who_holds_a_lock_tries_for_the_next_and_does_not_wait() {
        static ONE: Lock<i32> = Lock::new(1);
        static OUTER: Lock<i32> = Lock::outer(2);
        static OTHER: Lock<i32> = Lock::new(3);
        let other = OTHER.take();
        let refused = std::thread::spawn(|| {
            let one = ONE.take();
            let refused = OTHER.enter().is_none();
            drop(one);
            refused
        });
        assert_eq!(refused.join().ok(), Some(true));
        let waits = std::thread::spawn(|| {
            let outer = OUTER.take();
            let got = OTHER.enter().map(|g| *g);
            drop(outer);
            got
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(OTHER.enter().is_none(), "the owner is told");
        drop(other);
        assert_eq!(waits.join().ok(), Some(Some(3)));
        assert!(!held::any());
    }

    #[test]
    fn a_parked_lock_lets_its_thread_in_one_at_a_time() {
        let lock = Lock::new(7);
        lock.park();
        let inside = lock.take();
        assert!(inside.is_some());
        assert!(lock.take().is_none());
        drop(inside);
        assert!(lock.take().is_some());
        // SAFETY: this thread parked it.
        unsafe { lock.reset() };
        assert!(lock.try_take().is_some());
    }
}
