//! Readers inside mems_get: counted, so that mems_finish knows when no one looks at the tables any more.
//!
//! Owns the counts, by thread, in two sets; takes no lock and maps nothing.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::lock;

const STRIPES: usize = 32;

/// Readers inside, by thread; a line each, so that threads do not take it from each other. Two sets, of which new
/// readers use the one that [`PHASE`] names, so that the other one runs empty however many keep coming.
#[repr(align(64))]
struct Stripe(AtomicUsize);

static READERS: [[Stripe; STRIPES]; 2] = [const { [const { Stripe(AtomicUsize::new(0)) }; STRIPES] }; 2];
static PHASE: AtomicUsize = AtomicUsize::new(0);

/// A reader that is inside: while it lives no table is unmapped.
pub struct Reader(&'static AtomicUsize);

impl Reader {
    #[inline(always)]
    pub fn enter() -> Reader {
        let thread = lock::thread();
        // Thread control blocks are pages apart, or at odd places inside one.
        let stripe = (thread >> 12 ^ thread >> 6) % STRIPES;
        let count = &READERS[PHASE.load(Ordering::Relaxed) % 2][stripe].0;
        // Ordered before every load of the table: either the one who waits reads the count, or the reader sees that
        // the tree was detached.
        count.fetch_add(1, Ordering::SeqCst);
        Reader(count)
    }
}

impl Drop for Reader {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

/// Waits until no reader is inside that may have seen the tree before the caller, who holds the lock, detached
/// it. False when one did not come out after `patience` yields: a thread that was stopped, say.
pub fn readers_are_gone(mut patience: u32) -> bool {
    // Those that took the other set's name long ago and came in late; then the present ones.
    for _ in 0..2 {
        let past = (PHASE.load(Ordering::Relaxed) % 2) ^ 1;
        for stripe in &READERS[past] {
            while stripe.0.load(Ordering::SeqCst) != 0 {
                if patience == 0 {
                    return false;
                }
                patience -= 1;
                // SAFETY: sched_yield has no precondition.
                unsafe { libc::sched_yield() };
            }
        }
        PHASE.store(past, Ordering::SeqCst);
    }
    true
}

/// Forgets readers that a forked child has not inherited.
pub fn forget_readers() {
    for stripe in READERS.iter().flatten() {
        stripe.0.store(0, Ordering::Relaxed);
    }
}
