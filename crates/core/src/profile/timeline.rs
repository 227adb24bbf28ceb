//! The time line: live and mapped memory over time, in constant memory.
//!
//! A sample is taken when a call comes by and the time since the last is long enough: no thread, no timer. When the
//! table is full every second sample goes and the step doubles, so it spans any run at even resolution. Owns the table.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};

use crate::heap::Heap;
use crate::lock::{Lock, Rank, Side};
use crate::{engine, os, pool, registry};

/// Samples that are kept.
pub const SAMPLES: usize = 512;
/// Calls between two looks at the clock, where every call comes here.
pub const EVERY_CALL: u32 = 64;
/// The same, where only slow paths do.
pub const SLOW_CALLS: u32 = 4;
/// The first step, in nanoseconds.
const STEP: u64 = 1_000_000;

/// One look at the process.
#[derive(Clone, Copy, Default)]
pub struct Sample {
    /// CLOCK_MONOTONIC, in nanoseconds.
    pub at_ns: u64,
    /// Live bytes.
    pub live: u64,
    /// Mapped bytes, bookkeeping included.
    pub mapped: u64,
    /// Blocks asked so far.
    pub calls: u64,
}

/// The samples so far.
pub struct Timeline {
    samples: [Sample; SAMPLES],
    count: usize,
    /// How often the step was doubled. All zero at first, so that a time line that nobody wants takes no room in the file.
    doublings: u32,
}

impl Timeline {
    const NEW: Timeline = Timeline {
        samples: [Sample { at_ns: 0, live: 0, mapped: 0, calls: 0 }; SAMPLES],
        count: 0,
        doublings: 0,
    };

    /// In order of time.
    pub fn samples(&self) -> &[Sample] {
        self.samples.get(..self.count).unwrap_or_default()
    }

    /// The least time between two, in nanoseconds.
    pub fn step(&self) -> u64 {
        STEP << self.doublings
    }

    /// Not written as a whole: a forked child would copy its pages for that.
    fn clear(&mut self) {
        if self.count > 0 {
            self.count = 0;
            self.doublings = 0;
        }
    }

    fn add(&mut self, sample: Sample) {
        if self.count == SAMPLES {
            for number in 0..SAMPLES / 2 {
                self.samples[number] = self.samples[number * 2];
            }
            self.count = SAMPLES / 2;
            self.doublings += 1;
        }
        self.samples[self.count] = sample;
        self.count += 1;
    }
}

static ON: AtomicBool = AtomicBool::new(false);
/// No sample before this time.
static NEXT: AtomicU64 = AtomicU64::new(0);
/// Blocks that were asked before this process was forked.
static BEFORE: AtomicU64 = AtomicU64::new(0);
static TIMELINE: Lock<Timeline> = Lock::new(Rank::Timeline, Timeline::NEW);

/// From now on samples are taken.
pub fn start() {
    tick();
    ON.store(true, Release);
}

/// Whether they are. One load.
#[inline(always)]
pub fn is_on() -> bool {
    ON.load(Relaxed)
}

/// Counts a call of this heap's thread, and looks at the clock on one of so many `calls`.
#[inline]
pub fn beat(heap: &Heap, calls: u32) {
    let beat = heap.beat.get().wrapping_add(1);
    heap.beat.set(beat);
    if beat.is_multiple_of(calls) {
        tick();
    }
}

/// Takes a sample if it is time for one. A clock read where it is not. The time, and whether it was too early.
#[cold]
pub fn tick() -> (u64, bool) {
    let now = os::now_ns();
    if now < NEXT.load(Relaxed) {
        return (now, true);
    }
    if let Some(mut timeline) = TIMELINE.try_take()
        && now >= NEXT.load(Relaxed)
    {
        let sample = look(now);
        timeline.add(sample);
        NEXT.store(now + timeline.step(), Relaxed);
    }
    (now, false)
}

fn look(at_ns: u64) -> Sample {
    let (mut live, mut calls) = (0, 0);
    for heap in registry::heaps() {
        live += heap.counters.level.live().0;
        calls += heap.counters.blocks();
    }
    let mapped = engine::MAPPED.load(Relaxed) + pool::MAPPED.load(Relaxed);
    Sample {
        at_ns,
        live: live.max(0) as u64,
        mapped: mapped as u64,
        calls: calls.wrapping_sub(BEFORE.load(Relaxed)),
    }
}

/// Shows the samples, the last one taken now. Does nothing when another thread, or the code that this one interrupted, is
/// just taking one.
pub fn see(see: impl FnOnce(&Timeline)) {
    if let Some(mut timeline) = TIMELINE.try_take() {
        let sample = look(os::now_ns());
        timeline.add(sample);
        see(&timeline);
    }
}

/// Before fork: no other thread is inside until [`fork_done`].
pub fn fork_prepare() {
    TIMELINE.park();
}

/// After fork, in parent and child.
///
/// # Safety
/// The calling thread called [`fork_prepare`] (or is its copy in the child).
pub unsafe fn fork_done(side: Side) {
    // SAFETY: passed on; the thread that holds the lock is this one.
    unsafe { TIMELINE.reset(side) };
}

/// In a forked child: a time line of its own.
pub fn restart() {
    if let Some(mut timeline) = TIMELINE.try_take() {
        timeline.clear();
    }
    NEXT.store(0, Relaxed);
    BEFORE.store(0, Relaxed);
    BEFORE.store(look(0).calls, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_time_line_keeps_every_second_sample() {
        let mut timeline = Timeline::NEW;
        for at_ns in 0..10_000 {
            timeline.add(Sample { at_ns, ..Sample::default() });
        }
        assert!(timeline.count <= SAMPLES && timeline.step() > STEP);
        assert_eq!(timeline.samples()[0].at_ns, 0);
        assert!(timeline.samples().is_sorted_by_key(|sample| sample.at_ns));
    }
}
