//! A stack of free blocks of one class: the short LIFO in front of a heap's slabs.
//!
//! An array of addresses, not a list through the blocks: malloc and free do not touch a block's memory for the
//! list's sake, and a program that writes past a block or after free cannot bend it. Starts with room for a few
//! and grows as it is used. Owned by one heap; only its thread touches it.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::class::CLASSES;
use crate::pool;
use crate::slab::Slab;

/// Room that a stack has from the beginning.
pub const FIRST: usize = 16;

/// One class of one heap, one cache line: the stack and the slabs behind it.
#[repr(C, align(64))]
pub struct Stack {
    /// One past the newest block; `floor <= top <= limit`.
    pub top: Cell<*const Cell<usize>>,
    /// Where the oldest block stands.
    pub floor: Cell<*const Cell<usize>>,
    /// `floor` + room.
    pub limit: Cell<*const Cell<usize>>,
    /// What a block of this class adds to the heap's level.
    pub weight: Cell<u64>,
    /// Slab size less 1.
    pub mask: Cell<u32>,
    /// ceil(2^32 / slot).
    pub inverse: Cell<u32>,
    /// Slabs of the class.
    pub slabs: Cell<u32>,
    /// Free slots in them: the sum of their `free`.
    pub free_slots: Cell<u32>,
    /// Slabs with free slots, first to be used first.
    pub head: Cell<Option<&'static Slab>>,
    /// The last of them.
    pub tail: Cell<Option<&'static Slab>>,
}

impl Stack {
    /// A stack without room, in which nothing is found and nothing fits.
    pub const EMPTY: Stack = Stack {
        top: Cell::new(core::ptr::null()),
        floor: Cell::new(core::ptr::null()),
        limit: Cell::new(core::ptr::null()),
        weight: Cell::new(0),
        mask: Cell::new(0),
        inverse: Cell::new(0),
        slabs: Cell::new(0),
        free_slots: Cell::new(0),
        head: Cell::new(None),
        tail: Cell::new(None),
    };

    /// Readies the stack of `class` over its first room.
    pub fn open(&self, class: usize, room: &'static [Cell<usize>; FIRST]) {
        let kind = &CLASSES[class];
        self.lay(&room[..FIRST.min(kind.stack as usize)]);
        self.weight.set(kind.weight);
        self.mask.set(kind.mask);
        self.inverse.set(kind.inverse);
    }

    fn lay(&self, room: &'static [Cell<usize>]) {
        let room = room.as_ptr_range();
        self.top.set(room.start);
        self.floor.set(room.start);
        self.limit.set(room.end);
    }

    /// The newest block, taken off.
    #[inline(always)]
    pub fn pop(&self) -> Option<usize> {
        let top = self.top.get();
        if top == self.floor.get() {
            return None;
        }
        // SAFETY: floor < top <= limit, all within one room.
        let top = unsafe { top.sub(1) };
        self.top.set(top);
        // SAFETY: a place below top holds a block; the room is never unmapped while it is ours.
        Some(unsafe { &*top }.get())
    }

    /// Puts a block on top; false when there is no room.
    #[inline(always)]
    pub fn push(&self, block: usize) -> bool {
        let top = self.top.get();
        if top == self.limit.get() {
            return false;
        }
        // SAFETY: floor <= top < limit: a place of the room.
        unsafe { &*top }.set(block);
        // SAFETY: top < limit, so one further is at most limit.
        self.top.set(unsafe { top.add(1) });
        true
    }

    /// Whether `block` is the one on top: was freed last. May also say so of an empty stack, wrongly.
    #[inline(always)]
    pub fn is_newest(&self, block: usize) -> bool {
        // SAFETY: a room always has a word before it: the heap's counters, the pool's or the last room's bytes.
        let below = unsafe { self.top.get().sub(1) };
        // SAFETY: as above; the word may be anything.
        unsafe { below.cast::<usize>().read() == block }
    }

    /// The room: every place from `floor` to `limit`.
    fn room(&self) -> &'static [Cell<usize>] {
        let floor = self.floor.get();
        if floor.is_null() {
            return &[];
        }
        // SAFETY: floor <= limit within one room.
        let len = unsafe { self.limit.get().offset_from(floor) } as usize;
        // SAFETY: the room is len places, lives as long as the heap, and is only used through cells.
        unsafe { core::slice::from_raw_parts(floor, len) }
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        let floor = self.floor.get();
        if floor.is_null() {
            return 0;
        }
        // SAFETY: floor <= top within one room.
        unsafe { self.top.get().offset_from(floor) as usize }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The blocks, oldest first.
    pub fn blocks(&self) -> &'static [Cell<usize>] {
        &self.room()[..self.len()]
    }

    /// The free places.
    pub fn gap(&self) -> &'static [Cell<usize>] {
        &self.room()[self.len()..]
    }

    /// Makes the first `count` free places blocks: the caller has filled them.
    pub fn rise(&self, count: usize) {
        if let Some(place) = self.gap().get(count..) {
            self.top.set(place.as_ptr());
        }
    }

    /// Takes off the oldest `count` blocks after `see` has seen each.
    pub fn drain(&self, count: usize, mut see: impl FnMut(usize)) {
        let blocks = self.blocks();
        let count = count.min(blocks.len());
        for block in &blocks[..count] {
            see(block.get());
        }
        for (to, from) in blocks.iter().zip(&blocks[count..]) {
            to.set(from.get());
        }
        self.top.set(blocks[blocks.len() - count..].as_ptr());
    }

    /// Doubles the room, up to what the class may have. False when it has that, or memory is short.
    pub fn widen(&self, class: usize) -> bool {
        let old = self.room();
        let most = CLASSES[class].stack as usize;
        if old.len() >= most || old.is_empty() {
            return false;
        }
        let places = (old.len() * 2).min(most);
        let Some(at) = pool::take_bytes(places * size_of::<usize>()) else { return false };
        let at = at.cast::<Cell<usize>>();
        for i in 0..places {
            // SAFETY: i < places, the size of the new room.
            let place = unsafe { at.add(i) };
            // SAFETY: the place is ours and unused.
            unsafe { place.write(Cell::new(0)) };
        }
        // SAFETY: all places were just written; the room lives until it is widened again.
        let new = unsafe { core::slice::from_raw_parts(at.as_ptr(), places) };
        let count = self.len();
        for (to, from) in new.iter().zip(old) {
            to.set(from.get());
        }
        self.lay(new);
        self.rise(count);
        if old.len() > FIRST {
            let bytes = core::mem::size_of_val(old);
            // SAFETY: the old room came from the pool with this size and is no longer referred to.
            unsafe { pool::put(NonNull::from(&old[0]).cast(), bytes) };
        }
        true
    }

    /// Puts a slab with free slots into the list: in front, to be used next, or at the back.
    pub fn list(&self, slab: &'static Slab, front: bool) {
        slab.listed.set(true);
        let (next, prev) = if front { (self.head.get(), None) } else { (None, self.tail.get()) };
        slab.next.set(next);
        slab.prev.set(prev);
        match next {
            Some(n) => n.prev.set(Some(slab)),
            None => self.tail.set(Some(slab)),
        }
        match prev {
            Some(p) => p.next.set(Some(slab)),
            None => self.head.set(Some(slab)),
        }
    }

    /// Takes a slab out of the list.
    pub fn unlist(&self, slab: &'static Slab) {
        slab.listed.set(false);
        match slab.prev.get() {
            Some(p) => p.next.set(slab.next.get()),
            None => self.head.set(slab.next.get()),
        }
        match slab.next.get() {
            Some(n) => n.prev.set(slab.prev.get()),
            None => self.tail.set(slab.prev.get()),
        }
    }
}
