//! A stack of free blocks of one class: the short LIFO in front of a heap's slabs.
//!
//! An array of addresses, not a list through the blocks: malloc and free do not touch a block's memory for the
//! list's sake, and a program that writes past a block or after free cannot bend it. The array never moves: a signal
//! handler may come in between any two instructions of the fast path and use the stack itself. Then a block may be
//! on it twice, or in use and on it, or be lost; it is never given out twice, since malloc claims the mark of a
//! free block (see `block`). What does not fit stands in full packets behind the stack (Bonwick's
//! magazines, 2001), and what is more than a few of those goes back to the slabs.

use core::cell::Cell;

use crate::class::{CLASSES, COUNT, TABLE};
use crate::os::PAGE;
use crate::packet::{self, Packet};

/// The most blocks on a stack.
pub const ROOM: usize = 96;
/// Blocks that move between a stack and a packet at once.
pub const MOVED: usize = packet::ROOM;

/// One class of one heap, one cache line.
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
    /// Full packets behind the stack, newest first.
    full: Cell<Option<&'static Packet>>,
    /// How many.
    pub full_count: Cell<u32>,
    /// How many there may be.
    full_limit: Cell<u32>,
}

impl Stack {
    /// Readies the stack of `class` over its room.
    pub fn open(&self, class: usize, room: &'static [Cell<usize>]) {
        let kind = &CLASSES[class];
        let room = room[..room.len().min(kind.stack as usize)].as_ptr_range();
        self.top.set(room.start);
        self.floor.set(room.start);
        self.limit.set(room.end);
        self.weight.set(kind.weight);
        self.mask.set(kind.mask);
        self.inverse.set(kind.inverse);
        self.full_limit.set((kind.stack as usize).saturating_sub(ROOM).div_ceil(MOVED) as u32);
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
        // SAFETY: a place below top holds a block; the room is never unmapped.
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

    /// Whether one more block fits.
    #[inline(always)]
    pub fn has_room(&self) -> bool {
        self.top.get() != self.limit.get()
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

    /// How many blocks there are on the stack itself.
    pub fn len(&self) -> usize {
        let floor = self.floor.get();
        if floor.is_null() {
            return 0;
        }
        // SAFETY: floor <= top within one room.
        unsafe { self.top.get().offset_from(floor) as usize }
    }

    /// Whether the stack itself is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Blocks on the stack and in the packets behind it.
    pub fn held(&self) -> usize {
        self.len() + self.full_count.get() as usize * MOVED
    }

    /// The blocks on the stack itself, oldest first.
    pub fn blocks(&self) -> &'static [Cell<usize>] {
        &self.room()[..self.len()]
    }

    /// Whether `block` is here. O(held).
    pub fn holds(&self, block: usize) -> bool {
        let packets = core::iter::successors(self.full.get(), |packet| packet.next());
        self.blocks().iter().chain(packets.flat_map(|p| p.blocks())).any(|b| b.get() == block)
    }

    /// The free places.
    pub fn gap(&self) -> &'static [Cell<usize>] {
        &self.room()[self.len()..]
    }

    /// Makes the first `count` places of `gap` blocks: the caller has filled them.
    pub fn rise(&self, gap: &'static [Cell<usize>], count: usize) {
        self.top.set(gap[..count].as_ptr_range().end);
    }

    /// Takes off the oldest `count` blocks after `see` has seen each.
    pub fn drain(&self, count: usize, mut see: impl FnMut(usize)) {
        let blocks = self.blocks();
        let count = count.min(blocks.len());
        if count == 0 {
            return;
        }
        for block in &blocks[..count] {
            see(block.get());
        }
        for (to, from) in blocks.iter().zip(&blocks[count..]) {
            to.set(from.get());
        }
        self.top.set(blocks[blocks.len() - count..].as_ptr());
    }

    /// Lets `keep` see the oldest `count` blocks, oldest first, and takes off those that it refuses. Returns how many.
    pub fn sift(&self, count: usize, mut keep: impl FnMut(usize) -> bool) -> usize {
        let blocks = self.blocks();
        let mut kept = 0;
        for (i, block) in blocks.iter().enumerate() {
            if i >= count || keep(block.get()) {
                blocks[kept].set(block.get());
                kept += 1;
            }
        }
        self.top.set(blocks[kept..].as_ptr());
        blocks.len() - kept
    }

    /// Whether one more full packet may stand behind the stack.
    pub fn takes_packet(&self) -> bool {
        self.full_count.get() < self.full_limit.get() && self.len() >= MOVED
    }

    /// Moves the oldest blocks into `packet`, which is empty, and puts it behind the stack.
    pub fn stow(&self, packet: &'static Packet) {
        packet.fill(&self.blocks()[..MOVED]);
        self.drain(MOVED, |_| {});
        packet.link(self.full.get());
        self.full.set(Some(packet));
        self.full_count.set(self.full_count.get() + 1);
    }

    /// Moves the newest packet's blocks onto the empty stack; returns the empty packet.
    pub fn unstow(&self) -> Option<&'static Packet> {
        let packet = self.full.get()?;
        self.full.set(packet.next());
        self.full_count.set(self.full_count.get() - 1);
        let gap = self.gap();
        let mut count = 0;
        for (place, block) in gap.iter().zip(packet.blocks()) {
            place.set(block.get());
            count += 1;
        }
        self.rise(gap, count);
        packet.clear();
        Some(packet)
    }
}

/// Places of the room of a class: fewer for large blocks.
pub const fn room_of(class: usize) -> usize {
    let most = TABLE[class].stack as usize;
    if most < ROOM { most } else { ROOM }
}

/// Places of all rooms.
pub const ROOMS: usize = {
    let (mut sum, mut class) = (0, 1);
    while class <= COUNT {
        sum += room_of(class);
        class += 1;
    }
    sum
};

/// The class of the stack that a page map key names: stacks fill a heap's first page, by class.
#[inline(always)]
pub const fn class_of(key: usize) -> usize {
    key % PAGE / size_of::<Stack>()
}
