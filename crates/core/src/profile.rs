//! Call sites: who allocated what, for how long, and who owned the memory at the peak.
//!
//! Off unless asked for at load. Then no size passes for small and no address for near in what the fast paths compare, so
//! that every malloc and every free comes to the slow path, which has the caller's return address; but where blocks are
//! sampled, only those that are due (see `sample`) and their frees do. The default mode pays nothing. A call finds its site's number (`sites`), which goes to a mark beside the block's slot, and adds
//! to the row of that number in its thread's own ledger; free finds the row by the mark (`book`). Stacks are unwound before any
//! lock of the heap is taken.

pub mod book;
pub mod modules;
pub mod place;
mod rule;
pub mod sample;
pub mod sites;
pub mod stacks;
mod table;
pub mod timeline;
mod unwind;

use core::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::*};

use crate::heap::Heap;
use crate::ledger::{Ledger, Row, Sum};
use crate::lock::Side;
use crate::whole::WHOLE;
use crate::{pagemap, registry, tls};

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
    sample::start(interval.clamp(1, sample::LONGEST));
    MODE.store(mode as u8, Release);
    if mode == Mode::Sample {
        registry::arm();
    } else {
        registry::let_nothing_pass();
        pagemap::watch();
        if mode == Mode::Sites {
            tls::close();
        }
    }
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
    if is_on() || stacks::are_wanted() {
        modules::closed();
        registry::heaps().filter_map(|heap| heap.ledger.get()).for_each(Ledger::forget);
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

/// Brings all rows up to date, before they are summed.
pub fn credit() {
    registry::heaps().for_each(Heap::credit);
}

/// What is known of a site, over all threads. `above`: the peak is now.
pub fn sum(site: u32, above: bool) -> Sum {
    let mut sum = Sum { sizes: (u64::MAX, 0), ..Sum::default() };
    for heap in registry::heaps() {
        let Some(ledger) = heap.ledger.get() else { continue };
        if let Some(row) = ledger.known(site) {
            Row::sum_into(row, &mut sum, (!above).then(|| heap.epoch()));
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
pub unsafe fn fork_done(side: Side) {
    // SAFETY: passed on.
    unsafe { timeline::fork_done(side) };
    // SAFETY: passed on.
    unsafe { sites::fork_done(side) };
    // SAFETY: passed on.
    unsafe { modules::fork_done(side) };
}

/// In a forked child: counts begin anew, what is live stays with its sites. `alone`: the process had one thread.
pub fn restart(alone: bool) {
    credit();
    modules::restart(alone);
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
