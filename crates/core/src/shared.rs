//! Counters that outlive the process: its pages of counters, mapped shared from a file that `mems run` reads.
//!
//! The file is an array of pages: header, account, what a forked child's counters began at, then one page a heap. Each
//! is laid over the private page of the same content, so counting costs what it always costs, and what was counted is in
//! the file however the process ends. Where the file cannot be had the private page stays, and the header says how many.
//! A forked child leaves its parent's file at once, before it counts anything. Owns the header; makes no system call
//! but mmap: the file is behind the [`Door`] that the root brings.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};

use crate::account::{ACCOUNT, Account};
use crate::class;
use crate::count::{Counter, Counters, Due, FUNCTIONS, SIZES, Snapshot};
use crate::os::{self, PAGE};

/// What a file of counters begins with.
pub const MAGIC: u64 = u64::from_le_bytes(*b"MEMSCNT\n");
/// The version of the header.
pub const VERSION: u32 = 1;
/// Pages before the first heap's: header, account, base.
pub const FIRST_HEAP: usize = 3;
/// What the other pages look like depends on the build: reader and writer must have the same number here.
pub const LAYOUT: u64 = layout();

const fn layout() -> u64 {
    let due = size_of::<Due>();
    let sizes =
        [size_of::<Header>(), size_of::<Snapshot>(), SIZES, FUNCTIONS, class::COUNT, class::LIMIT, due];
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut i = 0;
    while i < sizes.len() + class::COUNT {
        let word =
            if i < sizes.len() { sizes[i] as u64 } else { class::CLASSES[i - sizes.len() + 1].slot as u64 };
        hash = (hash ^ word).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    hash
}

/// How a process ended, in [`Header::state`].
pub mod state {
    /// It has not said that it ends.
    pub const LIVE: u32 = 0;
    /// exit().
    pub const EXIT: u32 = 1;
    /// _exit().
    pub const UNDERSCORE: u32 = 2;
    /// quick_exit().
    pub const QUICK: u32 = 3;
    /// Its image was to be replaced by [`super::Header::exec`].
    pub const EXEC: u32 = 4;
}

/// The first page: who the process is. Times in nanoseconds.
#[repr(C, align(4096))]
pub struct Header {
    /// [`MAGIC`].
    pub magic: AtomicU64,
    /// [`LAYOUT`].
    pub layout: AtomicU64,
    /// [`VERSION`].
    pub version: AtomicU32,
    /// The process's number.
    pub pid: AtomicU32,
    /// Its parent's.
    pub ppid: AtomicU32,
    /// 1 in a forked child that has not called exec.
    pub forked: AtomicU32,
    /// When it began, since 1970.
    pub start_unix_ns: AtomicU64,
    /// The same moment on CLOCK_MONOTONIC.
    pub start_ns: AtomicU64,
    /// When it ended, on CLOCK_MONOTONIC; 0: it did not say.
    pub end_ns: AtomicU64,
    /// In a forked child: blocks live at the fork.
    pub inherited_blocks: AtomicU64,
    /// In a forked child: usable bytes live at the fork.
    pub inherited_bytes: AtomicU64,
    /// See [`state`].
    pub state: AtomicU32,
    /// The exit code.
    pub code: AtomicI32,
    /// Pages given out, these three included.
    pub pages: AtomicU32,
    /// Heaps whose counters are not here, since the file could not be had.
    pub private: AtomicU32,
    /// 1 when there were more argument bytes than were kept.
    pub args_cut: AtomicU32,
    /// Lengths of the texts.
    pub exe_len: AtomicU32,
    /// See `exe_len`.
    pub args_len: AtomicU32,
    /// See `exe_len`.
    pub exec_len: AtomicU32,
    /// Path of the executable.
    pub exe: [AtomicU8; 1000],
    /// The arguments, each ended by a NUL.
    pub args: [AtomicU8; 2000],
    /// What it called exec with.
    pub exec: [AtomicU8; 900],
}

const _: () = assert!(size_of::<Header>() == PAGE);

/// This process's header; only with a door it tells anything.
pub static HEADER: Header = {
    // SAFETY: numbers, for which zero is a value.
    unsafe { core::mem::zeroed() }
};

/// The way to the file. Both leave errno alone, raise no signal, and take no lock.
pub struct Door {
    /// Makes the file of the process that began at `start_ns` (CLOCK_MONOTONIC), with number `pid`. False: there is none.
    pub create: fn(pid: u32, start_ns: u64) -> bool,
    /// Writes `content` to page `number` of it, so that the page has its place on the disk, and returns the descriptor.
    pub put: fn(number: usize, content: &[u8; PAGE]) -> Option<i32>,
}

static DOOR: AtomicPtr<Door> = AtomicPtr::new(ptr::null_mut());

/// What a fork copies: header, account, base, heaps in the order in which they are listed.
static COPIES: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
static COPIES_LEN: AtomicUsize = AtomicUsize::new(0);
static COPIED: AtomicUsize = AtomicUsize::new(0);

/// The 512 words of a page of counters.
type Words = [Counter; PAGE / 8];

/// Whether the counters are in a file.
pub fn is_open() -> bool {
    !DOOR.load(Acquire).is_null()
}

fn door() -> Option<&'static Door> {
    // SAFETY: null, or the door that open was given for good.
    unsafe { DOOR.load(Acquire).as_ref() }
}

/// Moves this process's counters into a file. The header's facts are set before. `heaps`: the counters that exist.
/// To be called once, at load.
pub fn open(door: &'static Door, heaps: impl Iterator<Item = &'static Counters>) {
    HEADER.magic.store(MAGIC, Relaxed);
    HEADER.layout.store(LAYOUT, Relaxed);
    HEADER.version.store(VERSION, Relaxed);
    HEADER.pages.store(FIRST_HEAP as u32, Relaxed);
    if !(door.create)(HEADER.pid.load(Relaxed), HEADER.start_ns.load(Relaxed)) {
        return;
    }
    let whole = lay(door, words(&HEADER), 0, words(&HEADER))
        && lay(door, words(&ACCOUNT), 1, words(&ACCOUNT))
        && (door.put)(2, &[0; PAGE]).is_some();
    if whole {
        DOOR.store(ptr::from_ref(door).cast_mut(), Release);
        heaps.for_each(place);
    }
}

/// Gives the counters of a new heap their page of the file, if there is one.
pub fn place(counters: &'static Counters) {
    let Some(door) = door() else { return };
    let number = HEADER.pages.fetch_add(1, Relaxed) as usize;
    if !lay(door, words(counters), number, words(counters)) {
        HEADER.private.fetch_add(1, Relaxed);
    }
}

/// Before fork, when no heap is born any more: keeps what the child's counters begin with.
pub fn keep_copies(heaps: impl Iterator<Item = &'static Counters> + Clone) {
    if !is_open() {
        return;
    }
    let pages = FIRST_HEAP + heaps.clone().count();
    COPIED.store(0, Relaxed);
    if COPIES_LEN.load(Relaxed) < pages * PAGE && !room_for_copies(pages.next_power_of_two() * PAGE) {
        return;
    }
    copy(copied(0), words(&HEADER));
    copy(copied(1), words(&ACCOUNT));
    let base = copied(2);
    base.iter().for_each(|word| word.set(0));
    for (index, counters) in heaps.enumerate() {
        copy(copied(FIRST_HEAP + index), words(counters));
        base.iter().zip(words(counters)).for_each(|(sum, word)| sum.add(word.get()));
    }
    COPIED.store(pages, Relaxed);
}

fn room_for_copies(len: usize) -> bool {
    let Some(fresh) = os::map(len, 0) else { return false };
    let old = COPIES.swap(fresh.as_ptr(), Relaxed);
    let old_len = COPIES_LEN.swap(len, Relaxed);
    if let Some(old) = NonNull::new(old) {
        // SAFETY: the mapping was made here, and only a fork, which is this thread's, uses it.
        unsafe { os::unmap(old, old_len) };
    }
    true
}

/// In a forked child, before it counts: leaves the parent's file for one of its own, or for private pages.
pub fn part(heaps: impl Iterator<Item = &'static Counters>) {
    let Some(door) = door() else { return };
    if COPIED.load(Relaxed) == 0 {
        // There was no memory for copies. The child begins with what the parent has counted by now, in private.
        DOOR.store(ptr::null_mut(), Release);
        for page in [words(&HEADER), words(&ACCOUNT)].into_iter().chain(heaps.map(words)) {
            let now: [u64; PAGE / 8] = core::array::from_fn(|i| page[i].get());
            if make_private(page) {
                page.iter().zip(now).for_each(|(to, from)| to.set(from));
            }
        }
        return;
    }
    let header = copied(0).as_ptr().cast::<Header>();
    // SAFETY: a copy of the header, in a page of its own.
    let header = unsafe { &*header };
    header.ppid.store(header.pid.load(Relaxed), Relaxed);
    // SAFETY: getpid has no precondition.
    header.pid.store(unsafe { libc::getpid() } as u32, Relaxed);
    header.start_ns.store(os::now_ns(), Relaxed);
    header.start_unix_ns.store(os::unix_ns(), Relaxed);
    header.forked.store(1, Relaxed);
    header.state.store(state::LIVE, Relaxed);
    header.exec_len.store(0, Relaxed);
    header.private.store(0, Relaxed);
    header.pages.store(COPIED.load(Relaxed) as u32, Relaxed);
    let mut whole = (door.create)(header.pid.load(Relaxed), header.start_ns.load(Relaxed))
        && (door.put)(2, bytes(copied(2))).is_some();
    let own = [(0, words(&HEADER)), (1, words(&ACCOUNT))];
    let heaps = heaps.enumerate().map(|(index, counters)| (FIRST_HEAP + index, words(counters)));
    for (number, page) in own.into_iter().chain(heaps) {
        whole = whole && lay(door, page, number, copied(number));
        if !whole {
            // A page that cannot be had stays the parent's: better two that count in it than one that writes it over.
            if make_private(page) {
                copy(page, copied(number));
            }
        }
    }
    if !whole {
        DOOR.store(ptr::null_mut(), Release);
    }
}

/// In a forked child: what it inherited.
pub fn inherited(blocks: u64, bytes: u64) {
    HEADER.inherited_blocks.store(blocks, Relaxed);
    HEADER.inherited_bytes.store(bytes, Relaxed);
}

/// The process is about to end in this way, or to call exec with this path. Only its own threads call this.
pub fn ends(kind: u32, code: i32, path: &[u8]) {
    HEADER.exec_len.store(write_text(&HEADER.exec, path), Relaxed);
    HEADER.code.store(code, Relaxed);
    HEADER.end_ns.store(os::now_ns(), Relaxed);
    HEADER.state.store(kind, Release);
}

/// It goes on after all.
pub fn goes_on() {
    HEADER.state.store(state::LIVE, Relaxed);
    HEADER.end_ns.store(0, Relaxed);
}

/// Writes a text into the header; how much of it there was room for.
pub fn write_text(place: &[AtomicU8], text: &[u8]) -> u32 {
    place.iter().zip(text).for_each(|(to, from)| to.store(*from, Relaxed));
    place.len().min(text.len()) as u32
}

/// Writes `content` to the file's page and lays that over `page`. False: `page` is as it was.
fn lay(door: &Door, page: &'static Words, number: usize, content: &Words) -> bool {
    let Some(descriptor) = (door.put)(number, bytes(content)) else { return false };
    let at = NonNull::from(page).cast();
    // SAFETY: a page of counters or the header, written by this thread or a fork's only one; put made the file's page.
    unsafe { os::share(at, descriptor, number * PAGE) }
}

fn make_private(page: &'static Words) -> bool {
    // SAFETY: a page of counters, whose content the caller writes anew.
    unsafe { os::purge(NonNull::from(page).cast(), PAGE) }
}

fn copied(number: usize) -> &'static Words {
    let at = COPIES.load(Relaxed).wrapping_add(number * PAGE).cast::<Words>();
    // SAFETY: a page of the mapping that keep_copies made large enough; any bytes are counters.
    unsafe { &*at }
}

fn copy(to: &Words, from: &Words) {
    to.iter().zip(from).for_each(|(to, from)| to.set(from.get()));
}

/// A page that consists of numbers.
trait Page {}
impl Page for Counters {}
impl Page for Header {}
impl Page for Account {}

fn words<P: Page>(page: &P) -> &Words {
    // SAFETY: each is one aligned page of atomic numbers without a hole that matters, and a Counter is an atomic word.
    unsafe { &*ptr::from_ref(page).cast::<Words>() }
}

fn bytes(page: &Words) -> &[u8; PAGE] {
    // SAFETY: a page of numbers is so many bytes. The kernel reads them as they are.
    unsafe { &*ptr::from_ref(page).cast::<[u8; PAGE]>() }
}
