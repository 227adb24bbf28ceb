//! The way back: blocks from a heap's stacks to their slabs, empty slabs to the engine, and how deep stacks are.
//!
//! Only the heap's thread comes here, or whoever visits a heap without one.

use core::cell::Cell;
use core::sync::atomic::Ordering::Relaxed;

use super::{Heap, SPARES, owner_of, spare_row};
use crate::class::{CLASSES, COUNT, LIMIT};
use crate::loans::Place;
use crate::slab::{self, Slab};
use crate::{block, engine, hard, large, mode, pagemap, remote};

/// The least and the most bytes by which a heap's stacks may be deeper than at first.
const DEEPER: [usize; 2] = [256 << 10, 4 << 20];

/// Blocks of one class on their way into their slabs. Neighbours in a stack are often neighbours in memory, so a
/// slab is looked up once a run.
struct Run {
    heap: &'static Heap,
    class: usize,
    slab: Option<&'static Slab>,
}

impl Run {
    #[inline]
    fn give(&mut self, block: usize) {
        let mask = CLASSES[self.class].mask as usize;
        let slab = match self.slab.filter(|slab| slab.base.get() == block & !mask) {
            Some(slab) => slab,
            None => {
                self.end();
                match self.heap.own_slab_of(self.class, block) {
                    Some(slab) => *self.slab.insert(slab),
                    None => return self.heap.restore(block),
                }
            }
        };
        self.heap.give_to(slab, block);
    }

    fn end(&mut self) {
        if let Some(slab) = self.slab.take() {
            self.heap.regain(self.class, slab);
        }
    }
}

impl Heap {
    fn run(&'static self, class: usize) -> Run {
        Run { heap: self, class, slab: None }
    }

    /// Asks for the lines that giving `blocks` back will read, all at once: one after the other they would be waited for.
    /// Not for a block behind one of the same slab, whose lines are on their way.
    fn fetch(&self, class: usize, blocks: &[Cell<usize>]) {
        let mask = CLASSES[class].mask as usize;
        let mut last = 0;
        for block in blocks.iter().map(Cell::get) {
            if (block ^ last) & !mask == 0 {
                continue;
            }
            last = block;
            block::fetch(block);
            if let Some(slab) = self.own_slab(block) {
                slab.fetch(self.stacks[class].slot_of(block));
            }
        }
    }

    /// Moves the oldest `count` blocks of a stack back into their slabs.
    pub fn flush(&'static self, class: usize, count: usize) {
        self.credit_stack(class);
        let mut run = self.run(class);
        let blocks = self.stacks[class].blocks();
        self.fetch(class, &blocks[..count.min(blocks.len())]);
        self.stacks[class].drain(count, |block| run.give(block));
        run.end();
    }

    /// Moves the blocks of a stack's newest packet back into their slabs; false when there is none.
    fn flush_packet(&'static self, class: usize) -> bool {
        let Some(packet) = self.stacks[class].take_packet() else { return false };
        let mut run = self.run(class);
        self.fetch(class, packet.blocks());
        for block in packet.blocks() {
            run.give(block.get());
        }
        run.end();
        packet.clear();
        remote::keep_packet(self, packet);
        true
    }

    /// Lets the stack of `class`, whose blocks went to the slabs and now come back, hold twice as many. What stacks
    /// hold more than at first is bounded by what was ever live here; where that is not enough, another
    /// stack gives its part up, one a call, in turn.
    #[cold]
    pub(super) fn deepen(&'static self, class: usize) {
        let (kind, stack) = (&CLASSES[class], &self.stacks[class]);
        let more = stack.depth().min(kind.deepest as usize - stack.depth());
        let bytes = more * kind.slot as usize;
        // Without counting there is no level; what is mapped stands in for it, so that both builds keep alike.
        let peak = match cfg!(feature = "uncounted") {
            false => self.counters.level.peak_units() as usize * 16,
            true => engine::MAPPED.load(Relaxed),
        };
        let most = peak.clamp(DEEPER[0], DEEPER[1]);
        if self.deepened.get() + bytes > most {
            let other = self.shoaled.get() % COUNT + 1;
            self.shoaled.set(other);
            if other != class {
                self.shoal(other);
            }
            return;
        }
        self.deepened.set(self.deepened.get() + bytes);
        stack.deepen(class, stack.depth() + more);
    }

    /// Makes the stack of `class` as shallow as it was at first.
    fn shoal(&'static self, class: usize) {
        let (kind, stack) = (&CLASSES[class], &self.stacks[class]);
        let first = kind.stack as usize;
        if stack.depth() <= first {
            return;
        }
        while stack.held() > first && self.flush_packet(class) {}
        self.flush(class, stack.len().saturating_sub(first));
        self.deepened.set(self.deepened.get() - (stack.depth() - first) * kind.slot as usize);
        stack.deepen(class, first);
    }

    /// The slab of `block` if this heap has it.
    #[inline]
    fn own_slab(&self, block: usize) -> Option<&'static Slab> {
        let entry = pagemap::entry(block)?;
        let key = entry.key.load(Relaxed);
        slab::of(entry, key).filter(|_| owner_of(key) == self.address())
    }

    /// The slab of `block` if this heap has it and it is of `class`; a lent block's is not.
    #[inline]
    fn own_slab_of(&self, class: usize, block: usize) -> Option<&'static Slab> {
        self.own_slab(block).filter(|slab| slab.class.get() as usize == class)
    }

    /// Gives a block back to its slab, whosever that is now.
    pub fn restore(&'static self, block: usize) {
        let Some(entry) = pagemap::entry(block) else { return };
        let key = entry.key.load(Relaxed);
        let Some(slab) = slab::of(entry, key) else { return };
        if owner_of(key) != self.address() {
            return remote::send(self, owner_of(key), block);
        }
        match slab.kind().slot_at(block).map(|number| (slab.come_home(number), number)) {
            Some((Place::Lent(class), number)) if block::is_marked(block, self.secret.get()) => {
                slab.take_back(class, number, self.secret.get());
            }
            Some((Place::Own, _)) => self.give_to(slab, block),
            _ => return block::unmarked(block),
        }
        self.regain(slab.class.get() as usize % LIMIT, slab);
    }

    #[inline]
    fn give_to(&self, slab: &Slab, block: usize) {
        let free = block::is_marked(block, self.secret.get());
        if !free || !slab.kind().slot_at(block).is_some_and(|number| slab.put(number)) {
            block::unmarked(block);
        }
    }

    /// After slots of `slab` became free: parts with it when it is empty and not the last.
    fn regain(&'static self, class: usize, slab: &'static Slab) {
        let shelf = &self.shelves[class];
        shelf.note(slab);
        if slab.is_empty() && shelf.slabs() > 1 {
            shelf.remove(slab);
            self.keep_or_end(slab);
        }
    }

    fn keep_or_end(&'static self, slab: &'static Slab) {
        let row = spare_row(slab.pages());
        match self.spare[row][..SPARES[row]].iter().find(|place| place.get().is_none()) {
            Some(place) => place.set(Some(slab)),
            None => part_with(slab),
        }
    }

    /// Gives every free block and every empty slab back, to be called when the thread ends or on request.
    pub fn release(&'static self) {
        if mode::is_hardened() {
            return hard::release(self);
        }
        remote::collect(self);
        for class in 1..=COUNT {
            let (stack, shelf) = (&self.stacks[class], &self.shelves[class]);
            while self.flush_packet(class) {}
            self.flush(class, stack.len());
            self.shoal(class);
            while let Some(slab) = shelf.first().filter(|slab| slab.is_empty()) {
                shelf.remove(slab);
                part_with(slab);
            }
        }
        self.spare.iter().flatten().filter_map(core::cell::Cell::take).for_each(part_with);
        large::release(self);
        remote::post_all(self);
    }
}

/// Gives an empty slab, which is in no list any more, back to the engine.
fn part_with(slab: &'static Slab) {
    let (node, touched) = slab.end();
    engine::put(node, touched);
}
