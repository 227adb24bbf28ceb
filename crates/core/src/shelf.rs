//! A shelf: the slabs of one class of one heap, and the list of those with free slots.
//!
//! The list is in the order in which slabs got free slots, so what becomes free late is used late and has time to
//! become empty. Only the owning thread touches it.

use core::cell::Cell;

use crate::slab::Slab;

/// See the module.
pub struct Shelf {
    /// Slabs with free slots, first to be used first.
    head: Cell<Option<&'static Slab>>,
    tail: Cell<Option<&'static Slab>>,
    /// Slabs of the class.
    slabs: Cell<u32>,
    /// Free slots in them: the sum of their `known`.
    free_slots: Cell<u32>,
}

impl Shelf {
    /// The slab to take from next.
    pub fn first(&self) -> Option<&'static Slab> {
        self.head.get()
    }

    /// Slabs of the class.
    pub fn slabs(&self) -> u32 {
        self.slabs.get()
    }

    /// Free slots in them.
    pub fn free_slots(&self) -> u32 {
        self.free_slots.get()
    }

    /// Adds a slab of free slots, to be used next.
    pub fn add(&self, slab: &'static Slab) {
        self.slabs.set(self.slabs.get() + 1);
        self.free_slots.set(self.free_slots.get() + slab.free.get());
        slab.known.set(slab.free.get());
        self.list(slab, true);
    }

    /// Takes a slab away.
    pub fn remove(&self, slab: &'static Slab) {
        if slab.listed.get() {
            self.unlist(slab);
        }
        self.slabs.set(self.slabs.get() - 1);
        self.free_slots.set(self.free_slots.get() - slab.known.get());
    }

    /// After slots of `slab` were taken or given back: keeps the sum and the list.
    pub fn note(&self, slab: &'static Slab) {
        let free = slab.free.get();
        self.free_slots.set(self.free_slots.get() + free - slab.known.replace(free));
        match (free > 0, slab.listed.get()) {
            (true, false) => self.list(slab, false),
            (false, true) => self.unlist(slab),
            _ => {}
        }
    }

    /// Moves a listed slab to the back of the list.
    pub fn postpone(&self, slab: &'static Slab) {
        if slab.listed.get() {
            self.unlist(slab);
            self.list(slab, false);
        }
    }

    fn list(&self, slab: &'static Slab, front: bool) {
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

    fn unlist(&self, slab: &'static Slab) {
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
