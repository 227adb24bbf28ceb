//! realloc and reallocarray: in place where the block or the HOLE behind it allows, else a new block and a copy.
//!
//! Counts one block asked and one freed a call, as the program sees it; what happens inside is never counted. A call that
//! fails leaves the old block as it was. Owns nothing.

use core::ptr::null_mut;
use core::sync::atomic::Ordering::{Relaxed, Release};
use core::sync::atomic::compiler_fence;

use super::calloc::claimed;
use super::hardened;
use super::release::{give_back, report};
use super::{SIZE_LIMIT, allocate, bytes, enter, fail, guarded, take, watched};
use crate::block::{self, Kind};
use crate::class::{self, CLASSES, SLAB_MAX};
use crate::count::{Function, weight};
use crate::heap::Heap;
use crate::misuse::Misuse;
use crate::profile::{self, Caller};
use crate::registry::Entry;
use crate::stack::class_of;
use crate::{guard, large, mode, os, pagemap, tls};

/// realloc. O(1) amortized, and the copying.
#[inline(always)]
pub fn realloc(pointer: *mut u8, size: usize) -> *mut u8 {
    if let Some(heap) = tls::open()
        && let Some(block) = fast(heap, Function::Realloc, pointer as usize, size, heap.pass.slab_most())
    {
        return block as *mut u8;
    }
    realloc_cold(pointer as usize, size)
}

with_caller! {
    /// Reached by a jump from the exported function, so that the return address is still the program's.
    realloc_cold(pointer, size) -> *mut u8, 2 => realloc_slow
}

extern "C" fn realloc_slow(pointer: usize, size: usize, site: usize, stack: usize, frame: usize) -> *mut u8 {
    if profile::is_on() {
        let caller = Caller { site, stack, frame };
        return watched::realloc(Function::Realloc, pointer as *mut u8, size, &caller);
    }
    if let Some(block) = hardened::realloc_fast(Function::Realloc, pointer, size, site) {
        return block;
    }
    if guard::is_on() {
        let caller = Caller { site, stack, frame };
        if guard::owns(pointer) {
            return guarded::realloc(Function::Realloc, pointer, size, &caller);
        }
        if pointer == 0
            && let Some(block) = guarded::in_turn(Function::Realloc, size, &caller)
        {
            tls::heap().counters.realloc_null.add(1);
            return block;
        }
    }
    if pointer == 0
        && let Some(block) = first(size)
    {
        return block as *mut u8;
    }
    in_full(Function::Realloc, pointer as *mut u8, size, site)
}

/// What realloc of null gives, from the thread's stack.
#[inline]
pub(super) fn first(size: usize) -> Option<usize> {
    let heap = tls::own()?;
    let class = (size <= SLAB_MAX).then(|| class::of(size))?;
    let block = claimed(heap, class)?;
    heap.counters.slot(Function::Realloc, size, &CLASSES[class]);
    heap.counters.level.add(CLASSES[class].weight);
    heap.counters.realloc_null.add(1);
    Some(block)
}

/// realloc, or reallocarray after its multiplication, in a function that has its caller's return address. `function` says
/// whose call it counts as.
pub(super) fn realloc_as(function: Function, pointer: *mut u8, size: usize, site: usize) -> *mut u8 {
    if guard::owns(pointer as usize) {
        let caller = Caller { site, stack: 0, frame: 0 };
        return guarded::realloc(function, pointer as usize, size, &caller);
    }
    match fast(tls::heap(), function, pointer as usize, size, SLAB_MAX) {
        Some(block) => block as *mut u8,
        None => in_full(function, pointer, size, site),
    }
}

/// Reallocates a block of this thread's slabs to a slot's size where nothing is out of the ordinary: in place, or to a
/// block that lies ready. None (nothing done) otherwise, and above `most` (at most SLAB_MAX) in any case.
#[inline(always)]
fn fast(heap: &'static Heap, function: Function, old: usize, size: usize, most: usize) -> Option<usize> {
    if size.wrapping_sub(1) >= most {
        return None;
    }
    let key = pagemap::near_entry(old)?.key.load(Relaxed);
    let stack = heap.stack_of(key)?;
    let wanted = class::of(size);
    let (kind, now) = (&CLASSES[class_of(key)], &CLASSES[wanted]);
    kind.slot_at(old)?;
    if block::may_be_marked(old, heap.secret.get()) || stack.place().is_none() {
        return None;
    }
    let counters = &heap.counters;
    if counters.would_be_due(kind.slot) {
        return None;
    }
    if stays(kind.slot as usize, size, now.slot as usize) {
        counters.slot(function, size, kind);
        counters.realloc_in_place.add(1);
        return Some(old);
    }
    // A level that rises needs no look at its peak.
    if now.weight < kind.weight && counters.level.is_above_peak() {
        return None;
    }
    let block = claimed(heap, wanted)?;
    counters.slot(function, size, now);
    counters.level.add(now.weight.wrapping_sub(kind.weight));
    // SAFETY: both blocks are live and apart, each at least this long.
    unsafe { bytes::copy(old, block, size.min(kind.slot as usize)) };
    // As free: the mark is there before the block is on the stack.
    block::mark(old, heap.secret.get());
    compiler_fence(Release);
    if !stack.push(old) {
        put_marked(old);
    }
    Some(block)
}

/// A signal handler filled the stack just now.
#[cold]
#[inline(never)]
fn put_marked(block: usize) {
    if let (Some(Entry { heap, .. }), Kind::Slot { class, .. }) = (&enter(), block::kind(block)) {
        heap.put(class, block);
    }
}

#[inline(never)]
fn in_full(function: Function, pointer: *mut u8, size: usize, site: usize) -> *mut u8 {
    let entry = enter();
    let name = function.name();
    let old = pointer as usize;
    if old == 0 {
        let block = allocate(entry.as_ref(), function, size, 1, false);
        if let Some(entry) = &entry
            && !block.is_null()
        {
            entry.heap.counters.realloc_null.add(1);
        }
        return block;
    }
    if size > SIZE_LIMIT {
        return fail(entry.as_ref(), function);
    }
    if mode::is_hardened() {
        return hardened::realloc(entry, function, old, size, site);
    }
    let known = match block::kind(old) {
        Kind::Slot { class, .. } => Some((CLASSES[class].slot as usize, None)),
        Kind::Large(block) => Some((block.usable(), Some(block))),
        _ => None,
    };
    // A freed block is no block: give_back says what is wrong with it.
    let secret = entry.as_ref().map_or(0, |e| e.heap.secret.get());
    let suspicious = matches!(known, Some((_, None))) && block::is_marked(old, secret);
    if size == 0 || known.is_none() || suspicious {
        let wrong = match (known, size) {
            (Some((usable, _)), 1..) if suspicious => {
                Some(Misuse::Freed { function: name, pointer: old, usable })
            }
            _ => give_back(entry.as_ref(), name, old),
        };
        match wrong {
            Some(wrong) => {
                drop(entry);
                report(wrong, name, old, site);
                if size > 0 {
                    os::set_errno(libc::ENOMEM);
                }
            }
            None => {
                if let Some(entry) = &entry {
                    entry.heap.counters.realloc_zero[(function != Function::Realloc) as usize].add(1);
                }
            }
        }
        return null_mut();
    }
    let Some((usable, large)) = known else { return null_mut() };
    if let Some(now) = resize_in_place(entry.as_ref(), usable, large, size) {
        if let Some(Entry { heap, .. }) = &entry {
            heap.counters.level.fall(weight(usable));
            heap.counters.block(function, size, now);
            heap.counters.realloc_in_place.add(1);
        }
        return pointer;
    }
    let taken = match large {
        Some(large) if size > SLAB_MAX && size > usable => {
            large::take(size, 1, Some(large)).or_else(|| take(entry.as_ref(), size, 1, false))
        }
        _ => take(entry.as_ref(), size, 1, false),
    };
    let Some(taken) = taken else { return fail(entry.as_ref(), function) };
    // SAFETY: both blocks are live and apart, each at least this long.
    unsafe { core::ptr::copy_nonoverlapping(old as *const u8, taken.block as *mut u8, usable.min(size)) };
    match large.filter(|large| size > large.usable()) {
        Some(large) => {
            if let Some(Entry { heap, .. }) = &entry {
                heap.counters.level.fall(weight(usable));
            }
            large::put_outgrown(entry.as_ref().map(|e| e.heap), large);
        }
        None => {
            give_back(entry.as_ref(), name, old);
        }
    }
    if let Some(Entry { heap, .. }) = &entry {
        heap.counters.block(function, size, taken.usable);
    }
    taken.block as *mut u8
}

/// The usable size with which a block can stay where it is, for `size` bytes.
fn resize_in_place(
    entry: Option<&Entry>,
    usable: usize,
    large: Option<&'static large::Large>,
    size: usize,
) -> Option<usize> {
    match large {
        Some(large) if size > SLAB_MAX => large::resize(entry.map(|e| e.heap), large, size),
        Some(_) => None,
        None => {
            (size <= usable && stays(usable, size, CLASSES[class::of(size)].slot as usize)).then_some(usable)
        }
    }
}

/// Whether a block stays in its slot: while that is not more than twice what a new one, of `now` bytes, would be.
#[inline(always)]
fn stays(usable: usize, size: usize, now: usize) -> bool {
    size <= usable && now * 2 > usable
}

/// reallocarray.
pub fn reallocarray(pointer: *mut u8, count: usize, size: usize, site: usize) -> *mut u8 {
    match count.checked_mul(size) {
        Some(bytes) => realloc_as(Function::Reallocarray, pointer, bytes, site),
        None => fail(enter().as_ref(), Function::Reallocarray),
    }
}
