//! A heap: one thread's stacks of free blocks, the slabs behind them, and its counters.
//!
//! Only the owning thread touches a heap, but for its inbox and its state; so nothing here is locked. Heaps are
//! never unmapped: one whose thread has ended is handed on (see `registry`).

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering::*};

use crate::class::{self, CLASSES, COUNT, LIMIT};
use crate::count::Counters;
use crate::engine::{self, Span};
use crate::large::Large;
use crate::os::{self, PAGE};
use crate::packet::{Inbox, Packet};
use crate::slab::Slab;
use crate::stack::{self, Stack};

/// Owners that a heap collects remote frees for at the same time.
pub const OUTGOING: usize = 16;
/// Empty slabs that a heap keeps, by slab size (4 pages, 16 pages).
const SPARES: [usize; 2] = [8, 2];
/// Large blocks that a heap keeps.
pub const KEPT_LARGE: usize = 16;

/// What a heap's thread is doing, or that there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    /// No thread has it yet.
    New = 0,
    /// A thread has it.
    Live = 1,
    /// Its thread has ended; the next new thread may have it.
    Abandoned = 2,
    /// Its thread has ended, and another one is just emptying its inbox.
    Visited = 3,
    /// In a forked child: its thread was in the middle of something, so it is never touched again.
    Lost = 4,
}

/// A heap. Page-aligned, so the low bits of its address can carry a class.
#[repr(C, align(4096))]
pub struct Heap {
    /// By class; row 0 stays empty.
    pub stacks: [Stack; LIMIT],
    /// What this heap's thread did.
    pub counters: Counters,
    /// Mixed with its address this marks a free block.
    pub secret: Cell<usize>,
    /// Whether the thread is inside a slow path: a signal handler's call finds it so.
    pub inside: AtomicBool,
    /// A [`State`].
    pub state: AtomicU8,
    /// Blocks of this heap's slabs that other threads freed.
    pub inbox: Inbox,
    /// Blocks that this thread freed, by owner.
    pub outgoing: [Outgoing; OUTGOING],
    /// Empty packets.
    pub packets: Cell<Option<&'static Packet>>,
    /// How many.
    pub packet_count: Cell<usize>,
    /// Empty slabs by slab size.
    spare: [[Cell<Option<&'static Slab>>; 8]; 2],
    /// Freed large blocks, still mapped.
    pub kept: [Cell<Option<&'static Large>>; KEPT_LARGE],
    /// Pages in `kept`.
    pub kept_pages: Cell<usize>,
    /// The place in `kept` that is emptied next when there is none free.
    pub kept_next: Cell<usize>,
    /// The heap before this one in the list of all heaps.
    pub older: Cell<Option<&'static Heap>>,
    /// The next abandoned heap.
    pub next_abandoned: Cell<Option<&'static Heap>>,
    /// Live units of 16 bytes, and blocks, that the process-wide level knows of.
    pub published: Cell<(i64, i64)>,
    /// Room that each stack has from the beginning.
    room: [[Cell<usize>; stack::FIRST]; COUNT + 1],
}

/// Remote frees to one owner.
pub struct Outgoing {
    /// Address of the owning heap; 0: none.
    pub owner: Cell<usize>,
    /// The blocks.
    pub packet: Cell<Option<&'static Packet>>,
}

// SAFETY: only the owning thread uses the cells; all else is atomic. Whoever visits an abandoned heap has taken
// its state from Abandoned to Visited first.
unsafe impl Sync for Heap {}

impl Heap {
    const fn new() -> Heap {
        // SAFETY: zero bytes are a valid Heap: numbers, cells of None and null pointers, false, empty lists. (Arrays
        // of cells cannot be written as constants without copying the whole on the stack.)
        unsafe { core::mem::zeroed() }
    }

    /// Readies a heap of zero bytes.
    pub fn open(&'static self, secret: usize) {
        self.secret.set(secret);
        self.counters.level.open();
        for class in 1..=COUNT {
            self.stacks[class].open(class, &self.room[class]);
        }
    }

    /// Its address.
    #[inline(always)]
    pub fn address(&self) -> usize {
        core::ptr::from_ref(self) as usize
    }

    /// The state now.
    pub fn state(&self) -> State {
        match self.state.load(Acquire) {
            0 => State::New,
            1 => State::Live,
            2 => State::Abandoned,
            3 => State::Visited,
            _ => State::Lost,
        }
    }

    /// A block of `class`, uncounted. None when memory is short. O(1) amortized.
    #[inline]
    pub fn take(&'static self, class: usize) -> Option<usize> {
        match self.stacks[class & (LIMIT - 1)].pop() {
            Some(block) => Some(block),
            None => self.refill(class),
        }
    }

    /// Fills the empty stack of `class` from its slabs and takes a block.
    #[inline(never)]
    fn refill(&'static self, class: usize) -> Option<usize> {
        let stack = &self.stacks[class & (LIMIT - 1)];
        self.settle();
        if !self.inbox.is_empty() {
            crate::remote::collect(self);
            if let Some(block) = stack.pop() {
                return Some(block);
            }
        }
        stack.widen(class);
        let room = stack.gap();
        let room = &room[..(room.len() / 2).max(1).min(room.len())];
        let slab = match stack.head.get() {
            Some(slab) => slab,
            None => self.add_slab(class)?,
        };
        let count = slab.take(room);
        stack.free_slots.set(stack.free_slots.get() - count as u32);
        if slab.free.get() == 0 {
            stack.unlist(slab);
        }
        // Popped last to first; the lowest address is to come out first.
        for (low, high) in (0..count / 2).zip((0..count).rev()) {
            room[low].swap(&room[high]);
        }
        stack.rise(count);
        stack.pop()
    }

    fn add_slab(&'static self, class: usize) -> Option<&'static Slab> {
        let stack = &self.stacks[class];
        let pages = (CLASSES[class].mask as usize + 1) / PAGE;
        let spare = self.spare[spare_row(pages)].iter().find_map(Cell::take);
        let slab = match spare {
            Some(slab) => {
                slab.cut(class, self.address());
                slab
            }
            None => {
                let span: Span = engine::take(pages, pages, 0).ok()?;
                match Slab::make(span, class, self.address()) {
                    Some(slab) => slab,
                    None => {
                        engine::put(span.node, if span.zero { 0 } else { pages });
                        return None;
                    }
                }
            }
        };
        stack.slabs.set(stack.slabs.get() + 1);
        stack.free_slots.set(stack.free_slots.get() + slab.free.get());
        stack.list(slab, true);
        Some(slab)
    }

    /// Puts a free block of this heap, slot `number` of `slab`, on its stack, making room if need be.
    pub fn put(&'static self, slab: &'static Slab, block: usize) {
        let class = slab.class.get() as usize & (LIMIT - 1);
        let stack = &self.stacks[class];
        if stack.push(block) {
            return;
        }
        self.settle();
        if !self.inbox.is_empty() {
            crate::remote::collect(self);
        }
        if !stack.push(block) && !(stack.widen(class) && stack.push(block)) {
            self.flush(class, stack.len().div_ceil(2));
            stack.push(block);
        }
    }

    /// Moves the oldest `count` blocks of a stack back into their slabs.
    pub fn flush(&'static self, class: usize, count: usize) {
        self.stacks[class].drain(count, |block| self.restore(block));
    }

    /// Gives a block of this heap back to its slab. A block whose slab went to another heap meanwhile goes there.
    pub fn restore(&'static self, block: usize) {
        let Some(entry) = crate::pagemap::entry(block) else { return };
        let key = entry.key.load(Relaxed);
        let Some(slab) = crate::slab::of(entry, key) else { return };
        if key & !(LIMIT - 1) != self.address() {
            return crate::remote::send(self, key & !(LIMIT - 1), block);
        }
        let stack = &self.stacks[slab.class.get() as usize & (LIMIT - 1)];
        let number = slab.kind().slot_at(block);
        if !number.is_some_and(|n| slab.put(n)) {
            let usable = slab.kind().slot as usize;
            crate::misuse::report(
                crate::misuse::Misuse::Freed { function: "free", pointer: block, usable },
                0,
            );
            return;
        }
        stack.free_slots.set(stack.free_slots.get() + 1);
        if slab.is_empty() && stack.slabs.get() > 1 {
            if slab.listed.get() {
                stack.unlist(slab);
            }
            stack.slabs.set(stack.slabs.get() - 1);
            stack.free_slots.set(stack.free_slots.get() - slab.free.get());
            self.keep_or_end(slab);
        } else if !slab.listed.get() {
            stack.list(slab, false);
        }
    }

    fn keep_or_end(&'static self, slab: &'static Slab) {
        let row = spare_row(slab.pages());
        match self.spare[row][..SPARES[row]].iter().find(|place| place.get().is_none()) {
            Some(place) => place.set(Some(slab)),
            None => {
                let (node, touched) = slab.end();
                engine::put(node, touched);
            }
        }
    }

    /// Gives every free block and every empty slab back, to be called when the thread ends or on request.
    pub fn release(&'static self) {
        crate::remote::collect(self);
        for class in 1..=COUNT {
            let stack = &self.stacks[class];
            self.flush(class, stack.len());
            while let Some(slab) = stack.head.get().filter(|slab| slab.is_empty()) {
                stack.unlist(slab);
                stack.slabs.set(stack.slabs.get() - 1);
                stack.free_slots.set(stack.free_slots.get() - slab.free.get());
                let (node, touched) = slab.end();
                engine::put(node, touched);
            }
        }
        for slab in self.spare.iter().flatten().filter_map(Cell::take) {
            let (node, touched) = slab.end();
            engine::put(node, touched);
        }
        crate::large::release(self);
        crate::remote::post_all(self);
    }

    /// What every slow path does once: keeps the level's counters in range and tells the process of it.
    pub fn settle(&self) {
        self.counters.level.settle(os::coarse_ns());
        LEVEL.publish(self);
    }
}

const fn spare_row(pages: usize) -> usize {
    (pages > 4) as usize
}

/// The heap of a thread that has none yet: nothing is ever found in it.
pub static EMPTY: Heap = Heap::new();
/// The heap of a thread that has ended.
pub static GONE: Heap = Heap::new();

/// The live memory of the whole process, once it has had a second thread.
pub struct Whole {
    /// Set when a second thread appears; until then one heap's level is the truth.
    pub shared: AtomicBool,
    live: AtomicI64,
    blocks: AtomicI64,
    /// The highest `live`, units of 16 bytes.
    pub peak: AtomicI64,
    /// When that was, CLOCK_MONOTONIC in ns.
    pub peak_at: AtomicU64,
    /// Live blocks then.
    peak_blocks: AtomicI64,
    /// The largest change that was published at once.
    pub step: AtomicUsize,
}

/// See [`Whole`].
pub static LEVEL: Whole = Whole {
    shared: AtomicBool::new(false),
    live: AtomicI64::new(0),
    blocks: AtomicI64::new(0),
    peak: AtomicI64::new(0),
    peak_at: AtomicU64::new(0),
    peak_blocks: AtomicI64::new(0),
    step: AtomicUsize::new(0),
};

/// Changes below this many units of 16 bytes wait.
const STEP: u64 = 1024;

impl Whole {
    /// Adds what changed in `heap` since it was last published.
    #[inline]
    pub fn publish(&self, heap: &Heap) {
        if !self.shared.load(Acquire) {
            return;
        }
        let (bytes, blocks) = heap.counters.level.live();
        let now = bytes / 16;
        let (old, old_blocks) = heap.published.get();
        let change = now - old;
        if change.unsigned_abs() < STEP {
            return;
        }
        heap.published.set((now, blocks));
        let blocks = self.blocks.fetch_add(blocks - old_blocks, Relaxed) + blocks - old_blocks;
        self.step.fetch_max(change.unsigned_abs() as usize, Relaxed);
        let live = self.live.fetch_add(change, Relaxed) + change;
        if live > self.peak.load(Relaxed) && self.peak.fetch_max(live, Relaxed) < live {
            self.peak_at.store(os::coarse_ns(), Relaxed);
            self.peak_blocks.store(blocks, Relaxed);
        }
    }

    /// From now on heaps publish: the process gets a second thread. `live` (bytes, blocks) and `peak` (bytes, blocks,
    /// time) are what the first one's level said.
    pub fn share(&self, live: (i64, i64), peak: (i64, i64, u64)) {
        self.live.store(live.0 / 16, Relaxed);
        self.blocks.store(live.1, Relaxed);
        self.peak.store(peak.0 / 16, Relaxed);
        self.peak_blocks.store(peak.1, Relaxed);
        self.peak_at.store(peak.2, Relaxed);
        self.step.store(STEP as usize, Relaxed);
        self.shared.store(true, Release);
    }

    /// Live blocks at the peak.
    pub fn peak_blocks(&self) -> u64 {
        self.peak_blocks.load(Relaxed).max(0) as u64
    }
}

const _: () = assert!(class::LIMIT <= 64);
