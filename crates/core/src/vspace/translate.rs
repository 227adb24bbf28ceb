//! From MeMS virtual to physical address: what mems_get reads, without a lock.
//!
//! A page table over the addresses counted from the start. ROOT → directory → row → sheet, one entry for
//! 64 GiB, 16 MiB, 64 KiB and 256 bytes; an entry whose whole span is one PROCESS segment says so itself and has
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
use crate::vspace::lane::Lane;
use crate::vspace::space::soon;
use crate::vspace::steps::Steps;

/// Bits of an address below each kind of entry.
pub const ROOT_SHIFT: u32 = 36;
pub const DIRECTORY_SHIFT: u32 = 24;
pub const ROW_SHIFT: u32 = 16;
pub const UNIT_SHIFT: u32 = 8;
pub const KIB_SHIFT: u32 = 10;

/// Entries: 4096 × 64 GiB is twice the user's half of a 48-bit address space.
pub const ROOT_ENTRIES: usize = 4096;
pub const DIRECTORY_ENTRIES: usize = 4096;
pub const ROW_ENTRIES: usize = 256;

/// An entry whose whole span is PROCESS: `distance | WHOLE`. Distances are multiples of 1024, tables of 8.
pub const WHOLE: u64 = 1;

/// A state: all HOLE.
pub const NONE: u32 = 0;
/// A flag in a state: all 256 bytes are PROCESS, whatever the bits below say; they number the unit's bits, if it
/// has any.
pub const FULL: u32 = 1 << 31;

/// 64 GiB of addresses. Zero bytes are an empty one, as with the other tables.
#[repr(C)]
pub struct Directory {
    /// 0, `distance | WHOLE`, or a row's address.
    pub entries: [AtomicU64; DIRECTORY_ENTRIES],
    /// The largest HOLE that starts in each row, in sixteen rows, in 256 rows.
    pub max: [Lane; DIRECTORY_ENTRIES / 16],
    pub mid: [Lane; DIRECTORY_ENTRIES / 256],
    pub top: Lane,
}

/// 16 MiB of addresses.
#[repr(C)]
pub struct Row {
    /// 0, `distance | WHOLE`, or a sheet's address.
    pub entries: [AtomicU64; ROW_ENTRIES],
    /// The largest HOLE that starts in each sheet, in sixteen sheets.
    pub max: [Lane; ROW_ENTRIES / 16],
    pub top: Lane,
}

/// 64 KiB of addresses.
#[repr(C)]
pub struct Sheet {
    /// NONE, or FULL, or FULL or nothing | number of bits + 1.
    pub states: [AtomicU32; 256],
    /// Physical address less the address counted from the start, wrapping. True where a byte of the KiB is PROCESS or a
    /// HOLE starts in it, and so is `regions`.
    pub distances: [AtomicU64; 64],
    /// The region's node.
    pub regions: [AtomicU32; 64],
    /// The first HOLE that starts in each unit; 0: none.
    pub holes: [AtomicU32; 256],
    /// The largest HOLE that starts in each unit, in sixteen units.
    pub max: [Lane; 16],
    pub top: Lane,
}

/// The tables above one address.
#[derive(Clone, Copy)]
pub struct Path {
    /// Which 64 KiB they are for.
    pub number: u64,
    pub directory: &'static Directory,
    pub row: &'static Row,
    pub sheet: &'static Sheet,
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

/// Readers inside, by thread; a line each, so that threads do not take it from each other. Two sets, of which new
/// readers use the one that [`PHASE`] names, so that the other one runs empty however many keep coming.
#[repr(align(64))]
struct Stripe(AtomicUsize);

static READERS: [[Stripe; STRIPES]; 2] = [const { [const { Stripe(AtomicUsize::new(0)) }; STRIPES] }; 2];
static PHASE: AtomicUsize = AtomicUsize::new(0);

/// A reader that is inside: while it lives no table is unmapped.
struct Reader(&'static AtomicUsize);

impl Reader {
    #[inline(always)]
    fn enter() -> Reader {
        let thread = lock::thread();
        // Thread control blocks are pages apart, or at odd places inside one.
        let stripe = (thread >> 12 ^ thread >> 6) % STRIPES;
        let count = &READERS[PHASE.load(Ordering::Relaxed) % 2][stripe].0;
        // Ordered before every load of the table: either the one who waits reads the count, or the reader sees that
        // ROOT was cleared.
        count.fetch_add(1, Ordering::SeqCst);
        Reader(count)
    }
}

impl Drop for Reader {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

/// Waits until no reader is inside that may have seen ROOT as it was before the caller, who holds the lock, cleared
/// it. False when one did not come out after `patience` yields: a thread that was stopped, say.
pub fn readers_are_gone(mut patience: u32) -> bool {
    // Those that took the other set's name long ago and came in late; then the present ones.
    for _ in 0..2 {
        let past = (PHASE.load(Ordering::Relaxed) % 2) ^ 1;
        for stripe in &READERS[past] {
            while stripe.0.load(Ordering::SeqCst) != 0 {
                if patience == 0 {
                    return false;
                }
                patience -= 1;
                // SAFETY: sched_yield has no precondition.
                unsafe { libc::sched_yield() };
            }
        }
        PHASE.store(past, Ordering::SeqCst);
    }
    true
}

/// Forgets readers that a forked child has not inherited.
pub fn forget_readers() {
    for stripe in READERS.iter().flatten() {
        stripe.0.store(0, Ordering::Relaxed);
    }
}

/// The table that a non-empty entry leads to. For the lock's holder, who alone unmaps tables.
#[inline(always)]
fn table<T>(entry: &AtomicU64) -> Option<&'static T> {
    let entry = entry.load(Ordering::Relaxed);
    if entry == 0 || entry & WHOLE != 0 {
        return None;
    }
    let table = ptr::with_exposed_provenance::<T>(entry as usize);
    // SAFETY: an entry that is neither 0 nor WHOLE is a table, of the kind that belongs to its level (each caller's
    // entry type says which), mapped until the lock's holder releases it.
    Some(unsafe { &*table })
}

/// Directory number `number`, if there is one. For the lock's holder, as the next three.
#[inline(always)]
pub fn directory(number: usize) -> Option<&'static Directory> {
    table(ROOT.get(number)?)
}

/// Row number `number` (mod 4096) of a directory.
#[inline(always)]
pub fn row(directory: &Directory, number: usize) -> Option<&'static Row> {
    table(&directory.entries[number % DIRECTORY_ENTRIES])
}

/// Sheet number `number` (mod 256) of a row.
#[inline(always)]
pub fn sheet(row: &Row, number: usize) -> Option<&'static Sheet> {
    table(&row.entries[number % ROW_ENTRIES])
}

/// The tables above `at`, if they go down to a sheet.
#[inline]
pub fn path(at: u64) -> Option<Path> {
    let directory = directory((at >> ROOT_SHIFT) as usize)?;
    let row = row(directory, (at >> DIRECTORY_SHIFT) as usize)?;
    let sheet = sheet(row, (at >> ROW_SHIFT) as usize)?;
    Some(Path { number: at >> ROW_SHIFT, directory, row, sheet })
}

impl Path {
    /// The tables above `at`, which is likely near.
    #[inline(always)]
    pub fn near(&self, at: u64) -> Option<Path> {
        if at >> ROW_SHIFT == self.number { Some(*self) } else { path(at) }
    }
}

impl Sheet {
    /// Whether the byte at `at` is PROCESS. For the lock's holder.
    #[inline(always)]
    pub fn is_process(&self, at: u64) -> bool {
        let state = self.states[(at >> UNIT_SHIFT) as usize % 256].load(Ordering::Relaxed);
        let Some(number) = state.checked_sub(1) else { return false };
        if state & FULL != 0 {
            return true;
        }
        // SAFETY: a state's number names bits, which the lock's holder alone unmaps.
        let bits = unsafe { &*BITS.at(number) };
        bits[(at >> 6) as usize % 4].load(Ordering::Relaxed) >> (at % 64) & 1 != 0
    }

    /// A hint: the bits around `at` are asked for soon.
    #[inline(always)]
    pub fn soon(&self, at: u64) {
        let state = self.states[(at >> UNIT_SHIFT) as usize % 256].load(Ordering::Relaxed);
        soon(BITS.at((state & !FULL).saturating_sub(1)));
    }

    /// The distance noted for the KiB of `at`.
    #[inline(always)]
    pub fn distance(&self, at: u64) -> u64 {
        self.distances[(at >> KIB_SHIFT) as usize % 64].load(Ordering::Relaxed)
    }

    /// Notes distance and region for the KiB of `at`.
    #[inline(always)]
    pub fn note(&self, at: u64, distance: u64, region: u32) {
        let kib = (at >> KIB_SHIFT) as usize % 64;
        self.distances[kib].store(distance, Ordering::Relaxed);
        self.regions[kib].store(region, Ordering::Relaxed);
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
