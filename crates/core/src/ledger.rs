//! A ledger: what one heap's thread did, by site. One row a site, written by that thread only.
//!
//! Rows come in pages that are made when the thread first meets one of their sites. Like all counters here a row is summed
//! over the heaps when it is read; so "freed" may stand in one heap's row and "calls" in another's. Numbers in a row may be
//! read by any thread at any time. A ledger belongs to its heap for good.
//!
//! Who owned the memory at the peak is known without a copy of the table: a row that changes for the first time since the
//! peak was last raised writes down what it held; one that has not changed still holds it.

mod lately;

use core::cell::Cell;
use core::sync::atomic::{AtomicPtr, Ordering::*};

pub use lately::{Lately, Recent};

use crate::class::{CLASSES, LIMIT};
use crate::count::{Begun, Counter, Counters};
use crate::pool;

/// Rows a page.
pub const ROWS: usize = 16;

/// What one heap's thread did at one site. In a mode that estimates, blocks count [`BLOCK`] times what they stand for.
#[derive(Default)]
#[repr(C, align(64))]
pub struct Row {
    /// Blocks given out.
    pub calls: Counter,
    /// Bytes asked for them.
    pub asked: Counter,
    /// Their usable bytes.
    pub usable: Counter,
    /// Blocks freed.
    pub freed_blocks: Counter,
    /// Their usable bytes.
    pub freed_bytes: Counter,
    /// Blocks that this thread freed before it allocated anew.
    pub temporary: Counter,
    /// The peak's mark when the two below were written; 0: never.
    epoch: Counter,
    /// Largest size, and 2^32 - 1 less the smallest above it; sizes from 2^32 - 1 on stand as that, and in `huge`.
    extremes: Counter,
    /// Live blocks at the peak, signed.
    peak_blocks: Counter,
    /// Live bytes at the peak, signed.
    peak_bytes: Counter,
    /// Blocks that were really seen.
    pub samples: Counter,
    /// The largest size of all where it is above 2^32 - 2, and usize::MAX less the smallest such.
    huge: [Counter; 2],
}

/// What a block counts in a row where figures are estimates.
pub const BLOCK: u64 = 1024;

/// A row's sum over heaps.
#[derive(Clone, Copy, Default)]
pub struct Sum {
    /// See [`Row`].
    pub calls: u64,
    /// Bytes asked.
    pub asked: u64,
    /// Usable bytes given.
    pub usable: u64,
    /// Live blocks.
    pub live_blocks: i64,
    /// Live bytes.
    pub live_bytes: i64,
    /// Live blocks at the peak.
    pub peak_blocks: i64,
    /// Live bytes at the peak.
    pub peak_bytes: i64,
    /// Blocks freed at once.
    pub temporary: u64,
    /// Smallest and largest size; (u64::MAX, 0): none.
    pub sizes: (u64, u64),
    /// Blocks seen.
    pub samples: u64,
}

/// What is added to a row for one block.
#[derive(Clone, Copy)]
pub struct Share {
    /// Blocks, or [`BLOCK`]ths.
    pub blocks: u64,
    /// Bytes asked.
    pub asked: u64,
    /// Usable bytes.
    pub usable: u64,
}

impl Row {
    /// Before a change: keeps what the row held at the peak whose mark is `epoch`.
    #[inline(always)]
    fn keep(&self, epoch: u64) {
        if self.epoch.get() != epoch {
            self.peak_blocks.set(self.calls.get().wrapping_sub(self.freed_blocks.get()));
            self.peak_bytes.set(self.usable.get().wrapping_sub(self.freed_bytes.get()));
            self.epoch.set(epoch);
        }
    }

    /// Whether blocks of less and of more than `size` bytes were given out already, or of just this size.
    #[inline(always)]
    pub fn spans(&self, size: usize) -> bool {
        let extremes = self.extremes.get();
        size <= extremes as u32 as usize && !size as u32 <= (extremes >> 32) as u32
    }

    /// A block whose size the row [spans](Row::spans) was given out.
    #[inline(always)]
    pub fn took_as_ever(&self, epoch: u64, share: Share) {
        self.keep(epoch);
        self.calls.add(share.blocks);
        self.asked.add(share.asked);
        self.usable.add(share.usable);
    }

    /// A block of `size` bytes was given out.
    #[inline]
    pub fn took(&self, epoch: u64, share: Share, size: usize) {
        self.took_as_ever(epoch, share);
        let extremes = self.extremes.get();
        let short = size.min(u32::MAX as usize) as u32;
        let (high, low) = (extremes as u32, (extremes >> 32) as u32);
        if short > high || !short > low || short == u32::MAX {
            self.widen(size, short, extremes);
        }
    }

    #[cold]
    fn widen(&self, size: usize, short: u32, extremes: u64) {
        let (high, low) = ((extremes as u32).max(short), ((extremes >> 32) as u32).max(!short));
        self.extremes.set(u64::from(low) << 32 | u64::from(high));
        if short == u32::MAX {
            self.huge[0].set(self.huge[0].get().max(size as u64));
            self.huge[1].set(self.huge[1].get().max(!(size as u64)));
        }
    }

    /// A block was freed.
    #[inline(always)]
    pub fn freed(&self, epoch: u64, share: Share, at_once: bool) {
        self.keep(epoch);
        self.freed_blocks.add(share.blocks);
        self.freed_bytes.add(share.usable);
        if at_once {
            self.temporary.add(share.blocks);
        }
    }

    /// So many blocks were freed, and as many given out.
    #[inline]
    pub fn turned(&self, blocks: u64, asked: u64, usable: u64, temporary: u64) {
        self.calls.add(blocks);
        self.freed_blocks.add(blocks);
        self.asked.add(asked);
        self.usable.add(usable);
        self.freed_bytes.add(usable);
        self.temporary.add(temporary);
    }

    /// Adds the row to `sum`; `epoch` is the mark of the peak, None when the peak is now.
    pub fn sum_into(&self, sum: &mut Sum, epoch: Option<u64>) {
        let live_blocks = self.calls.get().wrapping_sub(self.freed_blocks.get()) as i64;
        let live_bytes = self.usable.get().wrapping_sub(self.freed_bytes.get()) as i64;
        let kept = epoch == Some(self.epoch.get());
        sum.calls += self.calls.get();
        sum.asked += self.asked.get();
        sum.usable += self.usable.get();
        sum.live_blocks += live_blocks;
        sum.live_bytes += live_bytes;
        sum.peak_blocks += if kept { self.peak_blocks.get() as i64 } else { live_blocks };
        sum.peak_bytes += if kept { self.peak_bytes.get() as i64 } else { live_bytes };
        sum.temporary += self.temporary.get();
        sum.samples += self.samples.get();
        if self.calls.get() == 0 {
            return;
        }
        let extremes = self.extremes.get();
        let (high, low) = (extremes as u32, !((extremes >> 32) as u32));
        let most = if high == u32::MAX { self.huge[0].get() } else { high.into() };
        let least = if low == u32::MAX { !self.huge[1].get() } else { low.into() };
        sum.sizes = (sum.sizes.0.min(least), sum.sizes.1.max(most));
    }

    /// Lets what was counted go; what is live stays, and is the peak.
    fn restart(&self) {
        let live = self.calls.get().wrapping_sub(self.freed_blocks.get());
        let bytes = self.usable.get().wrapping_sub(self.freed_bytes.get());
        for counter in [&self.calls, &self.asked, &self.usable, &self.temporary, &self.epoch, &self.samples] {
            counter.set(0);
        }
        self.extremes.set(0);
        self.huge.iter().for_each(|huge| huge.set(0));
        self.freed_blocks.set(live.wrapping_neg());
        self.freed_bytes.set(bytes.wrapping_neg());
    }
}

/// Rows of sites that are next to each other.
#[derive(Default)]
#[repr(C)]
pub struct Page([Row; ROWS]);

/// See the module.
#[repr(C)]
pub struct Ledger {
    /// Sites met lately, by their address.
    recent: [Recent; RECENT],
    /// The address of its heap, when that is a thread's that books.
    pub heap: Cell<usize>,
    /// The block that this thread allocated last.
    pub last: Cell<usize>,
    /// How many blocks the heap's thread had allocated when the last sample had been taken.
    pub sampled_at: Cell<u64>,
    /// The streams of blocks in which a sample was ever looked for (see `profile::sample`).
    pub begun: Begun,
    /// The state of its random numbers; 0: not begun.
    pub random: Cell<u64>,
    /// How many calls of dlclose the thread knows of.
    pub unloads: Cell<u32>,
    /// By site, [`ROWS`] rows a page.
    pub pages: &'static [AtomicPtr<Page>],
    /// Whether blocks that are freed are credited to their sites only later (see `heap::credit`).
    pub defers: Cell<bool>,
    /// After how many more frees they are.
    pub until: Cell<u32>,
    /// Calls until the clock is looked at, and how many there were to be the last time.
    pub beat: Cell<i32>,
    /// See `beat`.
    pub pace: Cell<i32>,
    /// When the rows were last brought up to date, in nanoseconds.
    pub settled_at: Cell<u64>,
    /// By class.
    lately: [Lately; LIMIT],
}

const RECENT: usize = 128;

// SAFETY: only the owning heap's thread uses the cells; all else is atomic.
unsafe impl Sync for Ledger {}

impl Ledger {
    /// A ledger with room for `sites`. None when memory is short.
    pub fn make(sites: usize) -> Option<&'static Ledger> {
        static_assert_sizes();
        let count = (sites + 1).div_ceil(ROWS);
        // Above the pool's sizes: a mapping of its own, zero, and touched where it is used.
        let directory =
            pool::take_bytes((count * size_of::<usize>()).max(12 << 10))?.cast::<AtomicPtr<Page>>();
        let at = pool::take::<Ledger>()?;
        // SAFETY: `count` words of zero bytes, which are null pointers, never unmapped.
        let pages = unsafe { core::slice::from_raw_parts(directory.as_ptr(), count) };
        let empty = Ledger {
            heap: Cell::new(0),
            last: Cell::new(0),
            sampled_at: Cell::new(0),
            begun: Begun::default(),
            random: Cell::new(0),
            unloads: Cell::new(0),
            pages,
            defers: Cell::new(false),
            until: Cell::new(0),
            beat: Cell::new(0),
            pace: Cell::new(0),
            settled_at: Cell::new(0),
            lately: [const { Lately::new() }; LIMIT],
            recent: [const { Recent::new() }; RECENT],
        };
        // SAFETY: the pool gave room for a Ledger.
        unsafe { at.write(empty) };
        // SAFETY: it was just written, and is never given back.
        Some(unsafe { at.as_ref() })
    }

    /// Where the site of this address stands if it was met lately.
    #[inline(always)]
    pub fn at(&self, address: usize) -> &Recent {
        // Calls are seldom nearer to each other than 16 bytes.
        &self.recent[address / 16 % RECENT]
    }

    /// Forgets the sites met lately. Any thread may call this.
    pub fn forget(&self) {
        self.recent.iter().for_each(Recent::forget);
        self.lately.iter().for_each(Lately::forget);
    }

    /// The block of a class that was given out last; `offset` is 64 times the class, below 64 times [`LIMIT`].
    #[inline(always)]
    pub fn lately(&self, offset: usize) -> &Lately {
        debug_assert!(offset < LIMIT * 64 && offset.is_multiple_of(64));
        let lately = self.lately.as_ptr().wrapping_byte_add(offset);
        // SAFETY: they take 64 bytes each, so that is one of them.
        unsafe { &*lately }
    }

    /// As [`Ledger::lately`], by class.
    pub fn lately_of(&self, class: usize) -> &Lately {
        &self.lately[class % LIMIT]
    }

    /// Another block of `class` was given out at this address, whose site was met lately. What is known of the last one is in
    /// its row (see [`Ledger::settle`]).
    #[inline(always)]
    pub fn follow(&self, class: usize, block: usize, address: usize, recent: &Recent) {
        self.lately_of(class).set(block, address, recent);
    }

    /// Another block of `class` was given out, for this site; 0: for none. It does not come in turn.
    pub fn follow_apart(&self, class: usize, site: u32) {
        self.lately_of(class).set_apart(site);
    }

    /// Adds what the last block of `class` did to its row, all that `counters` have of the class but one block of `but` bytes,
    /// if that is said: it was counted just now, and is another.
    #[inline]
    pub fn settle(&self, counters: &Counters, class: usize, but: Option<usize>) {
        let tallies = [&counters.malloc[class % LIMIT], &counters.new[class % LIMIT]];
        let blocks = tallies[0].blocks.get().wrapping_add(tallies[1].blocks.get());
        let bytes = tallies[0].bytes.get().wrapping_add(tallies[1].bytes.get());
        let lately = self.lately_of(class);
        let [mut turns, mut asked, temporary] = lately.take([blocks, bytes]);
        if let Some(but) = but {
            // Where a signal handler came in between it has taken this one along; the two make up for each other.
            turns = turns.wrapping_sub(1);
            asked = asked.wrapping_sub(but as u64);
        }
        if turns | temporary != 0
            && let Some(row) = self.met(lately.site())
        {
            row.turned(turns, asked, turns.wrapping_mul(CLASSES[class % LIMIT].slot.into()), temporary);
        }
    }

    /// The row of a site that was met before, if it was.
    #[inline]
    pub fn known(&self, site: u32) -> Option<&'static Row> {
        let page = self.pages.get(site as usize / ROWS)?.load(Acquire);
        // SAFETY: a page in the directory is whole and never given back.
        let page = unsafe { page.as_ref() }?;
        page.0.get(site as usize % ROWS)
    }

    /// As [`Ledger::known`], for a site's number or 0, of which there is none.
    #[inline(always)]
    pub fn met(&self, site: u32) -> Option<&'static Row> {
        if site == 0 { None } else { self.known(site) }
    }

    /// The row of a site. None when memory is short. Only the owner calls this.
    #[inline]
    pub fn row(&self, site: u32) -> Option<&'static Row> {
        match self.known(site) {
            None => self.page(site),
            row => row,
        }
    }

    #[cold]
    #[inline(never)]
    fn page(&self, site: u32) -> Option<&'static Row> {
        let at = pool::take::<Page>()?;
        // SAFETY: the pool gave room for a Page.
        unsafe { at.write(Page::default()) };
        self.pages.get(site as usize / ROWS)?.store(at.as_ptr(), Release);
        self.known(site)
    }

    /// In a forked child: counts begin anew, what is live stays.
    pub fn restart(&self) {
        for page in self.pages {
            // SAFETY: a page in the directory is whole and never given back.
            if let Some(page) = unsafe { page.load(Relaxed).as_ref() } {
                page.0.iter().for_each(Row::restart);
            }
        }
    }
}

const fn static_assert_sizes() {
    const { assert!(size_of::<Row>() == 128 && size_of::<Page>() <= 8192 && size_of::<Lately>() == 64) }
}
