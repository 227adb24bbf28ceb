//! Loans: blocks of other classes in the holes of a sparse slab.
//!
//! A run of free slots of one slab can be lent to a larger class (or one a little smaller): the seed's split, one level down. When such a block is
//! freed and leaves its stack, the slots are the slab's own again: the seed's join. So memory that one size left
//! scattered serves the next size, where a size-class allocator would map more. Only slow paths look for runs, and
//! only where slabs are sparse. The pages that a loan touches get the page map key of a stack that is never opened: free
//! finds no slot start there and takes the slow path, so blocks elsewhere pay nothing. One table a lending slab, owned
//! by the slab, used by its heap's thread.

use core::cell::Cell;
use core::ptr::NonNull;

use crate::class::{CLASSES, LIMIT};
use crate::os::PAGE;
use crate::slab::Slab;
use crate::stack::Stack;
use crate::{block, pagemap, pool};

/// The class whose stack stays closed; its address is the key of lending pages.
pub const CLOSED: usize = LIMIT - 1;
/// Most pages of a slab.
const PAGES: usize = 16;
/// A slot inside a lent block, not its first.
const COVERED: u8 = u8::MAX;

/// The loans of one slab; behind it one byte a slot: the class of the block that starts there, COVERED, or 0.
#[repr(C)]
pub struct Loans {
    /// Blocks lent, and slots watched.
    count: Cell<u32>,
    /// How many of them touch each page.
    pages: [Cell<u16>; PAGES],
}

/// What a slot of a lending slab is.
pub enum Place {
    /// One of the slab's own.
    Own,
    /// The first of a block of this class.
    Lent(usize),
    /// Inside a block of this class whose first slot has this number.
    Covered(usize, usize),
}

impl Loans {
    fn make(slots: usize) -> Option<&'static Loans> {
        let at = pool::take_bytes(bytes(slots))?;
        // SAFETY: the pool gave this many bytes.
        unsafe { at.write_bytes(0, bytes(slots)) };
        // SAFETY: zero bytes are valid Loans, and they live until `end`.
        Some(unsafe { at.cast::<Loans>().as_ref() })
    }

    fn end(&'static self, slots: usize) {
        // SAFETY: made with this size; the slab lets go of it.
        unsafe { pool::put(NonNull::from(self).cast(), bytes(slots)) };
    }

    fn class(&self, number: usize) -> &Cell<u8> {
        let table = core::ptr::from_ref(self).wrapping_add(1).cast::<Cell<u8>>();
        // SAFETY: number is below the slab's slots, for which the table was made.
        unsafe { &*table.wrapping_add(number) }
    }
}

const fn bytes(slots: usize) -> usize {
    size_of::<Loans>() + slots
}

/// Slots of a slab that a block of `class` takes there.
fn run_of(slab: &Slab, class: usize) -> usize {
    CLASSES[class % LIMIT].slot.div_ceil(slab.kind().slot) as usize
}

impl Slab {
    /// What slot `number` is.
    pub fn place(&self, number: usize) -> Place {
        let Some(loans) = self.loans.get() else { return Place::Own };
        match loans.class(number).get() {
            0 => Place::Own,
            COVERED => {
                let slots = self.kind().slots as usize;
                let first = (number..slots).find(|&k| loans.class(k).get() != COVERED).unwrap_or(number);
                Place::Covered(loans.class(first).get() as usize % LIMIT, first)
            }
            class => Place::Lent(class as usize % LIMIT),
        }
    }

    /// Address of slot `number`.
    pub fn address_of(&self, number: usize) -> usize {
        let kind = self.kind();
        self.base.get() + kind.mask as usize + 1 - (number + 1) * kind.slot as usize
    }

    /// Lends runs of free slots that were in use before to `class`, as many as `out` has room for. Returns how many.
    /// O(slots).
    pub fn lend(&'static self, class: usize, out: &[Cell<usize>], secret: usize) -> usize {
        let run = run_of(self, class);
        let (mut count, mut free) = (0, 0);
        let mut number = self.kind().slots as usize;
        while number > self.fresh.get() as usize && count < out.len() {
            number -= 1;
            free = if self.is_free(number) { free + 1 } else { 0 };
            if free == run {
                if !self.lend_run(class, number, run) {
                    break;
                }
                let block = self.address_of(number + run - 1);
                block::mark(block, secret);
                out[count].set(block);
                (count, free) = (count + 1, 0);
            }
        }
        count
    }

    fn lend_run(&'static self, class: usize, low: usize, run: usize) -> bool {
        let Some(loans) = self.loans_made() else { return false };
        for number in low..low + run {
            self.take_slot(number);
            loans.class(number).set(COVERED);
        }
        loans.class(low + run - 1).set(class as u8);
        loans.count.set(loans.count.get() + 1);
        self.touch(loans, low, run, true);
        true
    }

    /// Counts slot `number` as one whose free is to take the slow path, until [`Slab::unwatch`]: so its pages get the key that
    /// lending pages have. False when memory is short.
    pub fn watch(&'static self, number: usize) -> bool {
        let Some(loans) = self.loans_made() else { return false };
        loans.count.set(loans.count.get() + 1);
        self.touch(loans, number, 1, true);
        true
    }

    /// The end of what [`Slab::watch`] began.
    pub fn unwatch(&'static self, number: usize) {
        if let Some(loans) = self.loans.get() {
            self.touch(loans, number, 1, false);
            self.drop_one(loans);
        }
    }

    /// What slot `number` is, whose block comes back from another thread: if it was watched, it is no longer.
    pub fn come_home(&'static self, number: usize) -> Place {
        if self.marks.was_left(number, self.kind().slots as usize) {
            self.unwatch(number);
        }
        self.place(number)
    }

    /// The table, made when it is first needed.
    fn loans_made(&self) -> Option<&'static Loans> {
        if self.loans.get().is_none() {
            self.loans.set(Loans::make(self.kind().slots as usize));
        }
        self.loans.get()
    }

    /// One loan less; the table goes with the last.
    fn drop_one(&self, loans: &'static Loans) {
        loans.count.set(loans.count.get() - 1);
        if loans.count.get() == 0 {
            self.loans.set(None);
            loans.end(self.kind().slots as usize);
        }
    }

    /// Takes a lent block back: its slots are the slab's own again, free, with their marks.
    pub fn take_back(&'static self, class: usize, first: usize, secret: usize) {
        let Some(loans) = self.loans.get() else { return };
        let run = run_of(self, class);
        let low = first + 1 - run;
        for number in low..=first {
            loans.class(number).set(0);
            block::mark(self.address_of(number), secret);
            self.put(number);
        }
        self.touch(loans, low, run, false);
        self.drop_one(loans);
    }

    /// Counts a loan on the pages it touches, and sets their keys where it is the first or was the last.
    fn touch(&'static self, loans: &Loans, low: usize, run: usize, begins: bool) {
        let start = self.address_of(low + run - 1);
        let end = start + run * self.kind().slot as usize;
        for page in (start - self.base.get()) / PAGE..=(end - 1 - self.base.get()) / PAGE {
            let count = &loans.pages[page % PAGES];
            let before = count.get();
            count.set(if begins { before + 1 } else { before - 1 });
            let class = match (before, begins) {
                (0, true) => CLOSED,
                (1, false) => self.class.get() as usize,
                _ => continue,
            };
            let key = self.owner.get() + class * size_of::<Stack>();
            let meta: *const Slab = self;
            pagemap::set(self.base.get() + page * PAGE, 1, key, meta as *mut u8);
        }
    }
}
