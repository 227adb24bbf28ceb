//! The order of locks, and which of them a thread holds.
//!
//! A thread waits only for a lock that stands behind all that it holds: those included that the code holds which a signal
//! handler interrupted, and those that it parks for a fork. So threads never stand in a circle, each waiting for the next.
//! Owns a thread-local word with a bit a lock.

thread_word!(held, "mems_held");

/// Shared heaps, each with a lock (see `registry`).
pub const SHARED: u8 = 16;

/// The locks, in their order.
#[derive(Clone, Copy, Debug)]
pub enum Rank {
    /// The mems_* space.
    Space,
    /// Heaps without a thread.
    Births,
    /// One of the shared heaps, by number.
    Shared(u8),
    /// Guarded blocks.
    Turn,
    /// Places for hardened slabs.
    Regions,
    /// Hardened ranges that are to be offered to the kernel again.
    Rest,
    /// The engine.
    Engine,
    /// The profile's modules.
    Modules,
    /// Its sites.
    Sites,
    /// Its time line.
    Timeline,
    /// The pool. Nearly last, since objects are taken from it wherever one is needed.
    Pool,
    /// The library's own memory.
    Private,
}

impl Rank {
    /// Its bit in the word; a higher one stands behind.
    pub(super) const fn bit(self) -> usize {
        let place = match self {
            Rank::Space => 0,
            Rank::Births => 1,
            Rank::Shared(number) => 2 + number % SHARED,
            Rank::Turn => 2 + SHARED,
            Rank::Regions => 3 + SHARED,
            Rank::Rest => 4 + SHARED,
            Rank::Engine => 5 + SHARED,
            Rank::Modules => 6 + SHARED,
            Rank::Sites => 7 + SHARED,
            Rank::Timeline => 8 + SHARED,
            Rank::Pool => 9 + SHARED,
            Rank::Private => 10 + SHARED,
        };
        1 << place
    }
}

/// The upper half of the word tells, by the same bits, which locks this thread's fork has missed.
const HELD: usize = u32::MAX as usize;
const _: () = assert!(Rank::Private.bit() <= HELD);

/// Whether a lock with this bit stands behind all that this thread holds.
#[inline]
pub(super) fn is_behind_all(bit: usize) -> bool {
    held::read() & HELD < bit
}

/// Whether this thread may wait for a lock with this bit, which it does not hold itself: none that stands behind it is noted.
/// Itself it may be, where a signal handler interrupted code that waits for it too.
#[inline]
pub(super) fn may_wait_for(bit: usize) -> bool {
    held::read() & HELD < bit << 1
}

/// Notes that a fork could not park the lock.
#[cold]
pub(super) fn miss(bit: usize) {
    held::write(held::read() | bit << 32);
}

/// Whether it could not, asked once.
pub(super) fn was_missed(bit: usize) -> bool {
    let missed = held::read() & bit << 32;
    held::write(held::read() & !missed);
    missed != 0
}

/// Notes that this thread holds the lock, or is about to. What was noted before.
#[inline]
pub(super) fn note(bit: usize) -> usize {
    let had = held::read();
    held::write(had | bit);
    had
}

/// Puts back what [`note`] found. A handler that came in between has left the word as it was.
#[inline]
pub(super) fn put_back(had: usize) {
    held::write(had);
}

/// This thread holds the lock no more.
#[inline]
pub(super) fn strike(bit: usize) {
    held::write(held::read() & !bit);
}

/// Whether this thread holds none, and has missed none.
#[cfg(test)]
pub fn holds_none() -> bool {
    held::read() == 0
}

/// Whether its fork has missed any.
#[cfg(test)]
pub fn missed_any() -> bool {
    held::read() & !HELD != 0
}
