//! The index: from a segment's start to its node in one look, so that mems_free need not walk the tree.
//!
//! A hash table with linear probing. An entry is eight bytes, the whole 32-bit hash and the node: a probe reads no
//! node, and growing reads no node either. Entries stand in the order of their hash, so growing copies one
//! sequential run into another. It may be incomplete (when the kernel refuses it room) but is never stale: what
//! is not found here, the tree finds.

use core::ptr::NonNull;

use mems_chain::NodeId;

use crate::os::PAGE;
use crate::vspace::mapped;
use crate::vspace::space::soon;

const SLOT: usize = size_of::<u64>();

/// Owned by the address space, under its lock.
pub struct Index {
    /// `capacity` slots; 0: empty, else hash << 32 | node. Dangling while `capacity` is 0.
    slots: NonNull<u64>,
    capacity: usize,
    len: usize,
    /// `len` at which it grows: 5/8 of the capacity, or 7/8 after the kernel refused.
    limit: usize,
}

// SAFETY: the slots are reached only through the Index, which has one owner at a time.
unsafe impl Send for Index {}

impl Index {
    /// An empty index.
    pub const fn new() -> Self {
        Index { slots: NonNull::dangling(), capacity: 0, len: 0, limit: 0 }
    }

    /// Fibonacci hashing: neighbouring starts come to lie far apart.
    #[inline(always)]
    fn hash(start: u64) -> u32 {
        (start.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
    }

    /// The slot that `hash` prefers: monotonic in the hash.
    #[inline(always)]
    fn home(&self, hash: u32) -> usize {
        ((hash as u64 * self.capacity as u64) >> 32) as usize
    }

    #[inline(always)]
    fn read(&self, slot: usize) -> u64 {
        debug_assert!(slot < self.capacity);
        let at = self.slots.as_ptr().wrapping_add(slot);
        // SAFETY: every caller keeps slot < capacity, and that many slots are mapped.
        unsafe { at.read() }
    }

    #[inline(always)]
    fn write(&mut self, slot: usize, entry: u64) {
        debug_assert!(slot < self.capacity);
        let at = self.slots.as_ptr().wrapping_add(slot);
        // SAFETY: every caller keeps slot < capacity, and that many slots are mapped.
        unsafe { at.write(entry) }
    }

    #[inline(always)]
    fn behind(&self, slot: usize) -> usize {
        if slot + 1 == self.capacity { 0 } else { slot + 1 }
    }

    /// A hint: `start` is inserted soon.
    #[inline(always)]
    pub fn soon(&self, start: u64) {
        soon(self.slots.as_ptr().wrapping_add(self.home(Self::hash(start))));
    }

    /// Notes that the PROCESS segment `node` starts at `start`. Best effort. O(1), amortised.
    #[inline]
    pub fn insert(&mut self, start: u64, node: NodeId) {
        if self.len >= self.limit && !self.grow() {
            return;
        }
        let hash = Self::hash(start);
        self.place((hash as u64) << 32 | node.raw() as u64);
        self.len += 1;
    }

    fn place(&mut self, entry: u64) {
        let mut slot = self.home((entry >> 32) as u32);
        while self.read(slot) != 0 {
            slot = self.behind(slot);
        }
        self.write(slot, entry);
    }

    /// The node noted for `start`, with what `is` says of it (None: it is another one with the same hash), and its
    /// slot. O(1).
    #[inline]
    pub fn find<S>(&self, start: u64, is: impl Fn(NodeId) -> Option<S>) -> Option<(NodeId, S, usize)> {
        if self.capacity == 0 {
            return None;
        }
        let hash = Self::hash(start);
        let mut slot = self.home(hash);
        loop {
            let entry = self.read(slot);
            if entry == 0 {
                return None;
            }
            if (entry >> 32) as u32 == hash
                && let Some(node) = NodeId::from_raw(entry as u32)
                && let Some(segment) = is(node)
            {
                return Some((node, segment, slot));
            }
            slot = self.behind(slot);
        }
    }

    /// Removes the entry at `slot`; those behind it that prefer to lie further in front move up.
    #[inline]
    pub fn remove(&mut self, mut slot: usize) {
        let mut at = slot;
        loop {
            at = self.behind(at);
            let entry = self.read(at);
            if entry == 0 {
                break;
            }
            let home = self.home((entry >> 32) as u32);
            // May the entry at `at` stand in `slot`? Yes unless its home lies cyclically in (slot, at].
            let between = if slot <= at { slot < home && home <= at } else { slot < home || home <= at };
            if !between {
                self.write(slot, entry);
                slot = at;
            }
        }
        self.write(slot, 0);
        self.len -= 1;
    }

    /// Makes room for at least one more; false when there is none. Half as large again, for 12.8 to 19.2 bytes an
    /// entry: probes stay short.
    #[cold]
    fn grow(&mut self) -> bool {
        let bytes = self.capacity * SLOT;
        let mut more = (bytes / 2).next_multiple_of(PAGE).max(PAGE);
        // An entry's hash has 32 bits, and so has a node's name: more slots would be of no use.
        let enough = self.capacity >= 1 << 32;
        let slots = loop {
            let got = if enough { None } else { mapped::bookkeeping(bytes + more) };
            match got {
                Some(slots) => break slots,
                None if more > PAGE && !enough => more = PAGE,
                None => {
                    self.limit = self.capacity / 8 * 7;
                    return self.len < self.limit;
                }
            }
        };
        let old = core::mem::replace(self, Index::new());
        self.slots = slots.cast();
        self.capacity = (bytes + more) / SLOT;
        self.limit = self.capacity / 8 * 5;
        self.len = old.len;
        for slot in 0..old.capacity {
            let entry = old.read(slot);
            if entry != 0 {
                self.place(entry);
            }
        }
        old.unmap();
        true
    }

    /// Forgets everything and gives the memory back.
    pub fn release(&mut self) {
        core::mem::replace(self, Index::new()).unmap();
    }

    fn unmap(self) {
        if self.capacity != 0 {
            // SAFETY: `grow` mapped exactly this, and the Index that owned it ends here.
            unsafe { mapped::release_bookkeeping(self.slots.cast(), self.capacity * SLOT) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Node i is noted for the start 8 i, so that the index can be asked what it must know.
    fn node(i: u32) -> NodeId {
        NodeId::new(i).unwrap()
    }

    fn find(index: &Index, i: u32) -> Option<usize> {
        index.find(8 * i as u64, |n| (n == node(i)).then_some(())).map(|(_, _, slot)| slot)
    }

    #[test]
    fn what_was_noted_is_found_until_it_is_removed() {
        let mut index = Index::new();
        let mut live = [false; 4096];
        let mut seed = 7u32;
        for _ in 0..60_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let i = seed >> 20;
            match find(&index, i) {
                Some(slot) => {
                    assert!(live[i as usize]);
                    index.remove(slot);
                }
                None => {
                    assert!(!live[i as usize]);
                    index.insert(8 * i as u64, node(i));
                }
            }
            live[i as usize] ^= true;
        }
        for i in 0..4096 {
            assert_eq!(find(&index, i).is_some(), live[i as usize]);
        }
        assert_eq!(index.len, live.iter().filter(|l| **l).count());
        index.release();
    }
}
