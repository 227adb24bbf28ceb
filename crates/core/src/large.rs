//! Large blocks: PROCESS segments of their own, in whole pages.
//!
//! A heap keeps a few that were freed (see `kept`); the rest are segments of the engine's
//! chain. They grow and shrink in place where the HOLE behind them allows. A block that has to move to grow gets
//! room behind it, in address space only, since what grew once grows again.

mod kept;

pub use kept::{Kept, release};

use core::cell::Cell;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering::*};

use mems_chain::NodeId;

use crate::class::COUNT;
use crate::engine::{self, Refused};
use crate::heap::Heap;
use crate::misuse::{self, Misuse};
use crate::os::{self, PAGE};
use crate::pile::{Pile, Piled};
use crate::stack::{self, Stack};
use crate::{pagemap, pool};

/// Page map key of the first page of a large block: the offset of a stack that is never opened, so that free, which looks
/// at the stack at that offset, finds no slot start there.
pub const LARGE: usize = 62 * size_of::<Stack>();
/// The same of a block that is free and kept by a heap.
pub const KEPT: usize = 61 * size_of::<Stack>();
/// The same of a block with a mapping of its own, made while the engine could not be used.
pub const LONER: usize = 60 * size_of::<Stack>();

const _: () = assert!(stack::class_of(LONER) > COUNT && LARGE < PAGE);

/// Most pages of room that a growing block is given.
const ROOM: usize = 65_536;

/// The bookkeeping of one large block.
#[repr(C, align(64))]
pub struct Large {
    /// Address of the block.
    pub base: Cell<usize>,
    /// Its pages.
    pub pages: Cell<usize>,
    /// Its PROCESS segment; None for a loner.
    node: Cell<Option<NodeId>>,
    /// How often it moved to grow.
    moves: Cell<u32>,
    /// Address, pages and segment mixed with the process's secret: bookkeeping that was written over is not believed.
    check: Cell<usize>,
    /// Its site, where call sites are recorded; 0: none.
    pub mark: AtomicU32,
    /// Pages beyond what was asked, where the heap that gave it keeps books of that.
    slack: Cell<u32>,
    /// That heap.
    keeper: Cell<Option<&'static Heap>>,
    /// The next block that waits to be freed.
    next: AtomicPtr<Large>,
}

const _: () = assert!(size_of::<Large>() == 64);

impl Piled for Large {
    fn under(&self) -> &AtomicPtr<Large> {
        &self.next
    }
}

/// Large blocks that a signal handler freed while its thread was inside the engine.
static WAITING: Pile<Large> = Pile::new();

/// A large block that was given out.
pub struct Taken {
    /// Its address.
    pub block: usize,
    /// Its usable size in bytes.
    pub usable: usize,
    /// Whether it is all zero.
    pub zero: bool,
}

impl Large {
    fn sum(&self) -> usize {
        let node = self.node.get().map_or(0, |node| node.raw() as usize);
        let mixed = self.base.get() ^ self.pages.get().rotate_left(40) ^ node.rotate_left(20);
        crate::secret::get() ^ mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// Its usable size in bytes.
    pub fn usable(&self) -> usize {
        self.pages.get() * PAGE
    }
}

fn publish(large: &'static Large, key: usize) {
    large.check.set(large.sum());
    let meta = core::ptr::from_ref(large).cast_mut().cast();
    pagemap::set(large.base.get(), 1, key, meta);
}

/// The large block whose first page has this entry and key.
#[inline]
pub fn of(entry: &pagemap::Entry, key: usize) -> Option<&'static Large> {
    if key != LARGE && key != LONER && key != KEPT {
        return None;
    }
    // SAFETY: an entry with these keys leads to a Large, whose memory is never unmapped (a loner's only when
    // its block is freed, and then the entry is cleared before).
    let large = unsafe { entry.meta.load(Relaxed).cast::<Large>().as_ref() }?;
    if large.check.get() != large.sum() {
        overwritten(large);
    }
    Some(large)
}

/// Bookkeeping was written over: nothing in it can be believed, so the process ends, whatever the policy.
#[cold]
fn overwritten(large: &Large) -> ! {
    misuse::set_policy(misuse::Policy::Abort);
    let pointer = core::ptr::from_ref(large) as usize;
    misuse::report(Misuse::Overwritten { function: "free", pointer }, 0);
    // SAFETY: abort has no precondition.
    unsafe { libc::abort() }
}

/// Takes a block of `size` bytes at a multiple of `align` (a power of two). `grown_from` is the block that moves
/// here to grow. None when memory is short.
pub fn take(size: usize, align: usize, grown_from: Option<&Large>) -> Option<Taken> {
    let pages = os::round_to_pages(size.max(1))? / PAGE;
    let align = align.div_ceil(PAGE);
    let moves = grown_from.map_or(0, |old| old.moves.get() + 1);
    let room = match moves {
        0 => 0,
        1 => (pages * 7).min(ROOM),
        _ => (pages * 63).min(ROOM),
    };
    let span = match engine::take(pages, align, room) {
        Ok(span) => span,
        Err(Refused::Inside) => return loner(pages, align),
        Err(Refused::Memory) => return None,
    };
    let Some(at) = pool::take::<Large>() else {
        engine::put(span.node, if span.zero { 0 } else { span.pages });
        return None;
    };
    let large = Large {
        base: Cell::new(span.base),
        pages: Cell::new(span.pages),
        node: Cell::new(Some(span.node)),
        moves: Cell::new(moves),
        check: Cell::new(0),
        mark: AtomicU32::new(0),
        slack: Cell::new(0),
        keeper: Cell::new(None),
        next: AtomicPtr::new(core::ptr::null_mut()),
    };
    // SAFETY: the pool gave room for a Large.
    unsafe { at.write(large) };
    // SAFETY: it was just written, and is given back only when its block is.
    publish(unsafe { at.as_ref() }, LARGE);
    Some(Taken { block: span.base, usable: span.pages * PAGE, zero: span.zero })
}

/// A block of `size` bytes that `heap` keeps, with whatever bytes are in it. None when none fits, and always of a heap in
/// which nothing is ever found.
#[inline(always)]
pub fn take_kept(heap: &'static Heap, size: usize) -> Option<&'static Large> {
    let large = kept::take(heap, os::round_to_pages(size)? / PAGE)?;
    pagemap::entry(large.base.get())?.key.store(LARGE, Release);
    Some(large)
}

/// After `take_kept` found none: what `heap` keeps goes back, so that the engine serves the request from the same pages.
pub fn make_way(heap: &'static Heap, size: usize) {
    if size <= kept::LONGEST * PAGE {
        release(heap);
    }
}

/// Keeps a block for the next; None (nothing done) where the pointer is not a large block, or not one to be kept. `entry`
/// and `key` are its page's, `heap` the calling thread's, live.
#[inline(always)]
pub fn keep(
    heap: &'static Heap,
    pointer: usize,
    entry: &pagemap::Entry,
    key: usize,
) -> Option<&'static Large> {
    if key != LARGE {
        return None;
    }
    let large = of(entry, key)?;
    (large.base.get() == pointer && kept::put(heap, large, entry)).then_some(large)
}

/// Gives a block back: kept by `heap` for the next, or to the engine.
pub fn put(heap: Option<&'static Heap>, large: &'static Large) {
    if let Some(heap) = heap {
        if let Some(entry) = pagemap::entry(large.base.get())
            && kept::put(heap, large, entry)
        {
            return;
        }
        heap.settle();
    }
    kept::take_back_slack(heap, large);
    end(large);
}

/// As [`put`], of a block that moved elsewhere to grow.
pub fn put_outgrown(heap: Option<&'static Heap>, large: &'static Large) {
    kept::take_back_slack(heap, large);
    if let Some(heap) = heap {
        heap.settle();
    }
    end_with(large, engine::put_outgrown);
}

fn end(large: &'static Large) {
    end_with(large, engine::put);
}

fn end_with(large: &'static Large, put: fn(NodeId, usize) -> bool) {
    let (base, pages) = (large.base.get(), large.pages.get());
    pagemap::set(base, 1, 0, core::ptr::null_mut());
    let Some(node) = large.node.get() else {
        let start = base - PAGE;
        if let Some(at) = core::ptr::NonNull::new(start as *mut u8) {
            // SAFETY: the loner's mapping begins one page before its block; the page map leads to it no more.
            unsafe { os::unmap(at, (pages + 1) * PAGE) };
        }
        return;
    };
    if !put(node, pages) {
        return WAITING.put(large);
    }
    // SAFETY: the page map leads here no more.
    unsafe { pool::put(core::ptr::NonNull::from(large).cast(), size_of::<Large>()) };
}

/// Makes a block of whole pages zero. From 1 MiB on by fresh pages laid over it, which cost memory only when they are
/// touched.
pub fn clear(block: usize, len: usize) {
    if len >= 1 << 20
        && let Some(at) = core::ptr::NonNull::new(block as *mut u8)
        // SAFETY: the block was just taken; its old content is nobody's.
        && unsafe { os::purge(at, len) }
    {
        return;
    }
    // SAFETY: the block was just taken, is `len` bytes long and nobody else's.
    unsafe { core::ptr::write_bytes(block as *mut u8, 0, len) };
}

/// Frees the blocks that had to wait. One load when there is none.
#[inline]
pub fn end_waiting() {
    if WAITING.is_empty() {
        return;
    }
    let mut waiting = WAITING.take();
    while let Some(large) = waiting {
        // Read before its bookkeeping ends.
        waiting = large.below();
        end(large);
    }
}

/// Makes the block `size` bytes long where it stands. None when it cannot be; otherwise its new usable size.
pub fn resize(heap: Option<&'static Heap>, large: &'static Large, size: usize) -> Option<usize> {
    let wanted = os::round_to_pages(size.max(1))? / PAGE;
    let pages = large.pages.get();
    // A little less is not worth a split.
    if wanted > pages || wanted + pages / 8 < pages {
        engine::resize(large.node.get()?, wanted)?;
        kept::take_back_slack(heap, large);
        large.pages.set(wanted);
        large.check.set(large.sum());
    }
    Some(large.pages.get() * PAGE)
}

/// A block with a mapping of its own: for a signal handler that came in while its thread was inside the engine.
/// The page before the block holds its bookkeeping.
fn loner(pages: usize, align: usize) -> Option<Taken> {
    let align = align.max(1);
    let len = pages.checked_add(align)?.checked_mul(PAGE)?;
    let at = os::map(len, 0)?;
    let start = at.as_ptr() as usize;
    let block = (start + PAGE).next_multiple_of(align * PAGE);
    let (front, back) = (block - PAGE - start, start + len - (block + pages * PAGE));
    for (from, size) in [(start, front), (block + pages * PAGE, back)] {
        if size > 0
            && let Some(from) = core::ptr::NonNull::new(from as *mut u8)
        {
            // SAFETY: what lies before and behind the block in a mapping that nobody has seen.
            unsafe { os::unmap(from, size) };
        }
    }
    if !pagemap::cover(block, PAGE) {
        return None;
    }
    let large = core::ptr::NonNull::new((block - PAGE) as *mut Large)?;
    let facts = Large {
        base: Cell::new(block),
        pages: Cell::new(pages),
        node: Cell::new(None),
        moves: Cell::new(0),
        check: Cell::new(0),
        mark: AtomicU32::new(0),
        slack: Cell::new(0),
        keeper: Cell::new(None),
        next: AtomicPtr::new(core::ptr::null_mut()),
    };
    // SAFETY: the page before the block is ours.
    unsafe { large.write(facts) };
    // SAFETY: it was just written, and is unmapped only with its block.
    publish(unsafe { large.as_ref() }, LONER);
    Some(Taken { block, usable: pages * PAGE, zero: true })
}
