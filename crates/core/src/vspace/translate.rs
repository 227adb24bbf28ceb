//! From MeMS virtual to physical address: what mems_get reads, without a lock.
//!
//! A page table over the addresses counted from the start. ROOT → directory → row → sheet, one entry for
//! 128 GiB, 32 MiB, 64 KiB and 256 bytes; an entry whose whole span is one PROCESS segment says so itself and has
//! nothing below it, so a huge segment costs no table. A sheet holds for each KiB (the smallest legal page, so
//! that a KiB never spans two regions) the distance to the physical address, and for each 256 bytes a state:
//! all HOLE, all PROCESS, or the number of 256 bits, one a byte. Reading is five loads, however many segments.
//!
//! A reader with an address of a live segment sees it right whatever else goes on: its own bits were set before
//! its address was handed out, and tables, sheets and bits that serve a live byte are not used for anything
//! else. Only mems_finish takes tables away; it waits for the readers inside.
//!
//! Written by `mark` only, under the lock.

use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use crate::lock;
use crate::vspace::steps::Steps;

/// Bits of an address below each kind of entry.
pub const ROOT_SHIFT: u32 = 37;
pub const DIRECTORY_SHIFT: u32 = 25;
pub const ROW_SHIFT: u32 = 16;
pub const UNIT_SHIFT: u32 = 8;
pub const KIB_SHIFT: u32 = 10;

/// Entries: 4096 × 128 GiB is four times the user's half of a 48-bit address space.
pub const ROOT_ENTRIES: usize = 4096;
pub const DIRECTORY_ENTRIES: usize = 1 << (ROOT_SHIFT - DIRECTORY_SHIFT);
pub const ROW_ENTRIES: usize = 1 << (DIRECTORY_SHIFT - ROW_SHIFT);

/// An entry whose whole span is PROCESS: `distance | WHOLE`. Distances are multiples of 1024, tables of 8.
pub const WHOLE: u64 = 1;

/// A state: all HOLE.
pub const NONE: u32 = 0;
/// A flag in a state: all 256 bytes are PROCESS, whatever the bits below say; they number the unit's bits, if it
/// has any.
pub const FULL: u32 = 1 << 31;

/// 64 KiB of addresses. Zero bytes are an empty one.
#[repr(C)]
pub struct Sheet {
    /// NONE, or FULL, or FULL or nothing | number of bits + 1.
    pub states: [AtomicU32; 256],
    /// Physical address less the address counted from the start, wrapping; where a byte of the KiB is PROCESS.
    pub distances: [AtomicU64; 64],
}

/// One bit a byte: PROCESS.
pub type Bits = [AtomicU64; 4];

/// The top of the page table: 0, `distance | WHOLE`, or a directory's address.
pub static ROOT: [AtomicU64; ROOT_ENTRIES] = [const { AtomicU64::new(0) }; ROOT_ENTRIES];
/// The first MeMS virtual address.
pub static START: AtomicU64 = AtomicU64::new(0);
/// The bits of mixed units.
pub static BITS: Steps<Bits> = Steps::new();

const STRIPES: usize = 32;

/// Readers inside, by thread; a line each, so that threads do not take it from each other.
#[repr(align(64))]
struct Stripe(AtomicUsize);

static READERS: [Stripe; STRIPES] = [const { Stripe(AtomicUsize::new(0)) }; STRIPES];

/// A reader that is inside: while it lives no table is unmapped.
struct Reader(&'static AtomicUsize);

impl Reader {
    #[inline(always)]
    fn enter() -> Reader {
        let thread = lock::thread();
        // Thread control blocks are pages apart, or at odd places inside one.
        let stripe = &READERS[(thread >> 12 ^ thread >> 6) % STRIPES].0;
        // Ordered before every load of the table: readers_gone reads 0 or the reader sees ROOT cleared.
        stripe.fetch_add(1, Ordering::SeqCst);
        Reader(stripe)
    }
}

impl Drop for Reader {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

/// Whether no reader is inside that could have seen ROOT as it was before the caller cleared it.
pub fn readers_gone() -> bool {
    READERS.iter().all(|s| s.0.load(Ordering::SeqCst) == 0)
}

/// Forgets readers that a forked child has not inherited.
pub fn forget_readers() {
    for stripe in &READERS {
        stripe.0.store(0, Ordering::Relaxed);
    }
}

/// The physical address of the byte at MeMS virtual address `address`; None when no PROCESS segment holds it.
/// No lock; O(1).
#[inline]
pub fn physical(address: u64) -> Option<*mut u8> {
    let at = address.wrapping_sub(START.load(Ordering::Relaxed));
    let root = ROOT.get((at >> ROOT_SHIFT) as usize)?;
    let _reader = Reader::enter();
    let mut entry = root.load(Ordering::SeqCst);
    for shift in [DIRECTORY_SHIFT, ROW_SHIFT] {
        if entry & WHOLE != 0 {
            return Some(reach(at, entry & !WHOLE));
        }
        let entries = if shift == DIRECTORY_SHIFT { DIRECTORY_ENTRIES } else { ROW_ENTRIES };
        let table = ptr::with_exposed_provenance::<AtomicU64>(entry as usize);
        if table.is_null() {
            return None;
        }
        let slot = table.wrapping_add((at >> shift) as usize % entries);
        // SAFETY: an entry that is neither 0 nor WHOLE is a table of `entries`, mapped while a reader is inside.
        let slot = unsafe { &*slot };
        entry = slot.load(Ordering::Acquire);
    }
    if entry & WHOLE != 0 {
        return Some(reach(at, entry & !WHOLE));
    }
    let sheet = ptr::with_exposed_provenance::<Sheet>(entry as usize);
    if sheet.is_null() {
        return None;
    }
    // SAFETY: an entry of a row that is neither 0 nor WHOLE is a sheet, mapped while a reader is inside.
    let sheet = unsafe { &*sheet };
    let state = sheet.states[(at >> UNIT_SHIFT) as usize % 256].load(Ordering::Acquire);
    if state & FULL == 0 {
        let number = state.checked_sub(1)?;
        // SAFETY: a state's number names bits that were published before it, mapped while a reader is inside.
        let bits = unsafe { &*BITS.at(number) };
        let word = bits[(at >> 6) as usize % 4].load(Ordering::Acquire);
        if word >> (at % 64) & 1 == 0 {
            return None;
        }
    }
    let distance = sheet.distances[(at >> KIB_SHIFT) as usize % 64].load(Ordering::Relaxed);
    Some(reach(at, distance))
}

#[inline(always)]
fn reach(at: u64, distance: u64) -> *mut u8 {
    ptr::with_exposed_provenance_mut(at.wrapping_add(distance) as usize)
}
