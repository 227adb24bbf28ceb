//! All heaps: their birth, their threads' end, the hand-over to new threads, the fork.
//!
//! Heaps are never unmapped, so the list of all of them is walked without a lock. One lock guards birth and
//! hand-over. The heaps called *shared* serve calls that come where a thread has no heap of its own to
//! use: after its end, or in a signal handler that came in while it was inside a slow path.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering::*, fence};

use crate::account::ACCOUNT;
use crate::count::NEVER;
use crate::heap::{BUSY, EMPTY, GONE, Heap, State};
use crate::lock::{self, Guard, Lock, Rank, Side};
use crate::whole::WHOLE;
use crate::{large, mode, os, pagemap, pool, remote, secret, shared, stack, tls};

/// The first of the heaps without a thread.
static ABANDONED: Lock<Option<&'static Heap>> = Lock::new(Rank::Births, None);
/// The heaps for calls without a heap of their own, each made when first needed. Several, so that no signal handler has
/// to wait for one: who has it may wait for a lock that the handler's thread was interrupted in.
static SHARED: [Lock<Option<&'static Heap>>; lock::SHARED as usize] = {
    macro_rules! locks {
        ($($number:literal)*) => { [$(Lock::new(Rank::Shared($number), None)),*] };
    }
    locks!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
};
static NEWEST: AtomicPtr<Heap> = AtomicPtr::new(core::ptr::null_mut());

/// Threads that have a heap.
pub static THREADS: &AtomicU64 = &ACCOUNT.threads[0];
/// The most there were at once.
pub static THREADS_PEAK: &AtomicU64 = &ACCOUNT.threads[1];
/// All there ever were.
pub static THREADS_EVER: &AtomicU64 = &ACCOUNT.threads[2];

/// The pthread key whose destructor tells of a thread's end, + 1; 0: none yet.
static KEY: AtomicUsize = AtomicUsize::new(0);
const KEY_REFUSED: usize = usize::MAX;

/// A heap that a thread can have: with its stacks' rooms, one behind the other.
#[repr(C)]
struct Furnished {
    heap: Heap,
    rooms: [Cell<usize>; stack::ROOMS],
}

impl Furnished {
    /// Readies one of zero bytes.
    fn open(&'static self, secret: usize) -> &'static Heap {
        self.heap.open(&self.rooms, secret);
        &self.heap
    }
}

/// Leave to use a heap in a slow path; ends when dropped.
pub struct Entry {
    /// The heap.
    pub heap: &'static Heap,
    shared: Option<Shared>,
}

/// The use of a shared heap.
struct Shared {
    _heap: Guard<'static, Option<&'static Heap>>,
    /// What the thread's slot held before.
    had: &'static Heap,
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        match &self.shared {
            None => {
                self.heap.inside.store(false, Release);
                tls::set_heap(self.heap);
            }
            Some(shared) => tls::set_heap(shared.had),
        }
    }
}

/// Whether new threads' heaps let the fast paths serve what they can.
static PASS: AtomicBool = AtomicBool::new(true);

/// From now on every allocation of this thread, and of those that have no heap yet, takes the slow path. For good.
pub fn let_nothing_pass() {
    PASS.store(false, Release);
    tls::heap().pass.set(false);
}

/// Whether new threads' heaps count up to blocks that are due.
static ARMED: AtomicBool = AtomicBool::new(false);

/// From now on blocks of this thread, and of those that have no heap yet, are due now and then (see `count`). For good.
pub fn arm() {
    ARMED.store(true, Release);
    if let Some(heap) = tls::own() {
        heap.counters.arm();
    }
}

/// Starts a change of the calling thread's heap. Meanwhile its slot holds a heap in which nothing is found, so that
/// a signal handler's calls come to `enter_elsewhere` and do not meet the half-changed one.
#[inline]
pub fn begin(heap: &'static Heap) -> Entry {
    tls::set_heap(&BUSY);
    heap.inside.store(true, Release);
    Entry { heap, shared: None }
}

/// Enters the calling thread's heap, or the shared one where that cannot be used. None when neither can: in
/// a signal handler inside a call that uses the shared heap, or when memory is short.
#[inline]
pub fn enter() -> Option<Entry> {
    let heap = tls::heap();
    // Not by its state alone: that lies on a page of the empty heap which nothing else reads.
    if !core::ptr::eq(heap, &EMPTY) && heap.state.load(Relaxed) == State::Live as u8 {
        let entry = begin(heap);
        large::end_waiting();
        return Some(entry);
    }
    enter_elsewhere(heap)
}

#[cold]
#[inline(never)]
fn enter_elsewhere(heap: &'static Heap) -> Option<Entry> {
    let had = heap;
    // What comes in from here on is a handler that interrupts.
    tls::set_heap(&BUSY);
    if core::ptr::eq(heap, &EMPTY) {
        let born = birth();
        tls::set_heap(born.unwrap_or(&EMPTY));
        let heap = born?;
        // After the heap is in place: with many keys pthread_setspecific allocates.
        watch_thread(heap);
        return Some(begin(heap));
    }
    let entry = share(had);
    if entry.is_none() {
        tls::set_heap(had);
    }
    entry
}

/// Enters a shared heap that nobody uses; a thread that has ended waits for one. None when memory is short, or when as
/// many handlers as there are such heaps interrupted slow paths at once.
fn share(had: &'static Heap) -> Option<Entry> {
    let mut shared = match SHARED.iter().find_map(Lock::try_take) {
        Some(shared) => shared,
        None if !core::ptr::eq(had, &BUSY) => SHARED[0].take()?,
        None => return None,
    };
    let heap = match *shared {
        Some(heap) => heap,
        None => {
            let heap = make()?;
            heap.state.store(State::Live as u8, Release);
            *shared = Some(heap);
            heap
        }
    };
    share_level();
    Some(Entry { heap, shared: Some(Shared { _heap: shared, had }) })
}

/// A heap for the calling thread: an abandoned one, or a new one.
fn birth() -> Option<&'static Heap> {
    let mut abandoned = ABANDONED.take()?;
    let heap = match adopt(&mut abandoned) {
        Some(heap) => heap,
        None => make()?,
    };
    let now = THREADS.fetch_add(1, Relaxed) + 1;
    THREADS_PEAK.fetch_max(now, Relaxed);
    if THREADS_EVER.fetch_add(1, Relaxed) > 0 {
        share_level();
    }
    if mode::is_hardened() {
        // The plain fast paths find nothing: they are to end at their first question.
        pagemap::watch();
    }
    heap.pass.set(PASS.load(Acquire) && !mode::is_hardened());
    if ARMED.load(Acquire) {
        heap.counters.arm();
    }
    heap.state.store(State::Live as u8, Release);
    Some(heap)
}

/// Takes an abandoned heap over, unless somebody is just emptying its inbox: None. False for a lost one.
fn take_over(heap: &Heap) -> Option<bool> {
    let (from, to) = (State::Abandoned as u8, State::Live as u8);
    match heap.state.compare_exchange(from, to, AcqRel, Relaxed) {
        Ok(_) => Some(true),
        Err(state) => (state == State::Lost as u8).then_some(false),
    }
}

/// Takes a heap from the list and over. Those whose inbox somebody is just emptying stay in it and are waited for, but not for
/// ever: that thread may be in a signal handler that waits for this one. Lost ones leave it.
fn adopt(list: &mut Option<&'static Heap>) -> Option<&'static Heap> {
    // 20 ms in all: what a new heap costs is for good.
    const LOOKS: u32 = 400;
    const PAUSE_NS: u64 = 50_000;
    for _ in 0..LOOKS {
        let (mut visited, mut found) = (None, None);
        while let Some(heap) = *list {
            *list = heap.next_abandoned.get();
            match take_over(heap) {
                Some(true) => {
                    heap.wake();
                    found = Some(heap);
                    break;
                }
                Some(false) => {}
                None => {
                    heap.next_abandoned.set(visited);
                    visited = Some(heap);
                }
            }
        }
        let any = visited.is_some();
        while let Some(heap) = visited {
            visited = heap.next_abandoned.get();
            heap.next_abandoned.set(*list);
            *list = Some(heap);
        }
        if found.is_some() || !any {
            return found;
        }
        lock::pause(PAUSE_NS);
    }
    None
}

fn make() -> Option<&'static Heap> {
    let at = pool::take::<Furnished>()?;
    // SAFETY: a fresh mapping of zero bytes, which are a valid heap with its rooms, and never unmapped.
    let heap = unsafe { at.as_ref() }.open(secret::get());
    shared::place(&heap.counters);
    let mut newest = NEWEST.load(Relaxed);
    loop {
        // SAFETY: the list holds heaps only, and heaps are never unmapped.
        heap.older.set(unsafe { newest.as_ref() });
        match NEWEST.compare_exchange_weak(newest, at.cast().as_ptr(), Release, Relaxed) {
            Ok(_) => return Some(heap),
            Err(now) => newest = now,
        }
    }
}

/// All heaps, newest first.
pub fn heaps() -> impl Iterator<Item = &'static Heap> + Clone {
    // SAFETY: the list holds heaps only, and heaps are never unmapped.
    let newest = unsafe { NEWEST.load(Acquire).as_ref() };
    core::iter::successors(newest, |heap| heap.older.get())
}

/// The address of the word that holds the newest heap's.
pub fn place() -> usize {
    core::ptr::from_ref(&NEWEST) as usize
}

/// Tells the process-wide level that it has to be kept from now on.
fn share_level() {
    if WHOLE.shared.load(Acquire) {
        return;
    }
    let (mut live, mut peak) = ((0, 0), (0, 0, 0));
    for heap in heaps() {
        let (bytes, blocks) = heap.counters.level.live();
        let (top, top_blocks, when) = heap.counters.level.peak();
        heap.published.set((bytes / 16, blocks));
        live = (live.0 + bytes, live.1 + blocks);
        peak = (peak.0 + top, peak.1 + top_blocks, when.max(peak.2));
    }
    WHOLE.share(live, peak);
    // Whoever opens it again does so before this, or sees that the level is shared (see `heap::credit`).
    fence(SeqCst);
    heaps().for_each(|heap| heap.fence.store(NEVER, Relaxed));
}

/// Gives the free memory of heaps back: of `mine` and of those that rest without a thread.
pub fn release(mine: &'static Heap) {
    mine.release();
    heaps().for_each(remote::empty);
}

fn watch_thread(heap: &'static Heap) {
    let mut key = KEY.load(Acquire);
    if key == 0 {
        let mut fresh: libc::pthread_key_t = 0;
        // SAFETY: fresh is valid to write to, and the destructor is a function of this library, which stays loaded.
        let made = unsafe { libc::pthread_key_create(&mut fresh, Some(thread_ends)) } == 0;
        let wanted = if made { fresh as usize + 1 } else { KEY_REFUSED };
        key = match KEY.compare_exchange(0, wanted, AcqRel, Acquire) {
            Ok(_) => wanted,
            Err(other) => {
                if made {
                    // SAFETY: the key was just made here and nobody else knows it.
                    unsafe { libc::pthread_key_delete(fresh) };
                }
                other
            }
        };
    }
    if key != KEY_REFUSED {
        let value = core::ptr::from_ref(heap).cast();
        // SAFETY: the key was made above and is never deleted.
        unsafe { libc::pthread_setspecific((key - 1) as libc::pthread_key_t, value) };
    }
}

/// The key's destructor: runs in the ending thread, before the C library frees what it keeps for it.
extern "C" fn thread_ends(_: *mut libc::c_void) {
    let heap = tls::heap();
    if heap.state() != State::Live {
        return;
    }
    let entry = begin(heap);
    large::end_waiting();
    heap.credit_at_once();
    heap.settle();
    heap.rest();
    drop(entry);
    tls::set_heap(&GONE);
    THREADS.fetch_sub(1, Relaxed);
    abandon(heap);
}

fn abandon(heap: &'static Heap) {
    let Some(mut abandoned) = ABANDONED.take() else { return };
    heap.next_abandoned.set(*abandoned);
    heap.state.store(State::Abandoned as u8, Release);
    *abandoned = Some(heap);
    drop(abandoned);
    remote::visit(heap);
}

/// Before fork, in the forking thread: no other thread has or gets leave to change what is shared here until [`fork_done`].
pub fn fork_prepare() {
    ABANDONED.park();
    SHARED.iter().for_each(Lock::park);
}

/// After fork, in parent and child.
///
/// # Safety
/// The calling thread called [`fork_prepare`] (or is its copy in the child).
pub unsafe fn fork_done(side: Side) {
    for shared in SHARED.iter().rev() {
        // SAFETY: passed on.
        unsafe { shared.reset(side) };
    }
    // SAFETY: as above.
    unsafe { ABANDONED.reset(side) };
}

/// In a forked child, whose only thread this is: heaps of threads that are not here are left alone for good.
/// Their blocks stay as they are; when the child frees one, its memory is not used again. `alone`: nor were there others.
pub fn restart(alone: bool) {
    let mine = tls::heap();
    let shared = SHARED.each_ref().map(|shared| shared.take().and_then(|s| *s));
    for heap in heaps() {
        heap.published.set((0, 0));
        heap.counters.level.restart(os::coarse_ns());
        if core::ptr::eq(heap, mine) || shared.iter().flatten().any(|s| core::ptr::eq(heap, *s)) {
            continue;
        }
        // fork copies one page after the other while other threads run on, so what they left need not fit together.
        if !alone || heap.state() != State::Abandoned {
            heap.state.store(State::Lost as u8, Release);
        }
    }
    THREADS.store((mine.state() == State::Live) as u64, Relaxed);
    THREADS_PEAK.store(THREADS.load(Relaxed), Relaxed);
    THREADS_EVER.store(THREADS.load(Relaxed), Relaxed);
    WHOLE.shared.store(false, Release);
}
