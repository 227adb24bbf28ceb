//! A slab: a PROCESS segment cut into equal slots, and one bit a slot that says which are free.
//!
//! Out of line: nothing of this lies in the slab's own pages. Only the owning heap's thread touches a slab; the
//! page map leads to it from any address. Slots are numbered from the slab's end (see `class`) and handed out in
//! address order, so fresh pages are touched one after the other and old ones stay dense.

use core::cell::Cell;

use mems_chain::NodeId;

use crate::class::{CLASSES, Class, SLOTS_MAX};
use crate::engine::Span;
use crate::loans::Loans;
use crate::marks::Marks;
use crate::os::PAGE;
use crate::{block, pagemap, pool};

/// The bookkeeping of one slab.
#[repr(C, align(64))]
pub struct Slab {
    /// Address of its first byte.
    pub base: Cell<usize>,
    /// The next slab with free slots, of the same heap and class.
    pub next: Cell<Option<&'static Slab>>,
    /// The one before.
    pub prev: Cell<Option<&'static Slab>>,
    /// Its PROCESS segment.
    pub node: Cell<NodeId>,
    /// Its size class.
    pub class: Cell<u8>,
    /// Whether it stands in its heap's list of slabs with free slots.
    pub listed: Cell<bool>,
    /// Free slots: ones in `bits`.
    pub free: Cell<u32>,
    /// `free` as the heap's sums know it.
    pub known: Cell<u32>,
    /// Slots with lower numbers were never handed out.
    pub fresh: Cell<u32>,
    /// Pages that may have been written to when the slab's span was taken (0 or all of them).
    pub touched: Cell<u32>,
    /// Address of the owning heap.
    pub owner: Cell<usize>,
    /// Blocks of other classes in it.
    pub loans: Cell<Option<&'static Loans>>,
    /// The slots' sites, where call sites are recorded.
    pub marks: Marks,
    /// Bit k: slot k is free.
    bits: [Cell<u64>; SLOTS_MAX / 64],
}

impl Slab {
    /// Cuts `span` into slots of `class` for the heap at address `owner`. None when there is no memory for the
    /// bookkeeping; the span is still the caller's then.
    pub fn make(span: Span, class: usize, owner: usize) -> Option<&'static Slab> {
        let at = pool::take::<Slab>()?;
        let slab = Slab {
            base: Cell::new(span.base),
            next: Cell::new(None),
            prev: Cell::new(None),
            node: Cell::new(span.node),
            class: Cell::new(0),
            listed: Cell::new(false),
            free: Cell::new(0),
            known: Cell::new(0),
            fresh: Cell::new(0),
            touched: Cell::new(if span.zero { 0 } else { span.pages as u32 }),
            owner: Cell::new(owner),
            loans: Cell::new(None),
            marks: Marks::new(),
            bits: [const { Cell::new(0) }; SLOTS_MAX / 64],
        };
        // SAFETY: the pool gave room for a Slab.
        unsafe { at.write(slab) };
        // SAFETY: it was just written, and is not given back while the page map leads to it.
        let slab = unsafe { at.as_ref() };
        slab.cut(class, owner);
        Some(slab)
    }

    /// Cuts the slab anew; all slots are free.
    pub fn cut(&'static self, class: usize, owner: usize) {
        self.marks.drop_all(self.kind().slots as usize);
        let kind = &CLASSES[class];
        self.touched.set(self.touched_pages() as u32);
        self.class.set(class as u8);
        self.owner.set(owner);
        self.free.set(kind.slots);
        self.known.set(kind.slots);
        self.fresh.set(kind.slots);
        for (i, word) in self.bits.iter().enumerate() {
            let left = (kind.slots as usize).saturating_sub(i * 64);
            word.set(if left >= 64 { u64::MAX } else { (1 << left) - 1 });
        }
        let meta: *const Slab = self;
        pagemap::set(
            self.base.get(),
            self.pages(),
            owner + class * size_of::<crate::stack::Stack>(),
            meta as *mut u8,
        );
    }

    /// The fixed facts of its class.
    pub fn kind(&self) -> &'static Class {
        &CLASSES[self.class.get() as usize]
    }

    /// Its length in pages.
    pub fn pages(&self) -> usize {
        (self.kind().mask as usize + 1) / PAGE
    }

    /// Pages from its start that may have been written to.
    pub fn touched_pages(&self) -> usize {
        let kind = self.kind();
        if kind.slot == 0 || self.fresh.get() == kind.slots {
            return self.touched.get() as usize;
        }
        let clean = (self.fresh.get() * kind.slot) as usize;
        (kind.mask as usize + 1 - clean).div_ceil(PAGE).max(self.touched.get() as usize)
    }

    /// Takes as many free slots as there are and `out` has room for, in address order, the lowest address last in
    /// `out`; returns how many. Blocks that were never handed out get their mark, and of those only a page's worth is
    /// taken, so that no page is touched long before it is used. O(slots / 64 + taken).
    pub fn take(&self, out: &[Cell<usize>], secret: usize) -> usize {
        let kind = self.kind();
        let end = self.base.get() + kind.mask as usize + 1;
        let fresh = self.fresh.get() as usize;
        let used = self.free.get() as usize - fresh;
        let count =
            out.len().min(used + fresh.min(PAGE / kind.slot as usize).max((fresh > 0 && used == 0) as usize));
        let mut places = out[..count].iter().rev();
        let mut left = count;
        let mut low = fresh;
        for i in (0..(kind.slots as usize).div_ceil(64)).rev() {
            let mut word = self.bits[i % (SLOTS_MAX / 64)].get();
            if word == 0 {
                continue;
            }
            while word != 0 && left > 0 {
                let bit = 63 - word.leading_zeros() as usize;
                word ^= 1 << bit;
                let number = i * 64 + bit;
                low = low.min(number);
                let block = end - (number + 1) * kind.slot as usize;
                if number < fresh {
                    block::mark(block, secret);
                }
                if let Some(place) = places.next() {
                    place.set(block);
                }
                left -= 1;
            }
            self.bits[i % (SLOTS_MAX / 64)].set(word);
            if left == 0 {
                break;
            }
        }
        self.fresh.set(low as u32);
        self.free.set(self.free.get() - count as u32);
        count
    }

    /// Gives slot `number` back. False (nothing done) when it is free already.
    pub fn put(&self, number: usize) -> bool {
        let word = &self.bits[number / 64 % (SLOTS_MAX / 64)];
        let bit = 1 << (number % 64);
        if word.get() & bit != 0 {
            return false;
        }
        word.set(word.get() | bit);
        self.free.set(self.free.get() + 1);
        true
    }

    /// Asks for the lines that [`Slab::put`] of slot `number` will need.
    #[inline(always)]
    pub fn fetch(&self, number: usize) {
        block::fetch(core::ptr::from_ref(self) as usize);
        block::fetch(core::ptr::from_ref(&self.bits[number / 64 % (SLOTS_MAX / 64)]) as usize);
    }

    /// Takes the free slot `number`.
    pub fn take_slot(&self, number: usize) {
        let word = &self.bits[number / 64 % (SLOTS_MAX / 64)];
        word.set(word.get() & !(1 << (number % 64)));
        self.free.set(self.free.get() - 1);
    }

    /// Whether slot `number` is free in the slab (a slot in a thread's stack is not).
    pub fn is_free(&self, number: usize) -> bool {
        self.bits[number / 64 % (SLOTS_MAX / 64)].get() & 1 << (number % 64) != 0
    }

    /// Whether every slot is free.
    pub fn is_empty(&self) -> bool {
        self.free.get() == self.kind().slots
    }

    /// Ends the slab; returns its segment and touched pages, which are the caller's to give back.
    pub fn end(&'static self) -> (NodeId, usize) {
        self.marks.drop_all(self.kind().slots as usize);
        pagemap::set(self.base.get(), self.pages(), 0, core::ptr::null_mut());
        let back = (self.node.get(), self.touched_pages());
        // SAFETY: the page map leads here no more, and the caller has taken it out of its lists.
        unsafe { pool::put(core::ptr::NonNull::from(self).cast(), size_of::<Slab>()) };
        back
    }
}

impl Slab {
    /// The slab that a page map entry leads to.
    ///
    /// # Safety
    /// The entry's key names a stack.
    #[inline(always)]
    pub unsafe fn behind(entry: &pagemap::Entry) -> &'static Slab {
        let meta = entry.meta.load(core::sync::atomic::Ordering::Relaxed);
        // SAFETY: an entry with an owner leads to that owner's slab, whose memory is never unmapped.
        unsafe { &*meta.cast::<Slab>() }
    }
}

/// The slab whose page map entry has `key`, or None for a page without one.
#[inline(always)]
pub fn of(entry: &pagemap::Entry, key: usize) -> Option<&'static Slab> {
    if key < PAGE {
        return None;
    }
    let meta = entry.meta.load(core::sync::atomic::Ordering::Relaxed);
    // SAFETY: an entry with an owner leads to that owner's slab, whose memory is never unmapped.
    unsafe { meta.cast::<Slab>().as_ref() }
}

/// What a walk shows of the PROCESS segment at `address`: slot size, slots, slots not free in the slab.
pub fn seen_at(address: usize) -> Option<(u32, u32, u32)> {
    let entry = pagemap::entry(address)?;
    let slab = of(entry, entry.key.load(core::sync::atomic::Ordering::Acquire))?;
    let kind = slab.kind();
    Some((kind.slot, kind.slots, kind.slots - slab.free.get().min(kind.slots)))
}
