//! A heap: one thread's stacks of free blocks, the slabs behind them, and its counters.
//!
//! Only the owning thread touches a heap, but for its inbox and its state; so nothing here is locked. Heaps are
//! never unmapped: one whose thread has ended is handed on (see `registry`).

mod credit;
mod flush;
mod key;
mod pass;
mod rest;
mod state;

pub use key::owner_of;
pub use pass::Pass;
pub use state::State;

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicUsize, Ordering::*};

use crate::class::{CLASSES, COUNT, LIMIT};
use crate::count::{Begun, Counters, NEVER};
use crate::engine::{self, Span};
use crate::large;
use crate::ledger::Ledger;
use crate::os::PAGE;
use crate::packet::{Inbox, Packet};
use crate::shelf::Shelf;
use crate::slab::Slab;
use crate::stack::{self, Stack};
use crate::whole::WHOLE;
use crate::{block, mode, remote};

/// Owners that a heap collects remote frees for at the same time.
pub const OUTGOING: usize = 16;
/// Empty slabs that a heap keeps, by slab size (4, 8, 16 pages).
const SPARES: [usize; 3] = [8, 4, 2];
/// Slots above this, in bytes, are cut from the largest slabs.
const TRIED: u32 = 8192;
/// How many requests in such a class come before its first slab.
const TRIAL: u8 = 16;

/// A heap. Page-aligned, so the low bits of its address can carry a class.
#[repr(C, align(4096))]
pub struct Heap {
    /// By class; row 0 stays empty. First, so that a stack's address in the page map tells its heap.
    pub stacks: [Stack; LIMIT],
    /// What this heap's thread did.
    pub counters: Counters,
    /// Requests in a class of the largest slabs before it had one. Here, since a program that goes through its large blocks page
    /// by page pushes the first line of every page out of the nearest cache, and what follows is read by every call.
    asked: [Cell<u8>; LIMIT],
    /// Mixed with its address this marks a free block.
    pub secret: Cell<usize>,
    /// What the fast paths may serve.
    pub pass: Pass,
    /// Whether the thread is inside a slow path: a fork by another thread leaves the child's copy half changed.
    pub inside: AtomicBool,
    /// A [`State`].
    pub state: AtomicU8,
    /// Blocks of this heap's slabs that other threads freed.
    pub inbox: Inbox,
    /// The first of the blocks that came without a packet (see `remote`); 0: none.
    pub strays: AtomicUsize,
    /// Blocks that this thread freed, by owner.
    pub outgoing: [Outgoing; OUTGOING],
    /// Empty packets.
    pub packets: Cell<Option<&'static Packet>>,
    /// How many.
    pub packet_count: Cell<usize>,
    /// Empty slabs by slab size.
    spare: [[Cell<Option<&'static Slab>>; 8]; 3],
    /// Freed large blocks, still mapped.
    pub kept: large::Kept,
    /// The heap before this one in the list of all heaps.
    pub older: Cell<Option<&'static Heap>>,
    /// Whether it keeps free memory though it has no thread (see `rest`).
    warm: Cell<bool>,
    /// The next abandoned heap.
    pub next_abandoned: Cell<Option<&'static Heap>>,
    /// Live units of 16 bytes, and blocks, that the process-wide level knows of.
    pub published: Cell<(i64, i64)>,
    /// Hardened mode's part of the heap (see `hard`); null in plain mode, and before it is first needed.
    pub vault: Cell<*mut u8>,
    /// Room for the stacks; None in hardened mode.
    rooms: Cell<Option<&'static [Cell<usize>; stack::ROOMS]>>,
    /// Places of it that stacks have.
    furnished: Cell<usize>,
    /// By class: for how many slabs to come no loan is looked for, and the last such pause.
    pub pauses: [Cell<(u16, u16)>; LIMIT],
    /// Bytes by which stacks are deeper than they were at first.
    deepened: Cell<usize>,
    /// The class whose stack was last made shallow again for another's sake.
    shoaled: Cell<usize>,
    /// Calls that looked at the time line, for each of which the clock is read now and then.
    pub beat: Cell<u32>,
    /// Where some blocks are guarded: the streams of which one was already chosen (see `guard`).
    pub begun: Begun,
    /// Below which level the thread's frees are credited to their sites later (see `credit`); [`NEVER`] where at once.
    pub fence: AtomicI64,
    /// What its thread did by call site, where those are recorded.
    pub ledger: Cell<Option<&'static Ledger>>,
    /// By class: the slabs behind the stacks.
    pub shelves: [Shelf; COUNT + 1],
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
    pub fn open(&'static self, rooms: &'static [Cell<usize>; stack::ROOMS], secret: usize) {
        self.secret.set(secret);
        self.fence.store(NEVER, Relaxed);
        self.counters.level.open();
        if mode::is_hardened() {
            // No stack has room, so every call takes the slow path.
            return;
        }
        self.rooms.set(Some(rooms));
        (1..=COUNT).for_each(|class| self.stacks[class].open(class));
    }

    /// Gives the stack of `class` its room, if it has none yet: the next one, so that the classes in use lie together.
    #[inline]
    pub fn furnish(&'static self, class: usize) {
        if self.stacks[class].is_bare() {
            self.furnish_now(class);
        }
    }

    #[cold]
    #[inline(never)]
    fn furnish_now(&'static self, class: usize) {
        let Some(rooms) = self.rooms.get() else { return };
        let (from, places) = (self.furnished.get(), stack::room_of(class));
        if let Some(room) = rooms.get(from..from + places) {
            self.furnished.set(from + places);
            self.stacks[class].furnish(class, room);
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
        loop {
            let block = match self.stacks[class % LIMIT].pop() {
                Some(block) => block,
                None => self.refill(class)?,
            };
            if block::claim(block, self.secret.get()) {
                return Some(block);
            }
            block::unmarked(block);
        }
    }

    /// Fills the empty stack of `class` from its slabs and takes a block.
    #[inline(never)]
    fn refill(&'static self, class: usize) -> Option<usize> {
        let stack = &self.stacks[class % LIMIT];
        self.settle();
        self.furnish(class);
        stack.ask(class);
        if self.is_owed() {
            remote::collect(self);
            if let Some(block) = stack.pop() {
                return Some(block);
            }
        }
        if let Some(packet) = stack.unstow() {
            remote::keep_packet(self, packet);
            return stack.pop();
        }
        if stack.overflowed.replace(false) {
            self.deepen(class);
        }
        let gap = stack.gap();
        let half = &gap[..gap.len().div_ceil(2)];
        let shelf = &self.shelves[class];
        let slab = match shelf.first() {
            Some(slab) => slab,
            None if self.is_new_to(class) => return None,
            None => {
                let borrowed = self.borrow(class, half);
                if borrowed > 0 {
                    stack.rise(gap, borrowed);
                    return stack.pop();
                }
                self.add_slab(class)?
            }
        };
        let count = slab.take(half, self.secret.get());
        shelf.note(slab);
        stack.rise(gap, count);
        stack.pop()
    }

    /// Moves the newest packet behind an empty stack onto it.
    pub fn unstow(&'static self, stack: &Stack) {
        self.settle();
        if let Some(packet) = stack.unstow() {
            remote::keep_packet(self, packet);
        }
    }

    /// Moves the oldest blocks of a stack into a packet behind it; false when memory is short. There is a place for one.
    pub fn stow(&'static self, stack: &Stack) -> bool {
        self.settle();
        let packet = remote::new_packet(self);
        if let Some(packet) = packet {
            stack.stow(packet);
        }
        packet.is_some()
    }

    /// Whether a class of the largest slabs has been asked for too little in this heap to be worth one: its first
    /// blocks are then large blocks, which take no more pages than they need. Counts the request.
    fn is_new_to(&self, class: usize) -> bool {
        let asked = &self.asked[class % LIMIT];
        if asked.get() >= TRIAL || CLASSES[class % LIMIT].slot <= TRIED {
            return false;
        }
        asked.set(asked.get() + 1);
        true
    }

    /// A new slab of `class`, all its slots free: one kept, or one of the engine's. None when memory is short.
    pub fn add_slab(&'static self, class: usize) -> Option<&'static Slab> {
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
        self.shelves[class].add(slab);
        Some(slab)
    }

    /// Puts a free block of this heap on the stack of its class, making room if need be.
    pub fn put(&'static self, class: usize, block: usize) {
        let stack = &self.stacks[class % LIMIT];
        if stack.push(block) {
            return;
        }
        self.settle();
        if self.is_owed() {
            remote::collect(self);
        }
        remote::put_on(self, stack, class, block);
    }

    /// Whether blocks that other threads freed wait to be taken back.
    #[inline]
    pub fn is_owed(&self) -> bool {
        !self.inbox.is_empty() || self.strays.load(Relaxed) != 0
    }

    /// What every slow path does once: keeps the level's counters in range and tells the process of it.
    pub fn settle(&self) {
        self.counters.level.settle();
        if WHOLE.shared.load(Relaxed) {
            self.credit_at_once();
        }
        WHOLE.publish(self);
        engine::look();
    }
}

const fn spare_row(pages: usize) -> usize {
    (pages.trailing_zeros() as usize).saturating_sub(2) % SPARES.len()
}

/// The heap of a thread that has none yet: nothing is ever found in it.
pub static EMPTY: Heap = Heap::new();
/// What stands in for a thread's heap while that is being changed.
pub static BUSY: Heap = Heap::new();
/// The heap of a thread that has ended.
pub static GONE: Heap = Heap::new();

const _: () = assert!(core::mem::offset_of!(Heap, stacks) == 0 && size_of::<[Stack; LIMIT]>() == PAGE);
