//! Hardened large blocks: pages of their own between guard pages, the block at their end.
//!
//! A freed one is zero and rests between its guard pages (see `kept`), or its pages go back to the kernel at once while
//! its addresses stay reserved (see `graves`): then a stale pointer faults. Either way its range serves another block
//! only after others were freed. A block that realloc moves to grow stands in front of reserved addresses, so that it
//! grows in place from then on. The bookkeeping lives in the pool. What the kernel would not take back of a thread without
//! a heap is offered again later (see `late`).

mod late;
mod range;

use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU8, Ordering::*};

use crate::hard::vault::Vault;
use crate::hard::{canary, kept};
use crate::misuse::{self, Misuse};
use crate::os::{self, PAGE};
use crate::pile::Piled;
use crate::stack::Stack;
use crate::{engine, pagemap, pool, secret};
use range::{make, make_open, rounded};

/// Page map key of the page in which a hardened large block starts, whether it is live or was freed lately.
pub const LARGE: usize = 58 * size_of::<Stack>();

/// How far back from an address, in pages, the start of its block is looked for.
const LOOK_BACK: usize = 1 << 20;
/// Most bytes that are reserved behind a block that grows.
const ROOM: usize = 256 << 20;

/// What a large block is.
const LIVE: u8 = 1;
const FREED: u8 = 2;

/// The bookkeeping of one range and of the block in it.
#[repr(C, align(64))]
pub struct Large {
    /// Address of the block.
    base: Cell<usize>,
    /// Bytes asked.
    asked: Cell<usize>,
    /// End of its pages.
    end: Cell<usize>,
    /// The pages that are there: address and bytes. All of them are zero between two blocks.
    start: Cell<usize>,
    bytes: Cell<usize>,
    /// The whole range, guard pages and all.
    whole: usize,
    whole_bytes: usize,
    state: AtomicU8,
    new: Cell<bool>,
    /// How often the block moved to grow.
    moves: Cell<u8>,
    /// The next one in a list of `graves` or `late`.
    next: AtomicPtr<Large>,
}

// SAFETY: the cells are written by the program's own calls on its live block, which it may not make at the same time, and
// by the one thread that has the block once it was freed: `state` says who that is.
unsafe impl Sync for Large {}

/// What is wanted of a block.
#[derive(Clone, Copy)]
pub struct Wish {
    /// Bytes.
    pub asked: usize,
    /// A multiple of this: a power of two, 16 at least.
    pub align: usize,
    /// Whether operator new asks.
    pub new: bool,
    /// How often it has moved to grow, this time included; 0: not at all.
    pub moves: u8,
}

/// Takes a block, all zero. None when the kernel refuses.
pub fn take(vault: Option<&'static Vault>, wish: Wish) -> Option<&'static Large> {
    late::end();
    let pages = os::round_to_pages(wish.asked.max(1))?;
    let slack = if wish.align > PAGE { wish.align } else { 0 };
    let least = pages.checked_add(slack)?;
    let room = match wish.moves {
        0 if least <= kept::LARGEST => rounded(least),
        0 => least,
        1 => least.checked_add((least * 3).min(ROOM))?,
        _ => least.checked_add(least.saturating_mul(15).min(ROOM))?,
    };
    if let Some(vault) = vault
        && wish.moves == 0
    {
        while let Some(large) = vault.kept.take(room, vault).or_else(|| vault.graves.take(room, false)) {
            if large.occupy(&wish) {
                return Some(large);
            }
            // It cannot be had back from the kernel, or was written to.
            large.decommit();
            if !large.end() {
                late::add(large);
                break;
            }
        }
    }
    let fresh = make(room).or_else(|| if room > least { make(least) } else { None });
    if let Some(large) = fresh {
        if large.occupy(&wish) {
            return Some(large);
        }
        large.give_up();
    }
    // Addresses that the kernel did not take back; or a mapping that it is asked for at once, and with or without guard
    // pages as it likes: with mlockall it counts pages that replace reserved ones twice.
    let large = vault.and_then(|vault| vault.graves.take(least, true)).or_else(|| make_open(least))?;
    if large.occupy(&wish) {
        return Some(large);
    }
    large.give_up();
    None
}

impl Piled for Large {
    fn under(&self) -> &AtomicPtr<Large> {
        &self.next
    }
}

impl Large {
    /// Address of the block.
    pub fn base(&self) -> usize {
        self.base.get()
    }

    /// Bytes asked.
    pub fn asked(&self) -> usize {
        self.asked.get()
    }

    /// Whether operator new gave it out.
    pub fn is_new(&self) -> bool {
        self.new.get()
    }

    /// How often it moved to grow.
    pub fn moves(&self) -> u8 {
        self.moves.get()
    }

    /// Bytes that a block in this range can have.
    pub fn room(&self) -> usize {
        self.whole_bytes - 2 * PAGE
    }

    /// The one behind it in a list.
    pub fn next(&self) -> Option<&'static Large> {
        self.below()
    }

    /// Links it in front of a list.
    pub fn link(&self, list: Option<&'static Large>) {
        self.next
            .store(list.map_or(core::ptr::null_mut(), |next| core::ptr::from_ref(next).cast_mut()), Relaxed);
    }

    /// Bytes of the range with its guard pages.
    pub fn span(&self) -> usize {
        self.whole_bytes
    }

    /// Bytes from the block's start to the end of its pages.
    fn place(&self) -> usize {
        self.end.get() - self.base.get()
    }

    /// The block's first page.
    fn page(&self) -> usize {
        self.base.get() & !(PAGE - 1)
    }

    /// What its owner's level counts for it: its pages in bytes.
    pub fn usable(&self) -> usize {
        self.end.get() - self.page()
    }

    /// Whether it was freed.
    pub fn is_freed(&self) -> bool {
        self.state.load(Relaxed) != LIVE
    }

    /// Puts a block into the range, which has none. False when the kernel refuses, or the range was written to.
    fn occupy(&'static self, wish: &Wish) -> bool {
        let asked = wish.asked.max(1);
        let last = self.whole + self.whole_bytes - PAGE;
        // At the end of the range; one that grows, at the end of the range's first pages.
        let wanted = if wish.moves == 0 { last } else { self.whole + PAGE + asked.next_multiple_of(PAGE) };
        let base = (wanted - asked) & !(wish.align - 1);
        let (page, end) = (base & !(PAGE - 1), (base + asked).next_multiple_of(PAGE));
        self.forget();
        if page >= self.start.get() && end <= self.start.get() + self.bytes.get() {
            // SAFETY: pages of the range's own.
            if !unsafe { canary::is_clear(page, end - page) } {
                let (pointer, asked) = (self.base.get(), self.asked.get());
                misuse::report(Misuse::Written { pointer, asked }, 0);
                return false;
            }
        } else {
            let whole = wish.moves == 0 && self.room() <= kept::LARGEST;
            let (from, to) = if whole { (self.whole + PAGE, last) } else { (page, end) };
            if !self.decommit() || !self.commit(from, to) {
                return false;
            }
        }
        if !pagemap::cover(base, 1) {
            return false;
        }
        self.base.set(base);
        self.end.set(end);
        self.asked.set(wish.asked);
        self.new.set(wish.new);
        self.moves.set(wish.moves);
        // SAFETY: the block lies in pages that are its own.
        unsafe { canary::set_within(base, wish.asked, self.place(), secret::get()) };
        self.state.store(LIVE, Release);
        pagemap::set(base, 1, LARGE, core::ptr::from_ref(self).cast_mut().cast());
        true
    }

    fn commit(&self, from: usize, to: usize) -> bool {
        let Some(at) = NonNull::new(from as *mut u8) else { return false };
        // SAFETY: within the range, a page at least from either end; nothing is there.
        if !unsafe { os::commit(at, to - from) } {
            return false;
        }
        engine::MAPPED.fetch_add(to - from, Relaxed);
        if self.bytes.get() == 0 {
            self.start.set(from);
        }
        self.bytes.set(self.bytes.get() + to - from);
        true
    }

    /// Whether the bytes of its pages in front of the block and behind it are as they were; else whether it is those behind.
    pub fn is_whole(&self) -> Result<(), bool> {
        let base = self.base.get();
        // SAFETY: the block's own pages.
        if !unsafe { canary::is_whole_within(base, self.asked.get(), self.place(), secret::get()) } {
            return Err(true);
        }
        let front = (base - self.page()) & !15;
        // SAFETY: as above.
        if unsafe { canary::is_clear(self.page(), front) } { Ok(()) } else { Err(false) }
    }

    /// Makes it `asked` bytes long where it stands, if it can be: not where that is much less.
    pub fn resize(&self, asked: usize) -> bool {
        let (old, base) = (self.asked.get(), self.base.get());
        let last = self.whole + self.whole_bytes - PAGE;
        if asked < old / 2 || asked == 0 || asked > last - base {
            return false;
        }
        let end = (base + asked).next_multiple_of(PAGE);
        if end > self.end.get() {
            if end > self.start.get() + self.bytes.get() && !self.commit(self.end.get(), end) {
                return false;
            }
            self.end.set(end);
        }
        let low = base + asked.min(old);
        // SAFETY: bytes of the block that its owner gives up or gets, and its canary.
        unsafe { canary::clear(low, (base + old + canary::LONGEST).min(self.end.get()) - low) };
        self.asked.set(asked);
        // SAFETY: the block's own pages.
        unsafe { canary::set_within(base, asked, self.place(), secret::get()) };
        true
    }

    /// Frees it. False when it was freed before, by another thread at this moment perhaps.
    pub fn free(&'static self, vault: Option<&'static Vault>) -> bool {
        if self.state.swap(FREED, AcqRel) != LIVE {
            return false;
        }
        match vault {
            Some(vault) if self.bytes.get() == self.room() && self.room() <= kept::LARGEST => {
                let len = (self.asked.get() + canary::LONGEST).min(self.place());
                // SAFETY: the program gave the block back.
                unsafe { canary::wipe(self.base.get(), len) };
                vault.kept.put(self, vault);
            }
            Some(vault) => {
                self.decommit();
                vault.graves.put(self, vault);
            }
            None => {
                self.decommit();
                self.give_up();
            }
        }
        late::end();
        true
    }

    /// Gives the pages of a range without a block back to the kernel, at once. Where it refuses (vm.max_map_count) they
    /// stay, zero, and false is returned.
    pub fn decommit(&self) -> bool {
        let (start, bytes) = (self.start.get(), self.bytes.get());
        let Some(at) = NonNull::new(start as *mut u8).filter(|_| bytes > 0) else { return true };
        // SAFETY: the program gave the block back.
        if unsafe { os::decommit(at, bytes) } {
            engine::MAPPED.fetch_sub(bytes, Relaxed);
            self.bytes.set(0);
            return true;
        }
        // SAFETY: as above.
        unsafe { canary::clear(start, bytes) };
        false
    }

    /// Makes the page map forget the block that was here.
    pub fn forget(&self) {
        if self.asked.get() > 0 || self.end.get() > self.base.get() {
            pagemap::set(self.base.get(), 1, 0, core::ptr::null_mut());
        }
    }

    /// Gives the range back, whose block was freed and that nobody has: now or, where the kernel refuses, later.
    pub fn give_up(&'static self) {
        if !self.end() {
            late::add(self);
        }
    }

    /// Gives the range back, whose block was freed. False when the kernel refuses: it is still ours then.
    pub fn end(&'static self) -> bool {
        let Some(at) = NonNull::new(self.whole as *mut u8) else { return false };
        self.forget();
        let bytes = self.bytes.get();
        // SAFETY: the whole range is this block's alone.
        if !unsafe { os::release(at, self.whole_bytes) } {
            return false;
        }
        if bytes > 0 {
            // What the kernel did not take back before went with the range.
            os::CALLS.mapped.fetch_sub(bytes, Relaxed);
            engine::MAPPED.fetch_sub(bytes, Relaxed);
        }
        // SAFETY: the page map leads here no more.
        unsafe { pool::put(NonNull::from(self).cast(), size_of::<Large>()) };
        true
    }
}

/// The block whose page map entry has `key`.
#[inline]
pub fn of(entry: &pagemap::Entry, key: usize) -> Option<&'static Large> {
    // SAFETY: an entry with this key leads to a Large, whose memory is never unmapped.
    (key == LARGE).then(|| unsafe { entry.meta.load(Relaxed).cast::<Large>().as_ref() }).flatten()
}

/// The large block that `address` lies in, looked for page by page: for the report of an error.
#[cold]
pub fn around(address: usize) -> Option<&'static Large> {
    let page = address & !(PAGE - 1);
    for back in 0..LOOK_BACK {
        let Some(entry) = pagemap::entry(page.checked_sub(back * PAGE)?) else { continue };
        let key = entry.key.load(Relaxed);
        if let Some(large) = of(entry, key) {
            return (address >= large.base() && address < large.end.get()).then_some(large);
        }
        if key != 0 {
            return None;
        }
    }
    None
}
