//! Guarded blocks (`MEMS_GUARD=sample:N`): one block of N stands on a page of its own between pages that nobody can read or
//! write, and its page is gone when it is freed. For use in production (the idea is GWP-ASan's; Serebryany et al., 2023).
//!
//! Off unless asked for at load. Then what a heap's counters count anyway counts up to the next guarded block (see
//! `count::due`): malloc asks whether the next one is due, as it ever does, and only that one comes to the slow path. The pages
//! lie in one range, used in turn, so that a freed block's addresses rest as long as they can. What is known of them, two stacks
//! included, lies elsewhere, in words that a signal handler may read at any time.

mod fault;
mod page;
mod report;

use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};

use crate::count::Stream;
use crate::heap::Heap;
use crate::lock::{Lock, Rank, Side};
use crate::misuse::Misuse;
use crate::os::{self, PAGE};
use crate::profile::{Caller, stacks};
use crate::{engine, pool, registry, secret};
use page::{FREED, LIVE, Page, SET_UP};

/// Guarded blocks that there are at a time, the freed ones whose addresses rest included.
const PAGES: usize = 256;
/// A page for each, and one that nobody can read or write before, between and behind them.
const BYTES: usize = (2 * PAGES + 1) * PAGE;
/// Blocks of this size and smaller can be guarded.
pub const LARGEST: usize = PAGE;

/// Mean number of blocks from one guarded block to the next; 0: off.
static INTERVAL: AtomicU32 = AtomicU32::new(0);
static RANGE: AtomicUsize = AtomicUsize::new(0);
static TABLE: AtomicPtr<[Page; PAGES]> = AtomicPtr::new(core::ptr::null_mut());

/// Which page is used next, and a random number.
struct Turn {
    next: usize,
    random: u64,
}

static TURN: Lock<Turn> = Lock::new(Rank::Turn, Turn { next: 0, random: 0 });

/// Begins. `interval` is the mean number of blocks from one guarded block to the next; `stack_end` as for
/// [`crate::profile::start`]. False when memory is short: then no block is guarded.
pub fn start(interval: u32, stack_end: usize) -> bool {
    if interval == 0 {
        return true;
    }
    let Some(table) = pool::take::<[Page; PAGES]>() else { return false };
    if !stacks::start(stack_end) {
        return false;
    }
    let Some(range) = os::reserve(BYTES) else { return false };
    if let Some(mut turn) = TURN.take() {
        turn.random = secret::get() as u64 ^ os::now_ns() | 1;
    }
    TABLE.store(table.as_ptr(), Release);
    RANGE.store(range.as_ptr() as usize, Release);
    INTERVAL.store(interval, Release);
    fault::watch();
    registry::arm();
    true
}

/// Whether blocks are guarded. One load.
#[inline(always)]
pub fn is_on() -> bool {
    INTERVAL.load(Relaxed) != 0
}

/// Whether `address` lies in the range of guarded blocks. Two loads.
#[inline(always)]
pub fn owns(address: usize) -> bool {
    address.wrapping_sub(RANGE.load(Relaxed)) < BYTES && is_on()
}

fn pages() -> &'static [Page] {
    // SAFETY: a fresh mapping of zero bytes, which are valid pages, never unmapped.
    match unsafe { TABLE.load(Acquire).as_ref() } {
        Some(pages) => pages,
        None => &[],
    }
}

/// Where the page of that number lies.
fn place(number: usize) -> usize {
    RANGE.load(Relaxed) + (2 * number + 1) * PAGE
}

/// What the stream of all blocks but those of malloc and new counts for one of them, in bytes, so that one of so many is
/// guarded.
const TYPICAL: u64 = 256;
/// From this mean on at most one block is guarded in [`PAUSE_NS`] (or a tick of the coarse clock), so that programs that do
/// little but allocate pay no more than others: a guarded block costs some 10 us, most of it for the kernel and the stacks.
const SPARING: u32 = 1000;
/// That is in nanoseconds: with 10 us a block, 0.2 %.
const PAUSE_NS: u64 = 5_000_000;
/// So many times as far off is the next one then, since they come too fast.
const FARTHER: u64 = 4;
/// When the last one was taken, by `os::coarse_ns`.
static LAST: AtomicU64 = AtomicU64::new(0);

/// Whether the block that `heap`'s thread asks for now is to be guarded, one of a stream of which one is due: then, how far
/// off the next one is, in the stream's units (blocks, or bytes). In a stream that has just begun the first one is only chosen
/// now, and may lie behind this block, of `length` units. Asked for each block that is due, so that there is a next one.
#[cold]
#[inline(never)]
pub fn turn_of(heap: &Heap, stream: Stream, length: u64) -> Option<u64> {
    let next = distance(stream);
    if heap.begun.begin(stream) && next > length {
        heap.counters.count_up(stream, next);
        return None;
    }
    if INTERVAL.load(Relaxed) >= SPARING {
        let now = os::coarse_ns();
        if now.wrapping_sub(LAST.load(Relaxed)) < PAUSE_NS {
            heap.counters.count_up(stream, next * FARTHER + length);
            return None;
        }
        LAST.store(now, Relaxed);
    }
    Some(next)
}

/// Chooses the next one of a stream in which the one that was due was counted without being asked for: the first of a thread.
#[cold]
#[inline(never)]
pub fn begin(heap: &Heap, stream: Stream) {
    if let Some(next) = turn_of(heap, stream, 0) {
        heap.counters.count_up(stream, next);
    }
}

/// Units to the next guarded block: 1 to twice the mean, less 1.
fn distance(stream: Stream) -> u64 {
    let mean = u64::from(INTERVAL.load(Relaxed));
    // In a signal handler that may not wait for the lock the mean must do.
    let blocks = TURN.take().map_or(mean, |mut turn| turn.random() % (mean * 2 - 1).max(1) + 1);
    match stream {
        Stream::Bytes => (blocks - 1) * TYPICAL + 1,
        _ => blocks,
    }
}

impl Turn {
    /// Marsaglia's xorshift.
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

/// What a heap's level counts for a guarded block of `asked` bytes.
pub fn usable(asked: usize) -> usize {
    asked.next_multiple_of(16).max(16)
}

/// A guarded block of `asked` bytes, all zero, for operator new or another call. None when it is too large, all pages are in
/// use, or the kernel refuses. Two or three system calls' time, and a stack's.
#[cold]
#[inline(never)]
pub fn take(asked: usize, new: bool, caller: &Caller) -> Option<usize> {
    if asked > LARGEST {
        return None;
    }
    let mut turn = TURN.take()?;
    let free = (0..PAGES).map(|i| (turn.next + i) % PAGES).find(|i| !pages()[*i].is_live())?;
    let start = place(free);
    // SAFETY: a page of the range, of which no block lives.
    if !unsafe { os::commit(core::ptr::NonNull::new(start as *mut u8)?, PAGE) } {
        return None;
    }
    engine::MAPPED.fetch_add(PAGE, Relaxed);
    turn.next = (free + 1) % PAGES;
    // At the page's end, for what is written behind it, or at its start, for what is written in front.
    let base = if turn.random() >> 60 & 3 != 0 { start + PAGE - usable(asked).min(PAGE) } else { start };
    pages()[free].take(base, asked, new, caller);
    Some(base)
}

/// The page that `address` lies in or beside: its number. None for the last guard page.
fn number_of(address: usize) -> usize {
    (address.wrapping_sub(RANGE.load(Relaxed)) / PAGE / 2).min(PAGES - 1)
}

/// Bytes asked of the live block at `pointer`, which [`owns`] says is guarded; what is wrong otherwise, as `function`'s.
pub fn known(pointer: usize, function: &'static str) -> Result<usize, Misuse> {
    let page = &pages()[number_of(pointer)];
    let (base, asked) = (page.base(), page.asked());
    match page.state() {
        LIVE if base == pointer => Ok(asked),
        LIVE if pointer > base && pointer - base < asked => {
            Err(Misuse::Inside { function, pointer, block: base, usable: asked })
        }
        FREED if base == pointer => Err(Misuse::Freed { function, pointer, usable: asked }),
        _ => Err(Misuse::NoBlock { function, pointer }),
    }
}

/// Frees a guarded block: its page is gone at once. Bytes asked of it; what is wrong otherwise. `delete`: the caller is one
/// of the operators delete.
pub fn put(pointer: usize, function: &'static str, delete: bool, caller: &Caller) -> Result<usize, Misuse> {
    // Without the lock (a signal handler that may not wait for it) all is the same but for a race with another free.
    let turn = TURN.take();
    let asked = known(pointer, function)?;
    let page = &pages()[number_of(pointer)];
    let new = page.is_new();
    if new != delete {
        return Err(Misuse::Mismatch { function, pointer, asked, new });
    }
    let start = pointer & !(PAGE - 1);
    if let Some(front) = page.is_written_beside(start) {
        return Err(Misuse::Past { function, pointer, asked, front });
    }
    if let Some(at) = core::ptr::NonNull::new(start as *mut u8)
        // SAFETY: the page of the block that the program gave back.
        && unsafe { os::decommit(at, PAGE) }
    {
        engine::MAPPED.fetch_sub(PAGE, Relaxed);
    }
    // Only then is it free to be used: without the lock another thread may take it at once.
    page.free(caller);
    drop(turn);
    Ok(asked)
}

/// Reports what is wrong with a pointer into the range, with the stacks of its block, and does what the policy says.
pub fn report(wrong: Misuse, pointer: usize, site: usize) {
    report::misuse(wrong, pointer, site);
}

/// Before fork: no other thread is inside until [`fork_done`].
pub fn fork_prepare() {
    TURN.park();
}

/// After fork, in parent and child.
///
/// # Safety
/// The calling thread called [`fork_prepare`] (or is its copy in the child).
pub unsafe fn fork_done(side: Side) {
    // SAFETY: passed on.
    unsafe { TURN.reset(side) };
}

const _: () = assert!(SET_UP == 0, "zero bytes are a page that had no block yet");
