//! Hardened large blocks: pages of their own between guard pages, the block at their end.
//!
//! A freed one's pages go back to the kernel at once, while its addresses stay reserved until many other large blocks
//! were freed: a stale pointer faults, and no new block stands there. The bookkeeping lives in the pool. What the kernel
//! would not take back is offered again later (see `late`).

mod late;

use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicU8, Ordering::*};

use crate::hard::canary;
use crate::hard::vault::{GRAVES, Vault};
use crate::os::{self, PAGE};
use crate::stack::Stack;
use crate::{engine, pagemap, pool, secret};

/// Page map key of the page in which a hardened large block starts, whether it is live or was freed lately.
pub const LARGE: usize = 58 * size_of::<Stack>();

/// How far back from an address, in pages, the start of its block is looked for.
const LOOK_BACK: usize = 1 << 20;

/// What a large block is.
const LIVE: u8 = 1;
const FREED: u8 = 2;
/// Freed, its pages still there.
const HELD: u8 = 3;

/// The bookkeeping of one.
#[repr(C, align(64))]
pub struct Large {
    /// Address of the block.
    pub base: usize,
    /// Bytes asked.
    pub asked: Cell<usize>,
    /// Its pages: address and bytes.
    start: usize,
    bytes: usize,
    /// The whole mapping: as far as the guard pages.
    whole: usize,
    whole_bytes: usize,
    state: AtomicU8,
    /// Whether operator new gave it out.
    pub new: bool,
    /// The next in a list of `late`.
    next: AtomicPtr<Large>,
}

// SAFETY: the one cell is written by the program's own calls on its live block, which it may not make at the same time.
unsafe impl Sync for Large {}

/// Takes a block of `asked` bytes at a multiple of `align` (a power of two, 16 at least), all zero. None when the kernel
/// refuses; what the vault keeps reserved goes back first then.
pub fn take(vault: Option<&Vault>, asked: usize, align: usize, new: bool) -> Option<&'static Large> {
    late::end();
    let once = || take_once(asked, align, new);
    once().or_else(|| {
        vault?.release();
        once()
    })
}

fn take_once(asked: usize, align: usize, new: bool) -> Option<&'static Large> {
    let bytes = os::round_to_pages(asked.max(1))?;
    let slack = if align > PAGE { align } else { 0 };
    let whole_bytes = bytes.checked_add(2 * PAGE)?.checked_add(slack)?;
    let whole = os::reserve(whole_bytes)?.as_ptr() as usize;
    // The block ends where its pages end, or as near to that as its alignment lets it.
    let last = whole + whole_bytes - PAGE - asked.max(1);
    let base = last & !(align - 1);
    let start = base & !(PAGE - 1);
    let bytes = bytes.max(((base + asked.max(1)) - start).next_multiple_of(PAGE));
    let give_up = || {
        if let Some(at) = NonNull::new(whole as *mut u8) {
            // SAFETY: nobody has seen this range yet.
            unsafe { os::release(at, whole_bytes) };
        }
    };
    let at = NonNull::new(start as *mut u8)?;
    // SAFETY: within the range just reserved, at least a page from either end.
    if !pagemap::cover(base, 1) || !unsafe { os::commit(at, bytes) } {
        give_up();
        return None;
    }
    engine::MAPPED.fetch_add(bytes, Relaxed);
    let Some(place) = pool::take::<Large>() else {
        // SAFETY: nobody has seen the block yet.
        unsafe { os::decommit(at, bytes) };
        engine::MAPPED.fetch_sub(bytes, Relaxed);
        give_up();
        return None;
    };
    let state = AtomicU8::new(LIVE);
    let asked = Cell::new(asked);
    // SAFETY: the pool gave room for a Large.
    unsafe {
        place.write(Large {
            base,
            asked,
            start,
            bytes,
            whole,
            whole_bytes,
            state,
            new,
            next: AtomicPtr::default(),
        })
    };
    // SAFETY: it was just written, and goes back to the pool only in end.
    let large = unsafe { place.as_ref() };
    // SAFETY: the block lies in pages that are its own.
    unsafe { canary::set(base, large.asked.get(), large.place(), secret::get()) };
    pagemap::set(base, 1, LARGE, place.as_ptr().cast());
    Some(large)
}

impl Large {
    /// Bytes from the block's start to the end of its pages.
    fn place(&self) -> usize {
        self.start + self.bytes - self.base
    }

    /// What its owner's level counts for it: its pages in bytes.
    pub fn usable(&self) -> usize {
        self.bytes
    }

    /// Whether it was freed.
    pub fn is_freed(&self) -> bool {
        self.state.load(Relaxed) != LIVE
    }

    /// Whether the bytes of its pages in front of the block and behind it are as they were.
    pub fn is_whole(&self) -> Result<(), bool> {
        // SAFETY: the block's own pages.
        if !unsafe { canary::is_whole(self.base, self.asked.get(), self.place(), secret::get()) } {
            return Err(true);
        }
        let front = (self.base - self.start) & !7;
        // SAFETY: as above.
        if unsafe { canary::is_clear(self.start, front) } { Ok(()) } else { Err(false) }
    }

    /// Makes it `asked` bytes long where it stands, if that is less and not much less.
    pub fn shrink(&self, asked: usize) -> bool {
        let old = self.asked.get();
        if asked > old || asked < old / 2 || asked == 0 {
            return false;
        }
        let end = (old + canary::LONGEST).min(self.place());
        // SAFETY: bytes of the block that its owner gives up, and its canary.
        unsafe { canary::clear(self.base + asked, end - asked) };
        self.asked.set(asked);
        // SAFETY: the block's own pages.
        unsafe { canary::set(self.base, asked, self.place(), secret::get()) };
        true
    }

    /// Frees it: the pages go back at once, the addresses later. False when it was freed before, by another thread
    /// at this moment perhaps.
    pub fn free(&'static self, vault: Option<&Vault>) -> bool {
        if self.state.swap(FREED, AcqRel) != LIVE {
            return false;
        }
        if !self.give_pages() {
            // The kernel has no mapping left for it (vm.max_map_count): the pages stay, without the old bytes.
            // SAFETY: the program gave the block back.
            unsafe { canary::clear(self.start, self.bytes) };
            self.state.store(HELD, Relaxed);
            late::add(self);
            return true;
        }
        late::end();
        match vault {
            Some(vault) => {
                let grave = &vault.graves[vault.random.below(GRAVES)];
                if let Some(old) = grave.replace(Some(self)) {
                    old.end();
                }
            }
            None => self.end(),
        }
        true
    }

    /// Gives the pages of a freed block back. False when the kernel refuses.
    fn give_pages(&self) -> bool {
        let Some(at) = NonNull::new(self.start as *mut u8) else { return false };
        // SAFETY: the program gave the block back.
        let gone = unsafe { os::decommit(at, self.bytes) };
        if gone {
            engine::MAPPED.fetch_sub(self.bytes, Relaxed);
        }
        gone
    }

    /// Gives the addresses of a freed block back.
    pub fn end(&'static self) {
        pagemap::set(self.base, 1, 0, core::ptr::null_mut());
        if !self.give_addresses() {
            late::add(self);
        }
    }

    /// False when the kernel refuses. The page map leads here no more.
    fn give_addresses(&'static self) -> bool {
        let Some(at) = NonNull::new(self.whole as *mut u8) else { return false };
        // SAFETY: the whole range is reserved and this block's alone.
        let gone = unsafe { os::release(at, self.whole_bytes) };
        if gone {
            // SAFETY: nothing refers to it any more.
            unsafe { pool::put(NonNull::from(self).cast(), size_of::<Large>()) };
        }
        gone
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
            return (address >= large.base && address < large.start + large.bytes).then_some(large);
        }
        if key != 0 {
            return None;
        }
    }
    None
}
