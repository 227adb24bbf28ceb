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
    /// Where the oldest block stands; null as long as the stack has no room.
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
    pub full_count: Cell<u16>,
    /// How many there may be.
    full_limit: Cell<u16>,
    /// The most blocks here, packets included.
    depth: Cell<u16>,
    /// Whether blocks went back to the slabs since some last came from them.
    pub overflowed: Cell<bool>,
    /// Whether this heap was ever asked for a block of the class that was not on the stack.
    asked: Cell<bool>,
}

/// The most bytes in blocks on a stack that only gets what the thread frees of other heaps.
const UNASKED: usize = 16 << 10;

impl Stack {
    /// Readies the stack of `class`; it has no room yet, so nothing is on it and nothing fits.
    pub fn open(&self, class: usize) {
        let kind = &CLASSES[class];
        self.weight.set(kind.weight);
        self.mask.set(kind.mask);
        self.inverse.set(kind.inverse);
        let depth = (UNASKED / kind.slot as usize).max(4).min(kind.stack as usize);
        self.deepen(class, depth);
    }

    /// Whether it has no room yet.
    #[inline]
    pub fn is_bare(&self) -> bool {
        self.floor.get().is_null()
    }

    /// Gives a stack without room its room, for good: so a signal handler that comes in between any two instructions finds
    /// it either without, where the fast paths do nothing, or whole.
    pub fn furnish(&self, class: usize, room: &'static [Cell<usize>]) {
        self.top.set(room.as_ptr());
        self.floor.set(room.as_ptr());
        self.deepen(class, self.depth());
    }

    /// Notes that the heap is asked for blocks of the class: from then on the stack is as deep as its class has it.
    #[inline]
    pub fn ask(&self, class: usize) {
        if !self.asked.replace(true) {
            self.deepen(class, CLASSES[class].stack as usize);
        }
    }

    /// The most blocks here, packets included.
    pub fn depth(&self) -> usize {
        self.depth.get() as usize
    }

    /// Sets the depth. What would be too much then is not here any more.
    pub fn deepen(&self, class: usize, depth: usize) {
        let room = room_of(class);
        self.depth.set(depth as u16);
        self.full_limit.set(depth.saturating_sub(room).div_ceil(MOVED) as u16);
        if !self.is_bare() {
            // SAFETY: the stack's room has that many places.
            self.limit.set(unsafe { self.floor.get().add(depth.min(room)) });
        }
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
        let place = self.place();
        if let Some(place) = place {
            self.push_at(place, block);
        }
        place.is_some()
    }

    /// As [`crate::class::Class::slot_at`].
    #[inline(always)]
    pub fn slot_at(&self, address: usize) -> Option<usize> {
        let product = self.product(address);
        if product as u32 >= self.inverse.get() {
            return None;
        }
        Some((product >> 32) as usize - 1)
    }

    /// The same for an address that is a slot's.
    #[inline(always)]
    pub fn slot_of(&self, block: usize) -> usize {
        (self.product(block) >> 32) as usize - 1
    }

    /// Whether a slot starts at `address`. Lemire's question without its answer: with d the distance to the slab's end, d *
    /// inverse is below inverse exactly where (d - 1) * inverse + inverse runs over.
    #[inline(always)]
    pub fn starts_slot(&self, address: usize) -> bool {
        let inverse = self.inverse.get();
        (!(address as u32) & self.mask.get()).wrapping_mul(inverse).overflowing_add(inverse).1
    }

    #[inline(always)]
    fn product(&self, address: usize) -> u64 {
        u64::from((!(address as u32) & self.mask.get()) + 1) * u64::from(self.inverse.get())
    }

    /// The place of the next block, if there is room.
    #[inline(always)]
    pub fn place(&self) -> Option<&'static Cell<usize>> {
        let top = self.top.get();
        // SAFETY: floor <= top < limit: a place of the room, which lives as long as the heap.
        (top < self.limit.get()).then(|| unsafe { &*top })
    }

    /// Puts a block on top, at a place that [`Stack::place`] gave just now.
    #[inline(always)]
    pub fn push_at(&self, place: &'static Cell<usize>, block: usize) {
        place.set(block);
        self.top.set(core::ptr::from_ref(place).wrapping_add(1));
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
        places(self.floor.get(), self.len())
    }

    /// Whether `block` is here. O(held).
    pub fn holds(&self, block: usize) -> bool {
        let packets = core::iter::successors(self.full.get(), |packet| packet.next());
        self.blocks().iter().chain(packets.flat_map(|p| p.blocks())).any(|b| b.get() == block)
    }

    /// The free places.
    pub fn gap(&self) -> &'static [Cell<usize>] {
        let (top, limit) = (self.top.get(), self.limit.get());
        // A signal handler may have left top above a lowered limit.
        if top >= limit {
            return &[];
        }
        // SAFETY: top < limit within one room.
        places(top, unsafe { limit.offset_from(top) as usize })
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
        packet::copy(&blocks[count..], blocks);
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

    /// Whether the stack itself is empty and a packet stands behind it.
    pub fn is_behind(&self) -> bool {
        self.is_empty() && self.full.get().is_some()
    }

    /// Whether one more full packet may stand behind the stack.
    fn has_place_behind(&self) -> bool {
        self.full_count.get() < self.full_limit.get()
    }

    /// Whether there is a full packet's worth of blocks, and a place behind the stack for it.
    pub fn takes_packet(&self) -> bool {
        self.has_place_behind() && self.len() >= MOVED
    }

    /// Moves the oldest blocks into `packet`, which is empty, and puts it behind the stack.
    pub fn stow(&self, packet: &'static Packet) {
        packet.fill(&self.blocks()[..MOVED]);
        self.drain(MOVED, |_| {});
        self.put_behind(packet);
    }

    /// Puts a full packet of blocks of this class behind the stack as it is; false where there may be no more.
    pub fn stow_whole(&self, packet: &'static Packet) -> bool {
        let fits = self.has_place_behind() && packet.len() == MOVED;
        if fits {
            self.put_behind(packet);
        }
        fits
    }

    fn put_behind(&self, packet: &'static Packet) {
        packet.link(self.full.get());
        self.full.set(Some(packet));
        self.full_count.set(self.full_count.get() + 1);
    }

    /// Takes the newest packet from behind the stack.
    pub fn take_packet(&self) -> Option<&'static Packet> {
        let packet = self.full.get()?;
        self.full.set(packet.next());
        self.full_count.set(self.full_count.get() - 1);
        Some(packet)
    }

    /// Moves the newest packet's blocks onto the empty stack; returns the empty packet.
    pub fn unstow(&self) -> Option<&'static Packet> {
        let packet = self.take_packet()?;
        let gap = self.gap();
        let count = packet::copy(packet.blocks(), gap);
        self.rise(gap, count);
        packet.clear();
        Some(packet)
    }
}

fn places(first: *const Cell<usize>, len: usize) -> &'static [Cell<usize>] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the callers' places lie in one room, which lives as long as the heap and is only used through cells.
    unsafe { core::slice::from_raw_parts(first, len) }
}

/// Places of the room of a class: fewer for large blocks.
pub const fn room_of(class: usize) -> usize {
    let most = TABLE[class].deepest as usize;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slot_starts_start_a_slot() {
        for (class, kind) in CLASSES.iter().enumerate().take(COUNT + 1).skip(1) {
            // SAFETY: a stack is numbers and cells of pointers and None; zero is valid for all of them.
            let stack: Stack = unsafe { core::mem::zeroed() };
            let size = kind.mask as usize + 1;
            assert!(
                !(0..size).any(|offset| stack.starts_slot(7 * size + offset)),
                "one that was never opened"
            );
            stack.open(class);
            for address in 7 * size..8 * size {
                assert_eq!(
                    stack.starts_slot(address),
                    kind.slot_at(address).is_some(),
                    "{class} at {address}"
                );
            }
        }
    }
}
