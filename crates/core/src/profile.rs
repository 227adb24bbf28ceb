//! Call sites: who allocated what, for how long, and who owned the memory at the peak.
//!
//! Off unless asked for at load. Then the threads' slots stay on the empty heap (see `registry::go_slow`), so that every call
//! comes to the slow path, which has the caller's return address; the default mode pays nothing. A call finds its site's
//! number (`sites`), which goes to a mark beside the block's slot, and adds to the row of that number in its thread's own
//! ledger; free finds the row by the mark. Stacks are unwound before any lock of the heap is taken.

pub mod modules;
pub mod place;
mod rule;
mod sample;
pub mod sites;
pub mod timeline;
mod unwind;

use core::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::*};

use self::place::Place;
use crate::heap::{Heap, State};
use crate::ledger::{Ledger, Row, Share, Sum};
use crate::registry::{self, Entry};
use crate::whole::WHOLE;

/// Frames that are kept of a stack; the outermost of deeper ones are cut.
pub const FRAMES: usize = 128;

/// What is recorded of each call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Mode {
    /// Nothing.
    Off = 0,
    /// The direct caller.
    Sites = 1,
    /// The whole stack.
    Stacks = 2,
    /// The whole stack of some calls, by bytes.
    Sample = 3,
}

impl Mode {
    /// Its name in options and records.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Sites => "sites",
            Mode::Stacks => "stacks",
            Mode::Sample => "sample",
        }
    }

    fn room(self) -> sites::Room {
        match self {
            Mode::Off | Mode::Sites => sites::Room { sites: 1 << 13, nodes: 1 << 13 },
            Mode::Stacks => sites::Room { sites: 1 << 17, nodes: 1 << 19 },
            Mode::Sample => sites::Room { sites: 1 << 14, nodes: 1 << 17 },
        }
    }
}

/// Who called a function of the malloc family.
#[derive(Clone, Copy)]
pub struct Caller {
    /// Return address.
    pub site: usize,
    /// Stack pointer after the return.
    pub stack: usize,
    /// Frame pointer.
    pub frame: usize,
}

static MODE: AtomicU8 = AtomicU8::new(Mode::Off as u8);
static INTERVAL: AtomicUsize = AtomicUsize::new(0);
/// Stacks that were cut.
static CUT: AtomicU64 = AtomicU64::new(0);

/// Begins recording. `interval`: mean bytes between two samples, for that mode. `stack_end`: an address above all frames of
/// the calling thread, the process's first. False when memory is short: nothing is recorded then.
pub fn start(mode: Mode, interval: usize, stack_end: usize) -> bool {
    if mode == Mode::Off {
        return true;
    }
    if !modules::start() || !sites::start(mode.room()) || mode != Mode::Sites && !unwind::start(stack_end) {
        return false;
    }
    INTERVAL.store(interval.clamp(1, sample::LONGEST), Relaxed);
    MODE.store(mode as u8, Release);
    registry::go_slow();
    true
}

/// What is recorded.
#[inline(always)]
pub fn mode() -> Mode {
    match MODE.load(Relaxed) {
        0 => Mode::Off,
        1 => Mode::Sites,
        2 => Mode::Stacks,
        _ => Mode::Sample,
    }
}

/// Whether anything is. One load.
#[inline(always)]
pub fn is_on() -> bool {
    MODE.load(Relaxed) != Mode::Off as u8
}

/// Mean bytes between two samples; 0 in other modes.
pub fn interval() -> usize {
    if mode() == Mode::Sample { INTERVAL.load(Relaxed) } else { 0 }
}

/// Stacks that were deeper than [`FRAMES`].
pub fn cut() -> u64 {
    CUT.load(Relaxed)
}

/// Tells that dlclose was called.
pub fn library_closed() {
    if is_on() {
        modules::closed();
    }
}

/// The site of a call by its stack; 0: no room.
#[inline(never)]
fn site_of_stack(caller: &Caller) -> u32 {
    let mut frames = [0; FRAMES];
    let (count, cut) = unwind::walk(caller, &mut frames);
    if cut {
        CUT.fetch_add(1, Relaxed);
    }
    let frames = &frames[..count];
    // 64 bits of hash stand for the stack: with 100,000 stacks two are taken for one in one run of a billion.
    let mut key = count as u64;
    for frame in frames {
        key = (key.rotate_left(23) ^ *frame as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    sites::number(key ^ key >> 29, frames)
}

/// After a dlclose: forgets what this thread, and all of them, remember of code that is gone.
#[cold]
#[inline(never)]
fn look_for_closed(ledger: &Ledger, unloads: u32) {
    // Whoever comes while another thread is at it looks for itself: both find the same.
    if modules::check() {
        unwind::forget();
        sites::forget_closed();
    }
    ledger.forget();
    ledger.unloads.set(unloads);
}

/// Marks the peak: another one means that the peak was raised meanwhile.
#[inline]
fn epoch(heap: &Heap) -> u64 {
    let peak = if WHOLE.shared.load(Relaxed) {
        WHOLE.peak.load(Relaxed) as u64
    } else {
        heap.counters.level.peak_units()
    };
    peak << 1 | 1
}

/// The ledger of a heap, made when it is first needed.
#[inline]
pub fn ledger(heap: &'static Heap) -> Option<&'static Ledger> {
    match heap.ledger.get() {
        None => new_ledger(heap),
        ledger => ledger,
    }
}

#[cold]
fn new_ledger(heap: &'static Heap) -> Option<&'static Ledger> {
    let ledger = Ledger::make(mode().room().sites);
    heap.ledger.set(ledger);
    ledger
}

#[inline]
fn share(mode: Mode, asked: usize, usable: usize) -> Share {
    match mode {
        Mode::Sample => sample::share(asked, usable, INTERVAL.load(Relaxed)),
        _ => Share { blocks: 1, asked: asked as u64, usable: usable as u64 },
    }
}

/// A block of `asked` bytes was given to `caller`, by a thread that is not inside its heap.
#[inline]
pub fn took(address: usize, place: Place, asked: usize, caller: &Caller) {
    let heap = registry::mine();
    if heap.state.load(Relaxed) != State::Live as u8 {
        return took_late(address, place, asked, caller);
    }
    let Some(ledger) = ledger(heap) else { return };
    if mode() == Mode::Sample {
        if is_sampled(ledger, place.usable()) {
            record(heap, ledger, address, place, asked, caller);
        }
        return;
    }
    record(heap, ledger, address, place, asked, caller);
}

/// Whether a block of `usable` bytes is one of those that are sampled.
#[inline]
pub fn is_sampled(ledger: &Ledger, usable: usize) -> bool {
    ledger.last.set(0);
    sample::is_due(ledger, usable, INTERVAL.load(Relaxed))
}

/// Records a block on the ledger of the thread's own heap.
#[inline]
pub fn record(
    heap: &'static Heap,
    ledger: &'static Ledger,
    address: usize,
    place: Place,
    asked: usize,
    caller: &Caller,
) {
    let unloads = modules::unloads();
    if ledger.unloads.get() != unloads {
        look_for_closed(ledger, unloads);
    }
    let mode = mode();
    let (site, row) = if mode == Mode::Sites {
        // Most calls come from few sites.
        let known = ledger.at(caller.site);
        match known.get() {
            (at, site, Some(row)) if at == caller.site => (site, row),
            _ => {
                let site = sites::number(caller.site as u64, &[caller.site]);
                let Some(row) = row_of(ledger, site) else { return };
                known.set((caller.site, site, Some(row)));
                (site, row)
            }
        }
    } else {
        let site = site_of_stack(caller);
        let Some(row) = row_of(ledger, site) else { return };
        (site, row)
    };
    note(heap, ledger, row, site, address, place, asked);
    if mode == Mode::Sample {
        row.samples.add(1);
        sample::watch(address);
        return;
    }
    if timeline::is_on() {
        timeline::beat(heap, timeline::EVERY_CALL);
    }
}

#[inline]
fn row_of(ledger: &Ledger, site: u32) -> Option<&'static Row> {
    if site == 0 { None } else { ledger.row(site) }
}

#[inline]
fn note(
    heap: &'static Heap,
    ledger: &Ledger,
    row: &Row,
    site: u32,
    address: usize,
    place: Place,
    asked: usize,
) {
    ledger.last.set(address);
    if place.mark(site) {
        row.took(epoch(heap), share(mode(), asked, place.usable()), asked);
    }
}

/// By a thread whose heap is gone, or is being changed while a signal handler runs: on the shared heap's ledger, but for
/// samples, whose countdown is a thread's own.
#[cold]
#[inline(never)]
fn took_late(address: usize, place: Place, asked: usize, caller: &Caller) {
    let site = match mode() {
        Mode::Sample => return,
        Mode::Sites => sites::number(caller.site as u64, &[caller.site]),
        _ => site_of_stack(caller),
    };
    if let Some(Entry { heap, .. }) = &registry::enter()
        && let Some(ledger) = ledger(heap)
        && let Some(row) = row_of(ledger, site)
    {
        note(heap, ledger, row, site, address, place, asked);
    }
}

/// A block that is about to be freed, or moved by realloc.
pub struct Leaving {
    place: Place,
    site: u32,
    usable: usize,
    at_once: bool,
}

/// Whether the block at `address` may have a site: always but where blocks are sampled.
#[inline]
pub fn may_have_site(address: usize) -> bool {
    mode() != Mode::Sample || sample::may_be_watched(address)
}

/// Before a block is freed: what its site is to be credited with, if it has one. Raises the peak where that is due, so that
/// the credit does not come before it.
#[inline]
pub fn leaving(heap: &'static Heap, address: usize, place: Place) -> Option<Leaving> {
    let site = place.take_mark();
    if site == 0 {
        return None;
    }
    if heap.counters.level.is_above_peak() {
        heap.counters.level.raise();
    }
    let at_once = heap.ledger.get().is_some_and(|ledger| ledger.last.get() == address);
    if mode() == Mode::Sample {
        sample::unwatch(address);
    }
    Some(Leaving { place, site, usable: place.usable(), at_once })
}

/// The block has been freed by the thread that has `heap`.
#[inline]
pub fn left(heap: &'static Heap, leaving: &Leaving) {
    if let Some(row) = ledger(heap).and_then(|ledger| ledger.row(leaving.site)) {
        row.freed(epoch(heap), share(mode(), 0, leaving.usable), leaving.at_once);
    }
}

/// It has not: the realloc failed, and the block at `address` stays.
pub fn stays(leaving: &Leaving, address: usize) {
    leaving.place.mark(leaving.site);
    if mode() == Mode::Sample {
        sample::watch(address);
    }
}

/// What is known of a site, over all threads. `above`: the peak is now.
pub fn sum(site: u32, above: bool) -> Sum {
    let mut sum = Sum { sizes: (u64::MAX, 0), ..Sum::default() };
    for heap in registry::heaps() {
        let Some(ledger) = heap.ledger.get() else { continue };
        if let Some(row) = ledger.known(site) {
            Row::sum_into(row, &mut sum, (!above).then(|| epoch(heap)));
        }
    }
    sum
}

/// Whether more is live now than at any time before, as far as is known.
pub fn is_at_peak() -> bool {
    let live: i64 = registry::heaps().map(|heap| heap.counters.level.live().0).sum();
    if WHOLE.shared.load(Acquire) {
        return live / 16 > WHOLE.peak.load(Relaxed);
    }
    registry::heaps().any(|heap| heap.counters.level.is_above_peak())
}

/// Before fork: no other thread is inside until [`fork_done`].
pub fn fork_prepare() {
    modules::fork_prepare();
    sites::fork_prepare();
    timeline::fork_prepare();
}

/// After fork, in parent and child.
///
/// # Safety
/// The calling thread called [`fork_prepare`] (or is its copy in the child).
pub unsafe fn fork_done() {
    // SAFETY: passed on.
    unsafe { timeline::fork_done() };
    // SAFETY: passed on.
    unsafe { sites::fork_done() };
    // SAFETY: passed on.
    unsafe { modules::fork_done() };
}

/// In a forked child: counts begin anew, what is live stays with its sites.
pub fn restart() {
    sites::restart();
    CUT.store(0, Relaxed);
    for heap in registry::heaps() {
        if let Some(ledger) = heap.ledger.get() {
            ledger.restart();
        }
    }
    if timeline::is_on() {
        timeline::restart();
    }
}
