//! The malloc family's rules: sizes, alignments, errno, zeroing, and what each call counts.
//!
//! The semantics are those of glibc's manual pages and POSIX. Every function here keeps errno unless it fails,
//! and sets ENOMEM (EINVAL where the manual says so) when it does. Fast paths touch the thread's heap only;
//! everything else goes through [`registry::enter`].

#[macro_use]
mod caller;
mod aligned;
mod behind;
mod booked;
mod bytes;
mod calloc;
mod guarded;
mod hardened;
mod kept;
mod lending;
mod ready;
mod realloc;
mod release;
pub mod watched;
mod ways;

pub use aligned::{aligned, posix_memalign, pvalloc};
pub use calloc::calloc;
use ready::{fitting, pop, popped, push, tallies};
pub use realloc::{realloc, reallocarray};
pub use release::report;
use release::{delete_sized_slow, delete_slow, free_sized_slow, free_slow, release};

use core::ptr::null_mut;
use core::sync::atomic::Ordering::Relaxed;

use crate::block::{self, Kind};
use crate::class::{self, CLASSES, SLAB_MAX, SMALL_MAX};
use crate::count::Function;
use crate::heap::Heap;
use crate::misuse::Misuse;
use crate::os::{self, PAGE};
use crate::profile::{self, Caller, Mode};
use crate::registry::{self, Entry};
use crate::{guard, large, mode, tls};

/// Requests above this fail, whatever memory there is.
pub const SIZE_LIMIT: usize = isize::MAX as usize;

/// Enters a heap for a slow path.
#[inline]
fn enter() -> Option<Entry> {
    let entry = registry::enter();
    crate::fork::watch();
    if profile::timeline::is_on()
        && let Some(entry) = &entry
    {
        profile::timeline::beat(entry.heap, profile::timeline::SLOW_CALLS);
    }
    entry
}

/// malloc. O(1) amortized; 30 instructions for a small size.
#[inline(always)]
pub fn malloc(size: usize) -> *mut u8 {
    let Some(heap) = tls::open() else { return ways::malloc(size) };
    let Some(offset) = fitting(heap, size) else { return malloc_cold(size) };
    match pop::<false>(heap, offset, size) {
        Some(block) => block,
        None => malloc_cold(size),
    }
}

/// operator new where nothing is out of the ordinary: malloc with counters of its own. None: [`new_slow`] is to be asked.
#[inline(always)]
pub fn new_fast(size: usize) -> Option<*mut u8> {
    let heap = tls::open()?;
    pop::<true>(heap, fitting(heap, size)?, size)
}

extern "C" fn malloc_slow(size: usize, site: usize, stack: usize, frame: usize) -> *mut u8 {
    slow::<false>(size, site, stack, frame)
}

/// malloc or operator new where the fast path ended.
#[inline(always)]
fn slow<const NEW: bool>(size: usize, site: usize, stack: usize, frame: usize) -> *mut u8 {
    if let Some(block) = behind::take::<NEW>(size) {
        return block;
    }
    match profile::mode() {
        Mode::Off => unwatched::<NEW>(size, site, stack, frame),
        Mode::Sites => ways::first_at_site::<NEW>(size, site),
        Mode::Stacks | Mode::Sample => watched::malloc::<NEW>(size, site, stack, frame),
    }
}

/// The same where no call site is recorded.
#[inline(never)]
extern "C" fn unwatched<const NEW: bool>(size: usize, site: usize, stack: usize, frame: usize) -> *mut u8 {
    if guard::is_on() {
        return guarded::malloc::<NEW>(size, &Caller { site, stack, frame });
    }
    allocate_tallied::<NEW>(size)
}

/// operator new in full, with its caller's return address, stack pointer after the return, and frame pointer. Null when
/// it fails; what follows is the caller's business.
pub extern "C" fn new_slow(size: usize, site: usize, stack: usize, frame: usize) -> *mut u8 {
    if let Some(ways) = hardened::ways()
        && let Some(block) = hardened::malloc_fast::<true, false>(ways, size)
    {
        return block;
    }
    slow::<true>(size, site, stack, frame)
}

#[inline(never)]
extern "C" fn allocate_tallied<const NEW: bool>(size: usize) -> *mut u8 {
    if let Some(block) = kept::take::<NEW>(size) {
        return block;
    }
    if size > SLAB_MAX {
        return allocate(enter().as_ref(), function::<NEW>(), size, 1, false);
    }
    refilled::<NEW>(class::of(size), size)
}

const fn function<const NEW: bool>() -> Function {
    if NEW { Function::New } else { Function::Malloc }
}

#[inline(never)]
fn refilled<const NEW: bool>(class: usize, size: usize) -> *mut u8 {
    let entry = enter();
    if !mode::is_hardened()
        && let Some(Entry { heap, .. }) = &entry
        && let Some(block) = heap.take(class)
    {
        tallies::<NEW>(&heap.counters)[class].add(size);
        heap.counters.level.add(CLASSES[class].weight);
        return block as *mut u8;
    }
    // Where there is not even a slab to be had, or the engine cannot be used, a page may do.
    let align = if mode::is_hardened() { 1 } else { PAGE };
    allocate(entry.as_ref(), function::<NEW>(), size, align, false)
}

/// Sets ENOMEM, counts the failure, returns null.
#[cold]
pub fn fail(entry: Option<&Entry>, function: Function) -> *mut u8 {
    if let Some(entry) = entry {
        entry.heap.counters.failed[function as usize].add(1);
    }
    os::set_errno(libc::ENOMEM);
    null_mut()
}

/// Any allocation, counted as `function`'s. `align` is a power of two.
fn allocate(entry: Option<&Entry>, function: Function, size: usize, align: usize, zeroed: bool) -> *mut u8 {
    if mode::is_hardened() {
        return hardened::allocate(entry, function, size, align);
    }
    if size > SIZE_LIMIT || align > SIZE_LIMIT {
        return fail(entry, function);
    }
    let Some(taken) = take(entry, size, align, zeroed) else { return fail(entry, function) };
    if let Some(entry) = entry {
        entry.heap.counters.block(function, size, taken.usable);
    }
    taken.block as *mut u8
}

/// A block for `size` bytes, uncounted. Where the kernel refuses, what heaps keep for later goes back first, so
/// that nothing fails for the sake of memory that nobody uses.
fn take(entry: Option<&Entry>, size: usize, align: usize, zeroed: bool) -> Option<large::Taken> {
    let taken = take_once(entry, size, align, zeroed);
    match entry {
        Some(entry) if taken.is_none() && size <= crate::engine::MAPPED.load(Relaxed) => {
            registry::release(entry.heap);
            take_once(Some(entry), size, align, zeroed)
        }
        _ => taken,
    }
}

fn take_once(entry: Option<&Entry>, size: usize, align: usize, zeroed: bool) -> Option<large::Taken> {
    // Where there is not even a slab to be had, or the engine cannot be used, a page may do.
    if let Some(entry) = entry
        && let Some(class) = class::of_aligned(size, align)
        && let Some(block) = entry.heap.take_aligned(class, align)
    {
        let usable = CLASSES[class].slot as usize;
        if zeroed {
            clear(block, size);
        }
        return Some(large::Taken { block, usable, zero: zeroed });
    }
    if let Some(entry) = entry {
        if align <= PAGE
            && let Some(large) = large::take_kept(entry.heap, size)
        {
            let (block, usable) = (large.base.get(), large.usable());
            if zeroed {
                large::clear(block, size);
            }
            return Some(large::Taken { block, usable, zero: zeroed });
        }
        large::make_way(entry.heap, size);
        entry.heap.settle();
    }
    let taken = large::take(size, align, None)?;
    if zeroed && !taken.zero {
        large::clear(taken.block, taken.usable);
    }
    Some(taken)
}

fn clear(block: usize, len: usize) {
    // SAFETY: the block was just taken, is `len` bytes long and nobody else's.
    unsafe { core::ptr::write_bytes(block as *mut u8, 0, len) };
}

/// free. Does nothing for null. O(1) amortized.
#[inline(always)]
pub fn free(pointer: *mut u8) {
    let Some(heap) = tls::open() else { return ways::free(pointer as usize) };
    if !free_fast(Some(heap), pointer as usize) {
        free_cold(pointer as usize);
    }
}

/// operator delete.
#[inline(always)]
pub fn delete(pointer: *mut u8) {
    if free_fast(tls::open(), pointer as usize) {
        return tls::heap().counters.deleted();
    }
    delete_cold(pointer as usize);
}

/// operator delete that names the block's size. In plain mode the size goes unchecked.
#[inline(always)]
pub fn delete_sized(pointer: *mut u8, size: usize) {
    if free_fast(tls::open(), pointer as usize) {
        return tls::heap().counters.deleted();
    }
    delete_sized_cold(pointer as usize, size);
}

/// free_sized: free that names the block's size. In plain mode the size goes unchecked.
#[inline(always)]
pub fn free_sized(pointer: *mut u8, size: usize) {
    if !free_fast(tls::open(), pointer as usize) {
        free_sized_cold(pointer as usize, size);
    }
}

/// Frees a block of a slab onto this thread's stack of its class where nothing is out of the ordinary, whichever heap owns
/// the slab; false (nothing done) otherwise. Of the slab and its owner it reads two bytes of the page map alone, since their
/// lines may be written by another thread just now.
#[inline(always)]
fn free_fast(own: Option<&'static Heap>, block: usize) -> bool {
    let Some(heap) = own else { return false };
    let Some(twin) = crate::pagemap::unwatched_twin(block) else { return false };
    let stack = heap.twin_at(twin);
    if !stack.starts_slot(block)
        || heap.counters.level.is_above_peak()
        || block::may_be_marked(block, heap.secret.get())
    {
        return false;
    }
    let Some(place) = stack.place() else { return false };
    push(heap, stack, place, block);
    true
}

short_way! {
    /// Where malloc's fast path ends. By jumps, all of them.
    malloc_cold(size) -> *mut u8 => malloc_unready
}
short_way! {
    /// Where free's does.
    free_cold(pointer) => free_unready
}

/// In hardened mode the caller is not needed as a rule.
#[cold]
#[inline(never)]
extern "C" fn malloc_unready(size: usize) -> *mut u8 {
    match hardened::ways() {
        Some(ways) => hardened::jumps::malloc(size, ways),
        None => malloc_with_caller(size),
    }
}

/// As [`malloc_unready`].
#[cold]
#[inline(never)]
extern "C" fn free_unready(pointer: usize) {
    match hardened::ways() {
        Some(ways) => hardened::jumps::free(pointer, ways),
        None => free_with_caller(pointer),
    }
}

with_caller! {
    /// Reached by jumps from the exported function, so that the return address is still the program's.
    malloc_with_caller(size) -> *mut u8, 1 => malloc_slow
}
with_caller! {
    /// As `malloc_with_caller`.
    free_with_caller(pointer), 1 => free_slow
}
with_caller! {
    /// As `malloc_with_caller`.
    delete_cold(pointer), 1 => delete_slow
}
with_caller! {
    /// As `malloc_with_caller`.
    free_sized_cold(pointer, size), 2 => free_sized_slow
}
with_caller! {
    /// As `malloc_with_caller`.
    delete_sized_cold(pointer, size), 2 => delete_sized_slow
}

/// malloc_usable_size: 0 for null and (after a report) for what is no block.
pub fn usable_size(pointer: *mut u8, site: usize) -> usize {
    let address = pointer as usize;
    if address == 0 {
        return 0;
    }
    if mode::is_hardened() {
        return hardened::usable_size(address, site);
    }
    if guard::owns(address) {
        return guarded::usable_size(address, site);
    }
    let name = "malloc_usable_size";
    let wrong = match block::kind(address) {
        Kind::Slot { class, .. } => {
            let usable = CLASSES[class].slot as usize;
            if !block::is_marked(address, crate::secret::get()) {
                return usable;
            }
            Misuse::Freed { function: name, pointer: address, usable }
        }
        Kind::Large(block) => return block.usable(),
        Kind::FreedLarge(block) => Misuse::Freed { function: name, pointer: address, usable: block.usable() },
        Kind::Inside(block, usable) => Misuse::Inside { function: name, pointer: address, block, usable },
        Kind::Nothing => Misuse::NoBlock { function: name, pointer: address },
    };
    report(wrong, name, address, site);
    0
}

/// malloc_trim: gives free memory back to the kernel, `keep` bytes of it excepted. True when any went.
pub fn trim(keep: usize) -> bool {
    if let Some(entry) = enter() {
        registry::release(entry.heap);
    }
    crate::engine::trim(keep)
}
