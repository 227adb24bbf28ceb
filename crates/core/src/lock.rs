//! A lock of four bytes that spins shortly and then sleeps on a futex; it knows its owner.
//!
//! Allocates nothing, is no cancellation point, and can be re-initialised in a forked child. A thread that finds
//! itself the owner (a signal handler that came in while the lock was held) is told so and not blocked. Over a
//! fork a lock is *parked*: the forking thread keeps it, and may still take it inside the program's fork handlers.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use crate::os;

const FREE: u32 = 0;
const HELD: u32 = 1;
const WAITED_FOR: u32 = 2;
const SPINS: u32 = 100;

/// A value behind a lock.
pub struct Lock<T> {
    state: AtomicU32,
    /// `thread()` of the holder; 0 when free.
    owner: AtomicUsize,
    /// Held by `owner` for the length of a fork, with nobody inside.
    parked: AtomicBool,
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
            state: AtomicU32::new(FREE),
            owner: AtomicUsize::new(0),
            parked: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Takes the lock, waiting for it. None when this thread holds it already.
    #[inline]
    pub fn take(&self) -> Option<Guard<'_, T>> {
        if self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
            if self.owner.load(Ordering::Relaxed) == thread() {
                let parked = self.parked.swap(false, Ordering::Relaxed);
                return parked.then_some(Guard { lock: self, nested: true });
            }
            self.wait();
        }
        self.owner.store(thread(), Ordering::Relaxed);
        Some(Guard { lock: self, nested: false })
    }

    /// Takes the lock if it is free now.
    #[inline]
    pub fn try_take(&self) -> Option<Guard<'_, T>> {
        self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).ok()?;
        self.owner.store(thread(), Ordering::Relaxed);
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
            if self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return;
            }
            core::hint::spin_loop();
        }
        while self.state.swap(WAITED_FOR, Ordering::Acquire) != FREE {
            futex(&self.state, libc::FUTEX_WAIT, WAITED_FOR);
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
        self.lock.owner.store(0, Ordering::Relaxed);
        if self.lock.state.swap(FREE, Ordering::Release) == WAITED_FOR {
            futex(&self.lock.state, libc::FUTEX_WAKE, 1);
        }
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

fn futex(word: &AtomicU32, op: i32, value: u32) {
    let errno = os::errno();
    let op = op | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word outlives the call; both operations take no pointer but it (the timeout is null).
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), op, value, core::ptr::null::<libc::timespec>()) };
    os::set_errno(errno);
}
