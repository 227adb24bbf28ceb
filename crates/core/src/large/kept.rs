//! The large blocks that a heap keeps when they are freed, for the next ones that its thread asks for.
//!
//! Only the heap's thread touches them, without the engine's lock and without leaving its heap: a word says that they
//! are being changed, for the signal handler that comes in meanwhile. They are few: what is asked next either fits
//! one of them, or all of them go back, so that the engine serves it from the same warm pages. A block may be given out
//! that is longer than asked, as long as all that is lent so beside the askers' needs, the slack, stays small.

use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering::*, compiler_fence};

use super::{KEPT, Large, end};
use crate::heap::Heap;
use crate::pagemap::Entry;

/// How many.
const PLACES: usize = 8;
/// Blocks of more pages are not kept: for them the engine's lock costs nothing.
pub(super) const LONGEST: usize = 256;
/// Most pages of all.
const TOTAL: usize = 256;
/// Most pages of slack in a heap's blocks, those that are no more than an eighth longer than asked not counted.
const SLACK: usize = 128;

/// See the module.
pub struct Kept {
    /// The first `count` hold a block.
    blocks: [Cell<Option<&'static Large>>; PLACES],
    /// Pages of each.
    sizes: [Cell<usize>; PLACES],
    count: Cell<usize>,
    /// The sum of their pages.
    pages: Cell<usize>,
    /// Whether the above is being changed.
    busy: Cell<bool>,
    /// Slack that was ever given out, less what the heap's own thread got back.
    given: Cell<usize>,
    /// Slack that other threads brought back, ever.
    returned: AtomicUsize,
}

impl Kept {
    fn slack(&self) -> usize {
        self.given.get().saturating_sub(self.returned.load(Relaxed))
    }

    /// Runs `change` unless a change was interrupted by this call (a signal handler's).
    #[inline(always)]
    fn change<T>(&self, change: impl FnOnce(&Self) -> Option<T>) -> Option<T> {
        if self.busy.replace(true) {
            return None;
        }
        compiler_fence(SeqCst);
        let done = change(self);
        compiler_fence(SeqCst);
        self.busy.set(false);
        done
    }

    /// The place of the shortest block of at least `pages`, and its length.
    #[inline(always)]
    fn fitting(&self, pages: usize) -> Option<(usize, usize)> {
        let mut best = (0, usize::MAX);
        for (place, size) in self.sizes.iter().enumerate().take(self.count.get()) {
            if size.get() >= pages && size.get() < best.1 {
                best = (place, size.get());
            }
        }
        (best.1 < usize::MAX).then_some(best)
    }

    #[inline(always)]
    fn remove(&self, place: usize) -> Option<&'static Large> {
        let last = self.count.get().checked_sub(1)?;
        self.count.set(last);
        self.pages.set(self.pages.get() - self.sizes[place % PLACES].get());
        self.sizes[place % PLACES].set(self.sizes[last % PLACES].get());
        let moved = self.blocks[last % PLACES].take();
        if place == last { moved } else { self.blocks[place % PLACES].replace(moved) }
    }
}

/// A kept block of at least `pages`, given out. None when none fits.
#[inline(always)]
pub fn take(heap: &'static Heap, pages: usize) -> Option<&'static Large> {
    let kept = &heap.kept;
    if kept.count.get() == 0 {
        return None;
    }
    let (large, slack) = kept.change(|kept| {
        let (place, size) = kept.fitting(pages)?;
        let slack = size - pages;
        if slack > pages / 8 {
            if kept.slack() + slack > SLACK {
                return None;
            }
            kept.given.set(kept.given.get() + slack);
            return Some((kept.remove(place)?, slack));
        }
        Some((kept.remove(place)?, 0))
    })?;
    if slack > 0 {
        large.slack.set(slack as u32);
        large.keeper.set(Some(heap));
    }
    Some(large)
}

/// Keeps a freed block, if it is one to be kept and there is room; false (nothing done) otherwise.
#[inline(always)]
pub fn put(heap: &'static Heap, large: &'static Large, entry: &Entry) -> bool {
    let pages = large.pages.get();
    if pages > LONGEST || large.node.get().is_none() {
        return false;
    }
    let done = heap.kept.change(|kept| {
        let count = kept.count.get();
        if count == PLACES || kept.pages.get() + pages > TOTAL {
            return None;
        }
        entry.key.store(KEPT, Relaxed);
        kept.blocks[count % PLACES].set(Some(large));
        kept.sizes[count % PLACES].set(pages);
        kept.count.set(count + 1);
        kept.pages.set(kept.pages.get() + pages);
        Some(())
    });
    if done.is_none() {
        return false;
    }
    large.moves.set(0);
    take_back_slack(Some(heap), large);
    true
}

/// Gives every kept block of a heap back to the engine.
pub fn release(heap: &'static Heap) {
    while let Some(large) = heap.kept.change(|kept| kept.remove(0)) {
        end(large);
    }
}

/// Takes the slack of a block off the books of the heap that gave it, when the block is freed or made shorter. `heap` is the
/// calling thread's.
#[inline]
pub fn take_back_slack(heap: Option<&'static Heap>, large: &Large) {
    let slack = large.slack.get() as usize;
    if slack == 0 {
        return;
    }
    large.slack.set(0);
    let Some(keeper) = large.keeper.take() else { return };
    match heap {
        Some(heap) if core::ptr::eq(heap, keeper) => keeper.kept.given.set(keeper.kept.given.get() - slack),
        _ => {
            keeper.kept.returned.fetch_add(slack, Relaxed);
        }
    }
}
