//! The page map: for any address, which heap's slab or which large block holds that page, if any of ours does.
//!
//! A table in two steps. A window of 32 GiB, laid where the first region is, has its upper table in .bss, so
//! nearly every look-up is two loads; regions elsewhere are found through further windows. Each leaf covers
//! 8 MiB with one entry a page, the part of it that free reads once more in two bytes a page, so that it stays in the
//! nearest caches, and one bit a page that says whether a page outside any block was written to since it came from mmap. Entries are written by the owner of the page and read by anyone without a lock.

use core::sync::atomic::{AtomicPtr, AtomicU16, AtomicU64, AtomicUsize, Ordering::*};

use crate::os::PAGE;

const LEAF_SHIFT: usize = 23;
const PAGE_SHIFT: usize = 12;
/// Pages that a leaf covers.
const LEAF_PAGES: usize = 1 << (LEAF_SHIFT - PAGE_SHIFT);
/// Leaves in a window: 32 GiB. Its table takes 32 KiB of every process.
const LEAVES: usize = 4096;
const WINDOW: usize = LEAVES << LEAF_SHIFT;
/// Windows beside the first: with it 4 TiB.
const WINDOWS: usize = 127;

/// What is known of one page.
#[repr(C)]
pub struct Entry {
    /// For a page of a slab the address of its class's stack in the owning heap; a number below [`PAGE`] for pages
    /// with another meaning (see `large`); 0 for a page without a block.
    pub key: AtomicUsize,
    /// The slab or large block; null with `key` 0.
    pub meta: AtomicPtr<u8>,
}

#[repr(C)]
struct Leaf {
    entries: [Entry; LEAF_PAGES],
    dirty: [AtomicU64; LEAF_PAGES / 64],
    /// By page: the low bits of its key, which are below [`PAGE`].
    twins: [AtomicU16; LEAF_PAGES],
}

/// A leaf in whole pages.
const LEAF_BYTES: usize = (size_of::<Leaf>() + PAGE - 1) & !(PAGE - 1);

type Top = [AtomicPtr<Leaf>; LEAVES];

static FIRST: Top = [const { AtomicPtr::new(core::ptr::null_mut()) }; LEAVES];
/// Start of the first window; 0 until something is covered.
static BASE: &AtomicUsize = &APART.base;
/// The same for frees that nobody watches; [`NOWHERE`] when there are none.
static UNWATCHED: &AtomicUsize = &APART.unwatched;
/// A window that no address lies in.
const NOWHERE: usize = 1 << 63;

/// Words that do not stand in the first line of a page, where the linker puts what comes first: a program that goes
/// through large blocks page by page pushes those lines out of the nearest cache.
#[repr(C, align(128))]
struct Apart {
    _line: [u8; 64],
    base: AtomicUsize,
    unwatched: AtomicUsize,
}

static APART: Apart = Apart { _line: [0; 64], base: AtomicUsize::new(0), unwatched: AtomicUsize::new(0) };

struct Window {
    base: AtomicUsize,
    top: AtomicPtr<Top>,
}

static FURTHER: [Window; WINDOWS] =
    [const { Window { base: AtomicUsize::new(0), top: AtomicPtr::new(core::ptr::null_mut()) } }; WINDOWS];

/// The entry of the page that holds `address`, or None when no region of ours is within 8 MiB of it.
/// Two loads for addresses in the first window.
#[inline(always)]
pub fn entry(address: usize) -> Option<&'static Entry> {
    match near_entry(address) {
        None => entry_beyond(address),
        found => found,
    }
}

/// As [`entry`], but finds addresses in the first window only.
#[inline(always)]
pub fn near_entry(address: usize) -> Option<&'static Entry> {
    Some(&leaf_from(BASE.load(Relaxed), address)?.entries[page_of(address)])
}

/// The low bits of the key of the page that holds `address`, below [`PAGE`]: where in the first page of every heap the stack
/// of its class lies. None as for [`near_entry`], and for all addresses once [`watch`] was called.
#[inline(always)]
pub fn unwatched_twin(address: usize) -> Option<usize> {
    let leaf = leaf_from(UNWATCHED.load(Relaxed), address)?;
    Some(leaf.twins[page_of(address)].load(Relaxed) as usize)
}

/// From now on [`unwatched_twin`] finds nothing. For good.
pub fn watch() {
    UNWATCHED.store(NOWHERE, Relaxed);
}

/// The number of a page within its leaf.
#[inline(always)]
fn page_of(address: usize) -> usize {
    address >> PAGE_SHIFT & (LEAF_PAGES - 1)
}

#[inline(always)]
fn leaf_from(base: usize, address: usize) -> Option<&'static Leaf> {
    let leaf = address.wrapping_sub(base) >> LEAF_SHIFT;
    if leaf >= LEAVES {
        return None;
    }
    let leaf = FIRST[leaf].load(Relaxed);
    if leaf.is_null() {
        return None;
    }
    // SAFETY: leaves are published when zeroed and whole, and never unmapped.
    Some(unsafe { &*leaf })
}

#[cold]
#[inline(never)]
fn entry_beyond(address: usize) -> Option<&'static Entry> {
    Some(&leaf_of(address)?.entries[page_of(address)])
}

fn leaf_of(address: usize) -> Option<&'static Leaf> {
    let leaf = slot_of(address, false)?.load(Acquire);
    // SAFETY: leaves are published when zeroed and whole, and never unmapped.
    unsafe { leaf.as_ref() }
}

/// The place in an upper table for the leaf of `address`; with `make`, in a new window if need be.
fn slot_of(address: usize, make: bool) -> Option<&'static AtomicPtr<Leaf>> {
    let leaf = address.wrapping_sub(BASE.load(Acquire)) >> LEAF_SHIFT;
    if leaf < LEAVES {
        return Some(&FIRST[leaf]);
    }
    for window in &FURTHER {
        let mut base = window.base.load(Acquire);
        if base == 0 {
            if !make {
                return None;
            }
            let wanted = address & !(WINDOW - 1);
            if window.top.load(Acquire).is_null() {
                let top = crate::pool::map(size_of::<Top>())?.cast::<Top>();
                let _ = window.top.compare_exchange(core::ptr::null_mut(), top.as_ptr(), AcqRel, Acquire);
            }
            base = match window.base.compare_exchange(0, wanted, AcqRel, Acquire) {
                Ok(_) => wanted,
                Err(other) => other,
            };
        }
        let leaf = address.wrapping_sub(base) >> LEAF_SHIFT;
        if leaf < LEAVES {
            // SAFETY: the table was published, zeroed, before its base, and is never unmapped.
            let top = unsafe { &*window.top.load(Acquire) };
            return Some(&top[leaf]);
        }
    }
    None
}

/// The addresses of the first window's table, of the word with its start, and of the further windows: for
/// [`entry_elsewhere`].
pub fn places() -> [usize; 3] {
    let first = core::ptr::from_ref(&FIRST) as usize;
    [first, core::ptr::from_ref(BASE) as usize, core::ptr::from_ref(&FURTHER) as usize]
}

/// As [`entry`], of another process of the same build: its entry's key and meta. `places`: its [`places`]; `word` reads a
/// word of its memory.
pub fn entry_elsewhere(
    places: [usize; 3],
    address: usize,
    word: &mut dyn FnMut(usize) -> Option<usize>,
) -> Option<(usize, usize)> {
    let [first, base, further] = places;
    let mut leaf = address.wrapping_sub(word(base)?) >> LEAF_SHIFT;
    let mut top = first;
    for number in 0..WINDOWS {
        if leaf < LEAVES {
            break;
        }
        let window = further + number * size_of::<Window>();
        let base = word(window + core::mem::offset_of!(Window, base)).filter(|base| *base != 0)?;
        leaf = address.wrapping_sub(base) >> LEAF_SHIFT;
        top = word(window + core::mem::offset_of!(Window, top))?;
    }
    if leaf >= LEAVES {
        return None;
    }
    let leaf = word(top + leaf * size_of::<usize>()).filter(|leaf| *leaf != 0)?;
    let page = page_of(address);
    let entry = leaf + core::mem::offset_of!(Leaf, entries) + page * size_of::<Entry>();
    let key = word(entry + core::mem::offset_of!(Entry, key))?;
    Some((key, word(entry + core::mem::offset_of!(Entry, meta))?))
}

/// Makes entries for `[address, address + len)`. False when the kernel refuses memory for them.
pub fn cover(address: usize, len: usize) -> bool {
    if BASE.load(Relaxed) == 0 {
        let below = address.saturating_sub(WINDOW / 4 * 3);
        let _ = BASE.compare_exchange(0, below & !((1 << LEAF_SHIFT) - 1), AcqRel, Acquire);
        let _ = UNWATCHED.compare_exchange(0, BASE.load(Acquire), AcqRel, Acquire);
    }
    let first = address & !((1 << LEAF_SHIFT) - 1);
    let count = (address + len - first).div_ceil(1 << LEAF_SHIFT);
    // A first access that writes spares the page of the table its second fault.
    if let Some(slot) = slot_of(first, true) {
        let _ = slot.compare_exchange(core::ptr::null_mut(), core::ptr::null_mut(), Relaxed, Relaxed);
    }
    let missing = (0..count).filter(|i| leaf_of(first + (i << LEAF_SHIFT)).is_none()).count();
    if missing == 0 {
        return true;
    }
    let Some(leaves) = crate::pool::map(missing * LEAF_BYTES) else { return false };
    let mut next = leaves.as_ptr() as usize;
    for i in 0..count {
        let Some(slot) = slot_of(first + (i << LEAF_SHIFT), true) else { return false };
        // A leaf that another thread published meanwhile stays; the one made here then lies unused, untouched.
        if slot.load(Acquire).is_null()
            && slot.compare_exchange(core::ptr::null_mut(), next as *mut Leaf, AcqRel, Acquire).is_ok()
        {
            next += LEAF_BYTES;
        }
    }
    true
}

/// Sets the entries of the pages `[address, address + pages * PAGE)`, all of them covered.
pub fn set(address: usize, pages: usize, key: usize, meta: *mut u8) {
    for page in 0..pages {
        let address = address + page * PAGE;
        if let Some(leaf) = leaf_of(address) {
            leaf.twins[page_of(address)].store((key & (PAGE - 1)) as u16, Relaxed);
            let entry = &leaf.entries[page_of(address)];
            entry.meta.store(meta, Relaxed);
            entry.key.store(key, Release);
        }
    }
}

/// Calls `f` with each word of dirty bits that `[address, address + pages * PAGE)` touches, the bits of the word
/// that lie in the range, and the address of the word's first page.
fn dirty_words(address: usize, pages: usize, mut f: impl FnMut(&AtomicU64, u64, usize)) {
    let mut page = address >> PAGE_SHIFT;
    let end = page + pages;
    while page < end {
        let first = page & 63;
        let count = (64 - first).min(end - page);
        let bits = (u64::MAX >> (64 - count)) << first;
        if let Some(leaf) = leaf_of(page << PAGE_SHIFT) {
            f(&leaf.dirty[(page & (LEAF_PAGES - 1)) / 64], bits, (page - first) << PAGE_SHIFT);
        }
        page += count;
    }
}

/// Marks pages as written to. The caller holds the engine's lock.
pub fn mark_dirty(address: usize, pages: usize) {
    dirty_words(address, pages, |word, bits, _| word.store(word.load(Relaxed) | bits, Relaxed));
}

/// Clears the marks and says how many there were. The caller holds the engine's lock.
pub fn clear_dirty(address: usize, pages: usize) -> usize {
    let mut count = 0;
    dirty_words(address, pages, |word, bits, _| {
        let old = word.load(Relaxed);
        count += (old & bits).count_ones() as usize;
        if old & bits != 0 {
            word.store(old & !bits, Relaxed);
        }
    });
    count
}

/// The first run of marked pages in the range: its address and pages. The caller holds the engine's lock.
pub fn dirty_run(address: usize, pages: usize) -> Option<(usize, usize)> {
    let (mut start, mut end, mut closed) = (0, 0, false);
    dirty_words(address, pages, |word, bits, first| {
        let mut marked = word.load(Relaxed) & bits;
        if closed || (marked == 0 && start == 0) {
            return;
        }
        if start != 0 && (marked & 1 == 0 || end != first) {
            closed = true;
            return;
        }
        let skip = marked.trailing_zeros() as usize;
        if start == 0 {
            start = first + skip * PAGE;
        }
        marked >>= skip;
        let run = (!marked).trailing_zeros() as usize;
        end = first + (skip + run) * PAGE;
        closed = skip + run < 64;
    });
    (start != 0).then(|| (start, (end - start) / PAGE))
}
