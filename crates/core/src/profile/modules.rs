//! The modules: which file's code lies at an address, and when it was loaded and unloaded.
//!
//! What there is to know of a module is asked of the dynamic linker (see `linker`), never under a lock of ours.
//! Owns the table of the modules that were ever met; a closed one stays in it, with the generation in which it went.

mod linker;

pub use linker::{Place, place, restart};

use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::*};

use super::table::Table;
use crate::lock::{Lock, Rank, Side};

/// Modules that are told apart. Later ones are not known, and code in them has no module.
pub const LIMIT: usize = 1024;
/// Executable segments that are kept of a module.
pub const TEXTS: usize = 4;
/// Bytes of a path that are kept.
const PATH: usize = 512;
/// No module.
pub const NONE: u16 = u16::MAX;

/// One module. Numbers, for which any bytes are values.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Module {
    /// Where it lies, or lay.
    pub place: Place,
    /// Added to its file's addresses when it was loaded.
    pub bias: usize,
    /// Its executable segments, from and to; (0, 0): none.
    pub texts: [(usize, usize); TEXTS],
    /// The build id, and its length.
    build_id: ([u8; 32], usize),
    path: ([u8; PATH], usize),
    /// The generation in which it was first met.
    pub from: u32,
    /// The one in which it was found closed; `u32::MAX`: it is open.
    pub to: u32,
}

impl Module {
    const NONE: Module = Module {
        place: Place { start: 0, end: 0, header: 0 },
        bias: 0,
        texts: [(0, 0); TEXTS],
        build_id: ([0; 32], 0),
        path: ([0; PATH], 0),
        from: 0,
        to: u32::MAX,
    };

    /// The path it was loaded from; empty for the program itself.
    pub fn path(&self) -> &[u8] {
        self.path.0.get(..self.path.1).unwrap_or_default()
    }

    /// Whether it is the same file at the same place.
    fn is_same(&self, other: &Module) -> bool {
        let places = (self.place.start, self.place.end, self.place.header, self.bias);
        places == (other.place.start, other.place.end, other.place.header, other.bias)
            && self.build_id() == other.build_id()
            && self.path() == other.path()
    }

    /// The build id; empty where it has none.
    pub fn build_id(&self) -> &[u8] {
        self.build_id.0.get(..self.build_id.1).unwrap_or_default()
    }
}

/// The table; entries below COUNT are whole, and only `to` of them changes, under the lock.
static TABLE: Table<Module> = Table::new();
/// Modules there is room for at first.
const FIRST: usize = 32;
static COUNT: AtomicUsize = AtomicUsize::new(0);
static LOCK: Lock<()> = Lock::new(Rank::Modules, ());

/// How often code was found unloaded.
static GENERATION: AtomicU32 = AtomicU32::new(0);
/// How often a module that had been closed was met again where it had been.
static REOPENED: AtomicU32 = AtomicU32::new(0);
/// How often dlclose was called.
static UNLOADS: AtomicU32 = AtomicU32::new(0);

/// Maps the table and readies the linker's functions. Called once, at load. False when memory is short.
pub fn start() -> bool {
    if !TABLE.lengthen(FIRST) {
        return false;
    }
    linker::start();
    true
}

/// The generation now.
pub fn generation() -> u32 {
    GENERATION.load(Relaxed)
}

/// Tells that dlclose was called.
pub fn closed() {
    UNLOADS.fetch_add(1, Release);
}

/// How often dlclose was called: when that has changed, [`check`] is due. One load.
#[inline(always)]
pub fn unloads() -> u32 {
    UNLOADS.load(Relaxed)
}

/// The addresses of the words that hold where the table is and how many modules it has: for a reader from outside.
pub fn places() -> [usize; 2] {
    [TABLE.place(), ptr::from_ref(&COUNT).addr()]
}

/// The modules met so far.
pub fn known() -> &'static [Module] {
    let count = COUNT.load(Acquire);
    TABLE.all().get(..count).unwrap_or_default()
}

/// The number of the open module that has `pc`, met now or before; [`NONE`] when there is none or no room.
pub fn of(pc: usize) -> u16 {
    let in_it = |m: &Module| m.to == u32::MAX && (m.place.start..m.place.end).contains(&pc);
    let number = known().iter().rposition(in_it);
    if let Some(number) = number {
        return number as u16;
    }
    let Some(mut module) = linker::ask(pc) else { return NONE };
    let Some(_guard) = LOCK.take() else { return NONE };
    let count = COUNT.load(Relaxed);
    if let Some(number) = known().iter().rposition(in_it) {
        return number as u16;
    }
    // A plugin that comes and goes is one module, as long as it comes to the same place.
    if let Some(number) = known().iter().position(|old| old.to != u32::MAX && old.is_same(&module)) {
        set_end(number, u32::MAX);
        REOPENED.fetch_add(1, Relaxed);
        return number as u16;
    }
    let room = TABLE.all().len();
    if count >= LIMIT || count == room && !TABLE.lengthen(room * 2) {
        return NONE;
    }
    module.from = GENERATION.load(Relaxed);
    // SAFETY: an entry at COUNT is nobody's but the lock's holder's.
    let entry = unsafe { TABLE.all().as_ptr().cast_mut().add(count) };
    // SAFETY: as above.
    unsafe { entry.write(module) };
    COUNT.store(count + 1, Release);
    count as u16
}

/// Finds out which modules are gone. True when there were any: then a new generation has begun, and what is remembered of
/// their addresses has to be forgotten.
pub fn check() -> bool {
    let mut gone = [0u64; LIMIT / 64];
    for (number, module) in known().iter().enumerate() {
        let now = place(module.place.start);
        let same =
            now.is_some_and(|now| now.start == module.place.start && now.header == module.place.header);
        // The program, and what is there for good, may have no such segment and not be found at its first byte.
        let gone_now = module.to == u32::MAX && !same && place_in(module).is_none();
        gone[number / 64] |= u64::from(gone_now) << (number % 64);
    }
    if gone.iter().all(|word| *word == 0) {
        return false;
    }
    let Some(_guard) = LOCK.take() else { return false };
    let generation = GENERATION.fetch_add(1, Relaxed) + 1;
    for number in 0..COUNT.load(Relaxed) {
        if gone[number / 64] & 1 << (number % 64) != 0 {
            set_end(number, generation);
        }
    }
    true
}

/// Writes the generation in which a module was closed. The caller holds the lock.
fn set_end(number: usize, generation: u32) {
    // SAFETY: an entry below COUNT, whose `to` only the lock's holder writes.
    let entry = unsafe { TABLE.all().as_ptr().cast_mut().add(number) };
    // SAFETY: as above; a raw place, since others read the entry.
    let to = unsafe { ptr::addr_of_mut!((*entry).to) };
    // SAFETY: as above.
    unsafe { to.write(generation) };
}

/// How often a closed module was met again: then sites in it are to be found again.
pub fn reopened() -> u32 {
    REOPENED.load(Relaxed)
}

/// [`check`] at the end of the process, where the linker's lock must not be waited for.
pub fn check_last() {
    if linker::needs_no_lock() && UNLOADS.load(Relaxed) != 0 {
        check();
    }
}

/// The place of a module's code now, if it is still that module.
fn place_in(module: &Module) -> Option<Place> {
    let text = module.texts.iter().find(|text| text.1 != 0)?;
    place(text.0).filter(|now| now.start == module.place.start && now.header == module.place.header)
}

/// Before fork: no other thread is inside until [`fork_done`].
pub fn fork_prepare() {
    LOCK.park();
}

/// After fork, in parent and child.
///
/// # Safety
/// The calling thread called [`fork_prepare`] (or is its copy in the child).
pub unsafe fn fork_done(side: Side) {
    // SAFETY: passed on; the thread that holds the lock is this one.
    unsafe { LOCK.reset(side) };
}
