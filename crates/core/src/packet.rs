//! A packet: blocks on their way back from the thread that freed them to the heap that owns their slabs.
//!
//! The freeing thread fills a packet for each owner and posts it whole, so that one atomic operation carries
//! many blocks (the idea of batching is snmalloc's; Liétar et al., 2019). Addresses stand in the packet, not in
//! the blocks. An inbox is a stack of packets that anyone pushes to and only its heap empties.

use core::cell::Cell;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::pool;

/// Blocks that a packet holds.
pub const ROOM: usize = 62;

/// Some blocks of one owner.
#[repr(C)]
pub struct Packet {
    next: Cell<*mut Packet>,
    len: Cell<u32>,
    /// The class of all its blocks; 0: they may be of several.
    class: Cell<u32>,
    blocks: [Cell<usize>; ROOM],
}

const _: () = assert!(size_of::<Packet>() == 512);

impl Packet {
    /// An empty packet; None when memory is short.
    pub fn make() -> Option<&'static Packet> {
        let at = pool::take::<Packet>()?;
        let empty = Packet {
            next: Cell::new(core::ptr::null_mut()),
            len: Cell::new(0),
            class: Cell::new(0),
            blocks: [const { Cell::new(0) }; ROOM],
        };
        // SAFETY: the pool gave room for a Packet.
        unsafe { at.write(empty) };
        // SAFETY: it was just written, and is given back only by end.
        Some(unsafe { at.as_ref() })
    }

    /// Gives the packet's memory back. The caller holds the only reference.
    pub fn end(&'static self) {
        // SAFETY: it came from the pool with this size, and the caller gives up the only reference.
        unsafe { pool::put(core::ptr::NonNull::from(self).cast(), size_of::<Packet>()) };
    }

    /// Adds a block; true when the packet is full with it.
    #[inline]
    pub fn add(&self, block: usize) -> bool {
        let len = self.len() + 1;
        self.blocks[(len - 1) % ROOM].set(block);
        self.len.set(len as u32);
        len >= ROOM
    }

    /// Makes `blocks` its content, all that fit.
    pub fn fill(&self, blocks: &[Cell<usize>]) {
        self.len.set(copy(blocks, &self.blocks) as u32);
    }

    /// How many blocks are in it.
    #[inline]
    pub fn len(&self) -> usize {
        self.len.get() as usize
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The class of all its blocks; 0: they may be of several.
    pub fn class(&self) -> usize {
        self.class.get() as usize
    }

    /// Says that all its blocks are of one class, until it is emptied.
    pub fn set_class(&self, class: usize) {
        self.class.set(class as u32);
    }

    /// The blocks in it.
    pub fn blocks(&'static self) -> &'static [Cell<usize>] {
        &self.blocks[..self.len().min(ROOM)]
    }

    /// The packet behind it in a list.
    pub fn next(&self) -> Option<&'static Packet> {
        // SAFETY: a linked packet is not given back before it is unlinked.
        unsafe { self.next.get().as_ref() }
    }

    /// Links it in front of a list.
    pub fn link(&self, list: Option<&'static Packet>) {
        self.next.set(list.map_or(core::ptr::null_mut(), |p| core::ptr::from_ref(p).cast_mut()));
    }

    /// Empties it.
    pub fn clear(&self) {
        self.len.set(0);
        self.class.set(0);
    }
}

/// Copies blocks, as many as there are and have room, to places that may overlap theirs; returns how many.
pub fn copy(from: &[Cell<usize>], to: &[Cell<usize>]) -> usize {
    let count = from.len().min(to.len());
    // SAFETY: both are at least that long; cells may be written to through shared references by their only thread.
    unsafe { core::ptr::copy(from.as_ptr(), to.as_ptr().cast_mut(), count) };
    count
}

/// Packets posted to one heap.
pub struct Inbox(AtomicPtr<Packet>);

impl Inbox {
    /// An inbox without packets.
    pub const fn new() -> Self {
        Inbox(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// Whether nothing was posted. One load.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.0.load(Ordering::Relaxed).is_null()
    }

    /// Posts a packet; it is the inbox's from now on. Lock-free.
    pub fn post(&self, packet: &'static Packet) {
        let raw: *const Packet = packet;
        let mut head = self.0.load(Ordering::Relaxed);
        loop {
            packet.next.set(head);
            match self.0.compare_exchange_weak(head, raw as *mut Packet, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes every packet and hands each to `see`, whose it is then. One atomic operation.
    pub fn empty(&self, mut see: impl FnMut(&'static Packet)) {
        let mut at = self.0.swap(core::ptr::null_mut(), Ordering::Acquire);
        // SAFETY: a posted packet is valid and now only ours.
        while let Some(packet) = unsafe { at.as_ref() } {
            at = packet.next.get();
            see(packet);
        }
    }
}

impl Default for Inbox {
    fn default() -> Self {
        Self::new()
    }
}
