//! The mems_* address space: the seed's six functions over a main chain and sub-chains in bytes.
//!
//! One space a process, behind one lock; mems_get takes no lock at all. Memory for its regions and its own
//! bookkeeping comes straight from `os`, never from the malloc heap, which it does not know: no floor of
//! malloc is named here. After [`finish`] nothing of it is mapped.

mod holes;
mod lane;
pub mod mapped;
mod packed;
mod print;
mod reader;
mod sheet;
mod space;
mod table;
mod tables;
mod translate;
mod tree;
mod unit;

use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::buffer::Buffer;
use crate::count::MemsRow;
use crate::lock::{Guard, Lock, Rank, Side};
use crate::os;
use crate::say::Limit;
use space::{Space, Wrong};

/// The page size where nobody says otherwise, bytes.
pub const PAGE_SIZE: u64 = 4096;
/// The first MeMS virtual address where nobody says otherwise.
pub const START: u64 = 1000;

static SPACE: Lock<Space> = Lock::new(Rank::Space, Space::new());
static DEFAULT_PAGE: AtomicU64 = AtomicU64::new(PAGE_SIZE);
static DEFAULT_START: AtomicU64 = AtomicU64::new(START);

/// Lines on stderr, each kind as often as this.
const LINES: u32 = 10;
static FREES: Limit = Limit::new(LINES);
static GETS: Limit = Limit::new(LINES);
static PAGES: Limit = Limit::new(LINES);
static INSIDE: Limit = Limit::new(LINES);
static LEFT: Limit = Limit::new(LINES);

/// The counters as they were after the last operation, for readers without the lock.
struct Row {
    page: AtomicU64,
    start: AtomicU64,
    bytes: AtomicU64,
    unused: AtomicU64,
    regions: AtomicU64,
    process: AtomicU64,
    holes: AtomicU64,
}

static ROW: Row = Row {
    page: AtomicU64::new(0),
    start: AtomicU64::new(0),
    bytes: AtomicU64::new(0),
    unused: AtomicU64::new(0),
    regions: AtomicU64::new(0),
    process: AtomicU64::new(0),
    holes: AtomicU64::new(0),
};

/// Whether `page` is a legal page size: a power of two from 1 KiB to 1 MiB.
pub const fn is_legal_page(page: u64) -> bool {
    page.is_power_of_two() && page >= 1 << 10 && page <= 1 << 20
}

/// Sets what [`init`] and a call before any init use: `MEMS_PAGE_SIZE` and `MEMS_START_VA`. A page size that is
/// not legal: one line on stderr, and the default stays.
pub fn set_defaults(page: u64, start: u64) {
    if is_legal_page(page) {
        DEFAULT_PAGE.store(page, Relaxed);
    } else {
        refuse_page(page);
    }
    DEFAULT_START.store(start, Relaxed);
}

fn refuse_page(page: u64) {
    PAGES.line(|text| {
        text.text("page size ");
        text.number(page);
        text.text(" is not a power of two from 1024 to 1048576; ");
        text.number(DEFAULT_PAGE.load(Relaxed));
        text.text(" is used");
    });
}

/// The space, for this thread alone; None (and a line) in a signal handler that came in while it had it.
#[inline(always)]
fn take(function: &'static str) -> Option<Guard<'static, Space>> {
    let guard = SPACE.take();
    if guard.is_none() {
        refuse_inside(function);
    }
    guard
}

#[cold]
#[inline(never)]
fn refuse_inside(function: &'static str) {
    INSIDE.line(|text| {
        text.text(function);
        text.text(" called by a signal handler inside another mems_* call: nothing done");
    });
}

#[inline(always)]
fn open(space: &mut Space) {
    if !space.is_open() {
        open_with_defaults(space);
    }
}

#[cold]
#[inline(never)]
fn open_with_defaults(space: &mut Space) {
    space.open(DEFAULT_PAGE.load(Relaxed), DEFAULT_START.load(Relaxed));
    publish_all(space);
}

#[inline]
fn publish(space: &Space) {
    let counters = space.counters();
    ROW.bytes.store(counters.bytes, Relaxed);
    ROW.unused.store(counters.hole_bytes, Relaxed);
    ROW.regions.store(counters.regions, Relaxed);
    ROW.process.store(counters.process, Relaxed);
    ROW.holes.store(counters.holes, Relaxed);
}

/// As `publish`, and the settings, which only init and finish change.
fn publish_all(space: &Space) {
    publish(space);
    let (start, page) = space.settings();
    ROW.start.store(start, Relaxed);
    ROW.page.store(page, Relaxed);
}

/// mems_init with the defaults.
pub fn init() {
    init_with(DEFAULT_PAGE.load(Relaxed), DEFAULT_START.load(Relaxed));
}

/// Starts anew, with pages of `page` bytes and addresses from `start`; what there was is finished first. A page
/// size that is not legal: one line on stderr, and the default is used.
pub fn init_with(page: u64, start: u64) {
    let legal = is_legal_page(page);
    if !legal {
        refuse_page(page);
    }
    let Some(mut space) = take("mems_init") else { return };
    let left = space.finish();
    space.open(if legal { page } else { DEFAULT_PAGE.load(Relaxed) }, start);
    publish_all(&space);
    drop(space);
    mention(left);
}

/// Unmaps everything. Harmless when there is nothing.
pub fn finish() {
    let Some(mut space) = take("mems_finish") else { return };
    let left = space.finish();
    publish_all(&space);
    drop(space);
    mention(left);
}

fn mention(left: u64) {
    if left != 0 {
        LEFT.line(|text| {
            text.text("mems_finish: ");
            text.number(left);
            text.text(" bytes could not be unmapped and stay mapped");
        });
    }
}

/// A segment of exactly `size` bytes; its MeMS virtual address, or None: `size` is 0, or (with errno ENOMEM)
/// there is no memory. O(log n) and at most one region's mmap.
pub fn malloc(size: usize) -> Option<u64> {
    if size == 0 {
        return None;
    }
    let taken = if size <= isize::MAX as usize { take_segment(size as u64) } else { None };
    if taken.is_none() {
        os::set_errno(libc::ENOMEM);
    }
    taken
}

#[inline(always)]
fn take_segment(size: u64) -> Option<u64> {
    let mut space = take("mems_malloc")?;
    open(&mut space);
    let taken = space.take(size);
    publish(&space);
    taken
}

/// Frees the segment that starts at `address`; for any other address nothing but a line on stderr. O(log n).
pub fn free(address: u64) {
    let Some(mut space) = take("mems_free") else { return };
    open(&mut space);
    let done = space.put(address);
    publish(&space);
    drop(space);
    if let Err(wrong) = done {
        complain(address, wrong);
    }
}

#[cold]
fn complain(address: u64, wrong: Wrong) {
    FREES.line(|text| {
        text.text("mems_free(");
        text.number(address);
        text.text("): ");
        match wrong {
            Wrong::Inner(first, last) => {
                text.text("inner address of P[");
                text.number(first);
                text.text(":");
                text.number(last);
                text.text("], not its start");
            }
            Wrong::Hole => text.text("in a HOLE: freed before, or never given out"),
            Wrong::Unknown => text.text("unknown address, in no region"),
        }
        text.text("; nothing changed");
    });
}

/// The physical address of the byte at MeMS virtual address `address`; null and a line on stderr when no live
/// segment holds it. Takes no lock. O(1).
#[inline]
pub fn get(address: u64) -> *mut u8 {
    match translate::physical(address) {
        Some(at) => at,
        None => nowhere(address),
    }
}

#[cold]
fn nowhere(address: u64) -> *mut u8 {
    GETS.line(|text| {
        text.text("mems_get(");
        text.number(address);
        text.text("): no live segment holds this address");
    });
    ptr::null_mut()
}

/// Prints the chain on C's stdout. O(n).
pub fn print_stats() {
    let mut text = print::Text::new();
    let Some(space) = take("mems_print_stats") else { return };
    if let Some(mut paper) = print::Paper::new(print::Text::bound(&space)) {
        let mut whole = Buffer::new(paper.bytes());
        text.fill(&space, &mut whole);
        drop(space);
        print::put(whole.as_bytes());
    } else {
        drop(space);
    }
    while !text.is_done() {
        let mut place = [0; 2048];
        let mut part = Buffer::new(&mut place);
        let Some(space) = take("mems_print_stats") else { return };
        text.fill(&space, &mut part);
        drop(space);
        print::put(part.as_bytes());
    }
}

/// The counters, read without a lock: each true, but not all of one instant while other threads are at work.
pub fn snapshot() -> MemsRow {
    let page = ROW.page.load(Relaxed);
    let open = page != 0;
    MemsRow {
        page_size: if open { page } else { DEFAULT_PAGE.load(Relaxed) },
        start: if open { ROW.start.load(Relaxed) } else { DEFAULT_START.load(Relaxed) },
        pages: ROW.bytes.load(Relaxed).checked_div(page).unwrap_or(0),
        unused: ROW.unused.load(Relaxed),
        regions: ROW.regions.load(Relaxed),
        process: ROW.process.load(Relaxed),
        hole: ROW.holes.load(Relaxed),
    }
}

/// Whether segments, HOLEs, bounds and counters hold together. For tests; O(n).
pub fn audit() -> bool {
    SPACE.take().is_some_and(|space| space.audit())
}

/// Before fork: takes the lock, so that the child's copy is whole. Before the locks of the malloc heap.
pub fn fork_prepare() {
    SPACE.park();
}

/// After fork, in the parent.
///
/// # Safety
/// The calling thread called [`fork_prepare`].
pub unsafe fn fork_parent() {
    // SAFETY: passed on.
    unsafe { SPACE.reset(Side::Parent) };
}

/// After fork, in the child, whose only thread this is.
///
/// # Safety
/// The calling thread is the copy of one that called [`fork_prepare`].
pub unsafe fn fork_child() {
    reader::forget_readers();
    // SAFETY: passed on.
    unsafe { SPACE.reset(Side::Child) };
}
