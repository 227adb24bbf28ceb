//! The engine: the main chain of the malloc heap, in pages, over mmap.
//!
//! Owns every region of the malloc heap. Slabs and large blocks are its PROCESS segments. One lock, taken on slow
//! paths only. A segment's MeMS virtual address is in pages: the region's number above, the page's physical
//! number below; so addresses are never reused though the kernel may hand out the same pages again, regions stand
//! in the order they were mapped, and an aligned virtual address is an aligned physical one.
//!
//! Free pages are kept while they are few beside the live ones, and given back otherwise (see `purge`).

pub mod hugepages;
mod purge;
pub use purge::look;
mod seen;
mod waiting;

pub use seen::{places, row, segment_at, walk};

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use mems_chain::{Chain, NodeId};

use crate::lock::{Lock, Rank, Side};
use crate::nodes::NodePool;
use crate::os::{self, PAGE};
use crate::pagemap;
use hugepages::HUGE_PAGE;

/// Bits of a virtual address that are the physical page number.
pub const PHYSICAL: u32 = 36;
/// Of a process that asks for little: the address space that every process has to have.
const FIRST_REGION: usize = 64 << 10;
const SMALLEST_REGION: usize = 128 << 10;
const LARGEST_REGION: usize = 64 << 20;
/// Regions are multiples of this, and lie at multiples of it where the kernel lets them, so that slabs fit.
const GRAIN: usize = 64 << 10;
/// Pages given out.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Physical address of the first.
    pub base: usize,
    /// How many.
    pub pages: usize,
    /// The PROCESS segment.
    pub node: NodeId,
    /// Whether all of them are zero, as they came from mmap.
    pub zero: bool,
}

/// Why no span was given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The kernel refuses memory.
    Memory,
    /// This is a signal handler, and its thread or another one is inside the engine.
    Inside,
}

struct Engine {
    chain: Chain<NodePool>,
    /// Pages in PROCESS segments.
    live: usize,
    /// Marked pages in HOLE segments.
    dirty: usize,
    /// Number of the next region.
    number: u64,
    /// Where the next region is wished for: right below the last; 0: anywhere.
    hint: usize,
    /// When pages were last given back.
    purged_at: u64,
    /// How many.
    purged: usize,
    /// Dirty pages that the last purge left.
    stuck: usize,
    /// Fresh pages given out since.
    missed: usize,
    /// No purge before `purged_at + pause`.
    pause: u64,
    /// The most pages that were live of late; see `purge`.
    high: usize,
    /// When `high` was last lowered.
    high_at: u64,
    /// Pages of the huge block that was freed last, while it is let alone.
    spared: usize,
    /// Its address.
    spared_at: usize,
    /// How long they are let alone.
    spared_until: u64,
}

static ENGINE: Lock<Engine> = Lock::new(
    Rank::Engine,
    Engine {
        chain: Chain::new(NodePool::new()),
        live: 0,
        dirty: 0,
        number: 1,
        hint: 0,
        purged_at: 0,
        purged: 0,
        stuck: 0,
        missed: 0,
        pause: 0,
        high: 0,
        high_at: 0,
        spared: 0,
        spared_at: 0,
        spared_until: 0,
    },
);

/// Bytes mapped as regions.
pub static MAPPED: AtomicUsize = AtomicUsize::new(0);

/// Takes `pages` whole pages at a multiple of `align` pages (a power of two), first fit. With `room` > 0 the
/// segment is put where that many pages behind it are free, in a new region if need be, so that it can grow.
/// O(log segments), and one mmap when nothing fits.
pub fn take(pages: usize, align: usize, room: usize) -> Result<Span, Refused> {
    let mut engine = ENGINE.take().ok_or(Refused::Inside)?;
    waiting::end(&mut engine);
    engine.take(pages, align, room).ok_or(Refused::Memory)
}

/// Gives a span back; its first `touched` pages may have been written to. Where that cannot be now, it waits for the
/// next call; false (nothing done) when very many wait already. O(log segments), more when a purge is due.
pub fn put(node: NodeId, touched: usize) -> bool {
    let Some(mut engine) = ENGINE.take() else { return waiting::add(node, touched) };
    waiting::end(&mut engine);
    engine.put(node, touched);
    engine.settle();
    true
}

/// As [`put`], of a span whose block moved elsewhere to grow. A region that it leaves empty goes back to the kernel: what
/// outgrew it once would start there again, and outgrow it again.
pub fn put_outgrown(node: NodeId, touched: usize) -> bool {
    let Some(mut engine) = ENGINE.take() else { return waiting::add(node, touched) };
    waiting::end(&mut engine);
    let hole = engine.put(node, touched);
    if touched >= purge::HUGE {
        engine.spared = 0;
        engine.leave(hole);
    }
    engine.settle();
    true
}

/// Makes the span of `node` `pages` long where it stands, larger or smaller. False when the pages behind it are not
/// free. The second value is whether all pages gained are zero.
pub fn resize(node: NodeId, pages: usize) -> Option<bool> {
    let mut engine = ENGINE.take()?;
    let (base, old) = engine.place(node);
    if pages < old {
        engine.chain.shrink(node, pages as u64).ok()?;
        pagemap::mark_dirty(base + pages * PAGE, old - pages);
        engine.dirty += old - pages;
        engine.live -= old - pages;
        engine.settle();
        return Some(false);
    }
    if !engine.chain.grow(node, pages as u64) {
        return None;
    }
    let gained = pages - old;
    engine.live += gained;
    let dirty = pagemap::clear_dirty(base + old * PAGE, gained);
    engine.dirty -= dirty;
    engine.retaken(base + old * PAGE, gained);
    engine.freshened(gained - dirty);
    Some(dirty == 0)
}

/// Gives back every free page that can be: whole regions by munmap, others by a fresh mapping laid over them.
/// Keeps `keep` dirty bytes at most. Returns whether anything went back.
pub fn trim(keep: usize) -> bool {
    let Some(mut engine) = ENGINE.take() else { return false };
    waiting::end(&mut engine);
    engine.spared = 0;
    engine.purge(keep / PAGE, 1) > 0
}

impl Engine {
    fn place(&self, node: NodeId) -> (usize, usize) {
        let segment = self.chain.segment(node);
        (address(segment.start), segment.size as usize)
    }

    fn take(&mut self, pages: usize, align: usize, room: usize) -> Option<Span> {
        if let Some(span) = self.fit(pages, align, room) {
            return Some(span);
        }
        if self.map(pages, align, room) {
            return self.fit(pages, align, room);
        }
        if room > 0 {
            return self.take(pages, align, 0);
        }
        // Nothing to be had from the kernel: give back what lies unused and try once more.
        self.spared = 0;
        if self.purge(0, 1) > 0 && self.map(pages, align, 0) {
            return self.fit(pages, align, 0);
        }
        None
    }

    fn fit(&mut self, pages: usize, align: usize, room: usize) -> Option<Span> {
        let wanted = (pages + room) as u64;
        let node = match align {
            0 | 1 => self.chain.take(wanted),
            _ => self.chain.take_aligned(wanted, align as u64),
        };
        let node = node.ok()??;
        if room > 0 && self.chain.shrink(node, pages as u64).is_err() {
            self.chain.put(node);
            return None;
        }
        let (base, _) = self.place(node);
        // The marks lie on a page of their own.
        let dirty = if self.dirty > 0 { pagemap::clear_dirty(base, pages) } else { 0 };
        self.dirty -= dirty;
        self.live += pages;
        self.retaken(base, pages);
        self.freshened(pages - dirty);
        Some(Span { base, pages, node, zero: dirty == 0 })
    }

    /// Maps a new region that fits the request. Its size follows the heap: an eighth of what is mapped, small the first time.
    fn map(&mut self, pages: usize, align: usize, room: usize) -> bool {
        let slack = if align > GRAIN / PAGE { align } else { 0 };
        let Some(need) = pages.checked_add(room + slack).and_then(|p| p.checked_mul(PAGE)) else {
            return false;
        };
        let Some(need) = need.checked_next_multiple_of(GRAIN) else { return false };
        // A slab in a region that is not at a multiple of its size loses up to that.
        let least = if align > 1 { need + (align.min(GRAIN / PAGE) - 1) * PAGE } else { need };
        let huge = hugepages::are_on();
        let grown = match MAPPED.load(Relaxed) {
            0 => FIRST_REGION,
            mapped => (mapped / if huge { 2 } else { 8 }).clamp(SMALLEST_REGION, LARGEST_REGION),
        };
        let wished = grown.max(need);
        // A region of huge pages begins and ends with one.
        let grain = if huge && wished >= HUGE_PAGE { HUGE_PAGE } else { GRAIN };
        let wished = wished.next_multiple_of(grain);
        for len in [
            wished,
            wished.max(least),
            (wished / 4).max(least),
            least,
            pages * PAGE + (align.max(1) - 1) * PAGE,
        ] {
            if len > wished && len != least {
                continue;
            }
            let hint = if self.hint > len { (self.hint - len) & !(grain - 1) } else { 0 };
            if let Some(at) = os::map(len, hint) {
                let base = at.as_ptr() as usize;
                if len == wished && wished < least && !base.is_multiple_of(align * PAGE) {
                    // SAFETY: nobody has seen this mapping yet.
                    unsafe { os::unmap(at, len) };
                    self.hint = 0;
                    continue;
                }
                return self.push(at, len);
            }
        }
        false
    }

    fn push(&mut self, at: NonNull<u8>, len: usize) -> bool {
        let base = at.as_ptr() as usize;
        let start = (self.number << PHYSICAL) | (base / PAGE) as u64;
        let known = pagemap::cover(base, len);
        if known && self.chain.push_region(start, (len / PAGE) as u64, base as u64).is_ok() {
            self.number += 1;
            self.hint = base;
            hugepages::ask(at, len);
            MAPPED.fetch_add(len, Relaxed);
            return true;
        }
        // SAFETY: nobody has seen this mapping yet.
        unsafe { os::unmap(at, len) };
        false
    }

    fn put(&mut self, node: NodeId, touched: usize) -> NodeId {
        let (base, pages) = self.place(node);
        let touched = touched.min(pages);
        pagemap::mark_dirty(base, touched);
        self.dirty += touched;
        self.live -= pages;
        self.spare(base, touched);
        self.chain.put(node)
    }
}

/// The physical address of a virtual page.
fn address(virtual_page: u64) -> usize {
    (virtual_page & ((1 << PHYSICAL) - 1)) as usize * PAGE
}

/// Before fork: no other thread is inside until [`fork_done`].
pub fn fork_prepare() {
    ENGINE.park();
}

/// After fork, in parent and child.
///
/// # Safety
/// The calling thread called [`fork_prepare`] (or is its copy in the child).
pub unsafe fn fork_done(side: Side) {
    // SAFETY: passed on; the thread that holds the lock is this one.
    unsafe { ENGINE.reset(side) };
}
