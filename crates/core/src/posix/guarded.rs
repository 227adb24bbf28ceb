//! The malloc family while some blocks are guarded: each call as it ever is, but for the blocks whose turn it is.
//!
//! Reached from the slow paths only: where no block lies ready, and where the next one is due to be guarded. Guarded blocks are
//! counted like any other, among the blocks of all functions but malloc and new. Owns nothing.

use super::{SIZE_LIMIT, allocate_tallied, enter, fail, function, pop, tallies};
use crate::class::{self, CLASSES, SLAB_MAX};
use crate::count::{Function, Stream, weight};
use crate::hard::Giving;
use crate::heap::Heap;
use crate::misuse::Misuse;
use crate::profile::Caller;
use crate::registry::Entry;
use crate::{foreign, guard, os, tls};
use core::ptr::null_mut;

/// malloc or operator new.
#[inline(always)]
pub fn malloc<const NEW: bool>(size: usize, caller: &Caller) -> *mut u8 {
    if size > SLAB_MAX {
        return allocate_tallied::<NEW>(size);
    }
    let class = class::of(size);
    let stream = Stream::of::<NEW>(class);
    if let Some(heap) = tls::own()
        && (tallies::<NEW>(&heap.counters)[class].is_next_due() || heap.counters.has_come(stream))
    {
        if let Some(block) = due(heap, stream, 1, function::<NEW>(), size, caller) {
            return block;
        }
        // It was only the turn that kept it from the fast path.
        if let Some(block) = pop::<NEW>(heap, class * 16, size) {
            return block;
        }
    }
    let block = allocate_tallied::<NEW>(size);
    // A heap that was born just now has counted the block for which its streams were made ready.
    if let Some(heap) = tls::own().filter(|heap| heap.counters.has_come(stream)) {
        guard::begin(heap, stream);
    }
    block
}

/// A guarded block if it is the turn of this one; any other function's than malloc's and new's.
pub fn in_turn(function: Function, size: usize, caller: &Caller) -> Option<*mut u8> {
    let heap = tls::own().filter(|_| size <= guard::LARGEST)?;
    let slot = CLASSES[class::of(size)].slot;
    if !heap.counters.would_be_due(slot) && !heap.counters.has_come(Stream::Bytes) {
        return None;
    }
    due(heap, Stream::Bytes, slot.into(), function, size, caller)
}

/// A block of a stream of which one is due, guarded if it is its turn. Without one, `length` units are still to be counted for it.
#[cold]
#[inline(never)]
fn due(
    heap: &Heap,
    stream: Stream,
    length: u64,
    function: Function,
    size: usize,
    caller: &Caller,
) -> Option<*mut u8> {
    let next = guard::turn_of(heap, stream, length)?;
    let block = taken(function, size, caller);
    heap.counters.count_up(stream, if block.is_some() { next } else { next + length });
    block
}

fn taken(function: Function, size: usize, caller: &Caller) -> Option<*mut u8> {
    let block = guard::take(size, function == Function::New, caller)?;
    if let Some(Entry { heap, .. }) = &enter() {
        heap.settle();
        heap.counters.block(function, size, guard::usable(size));
    }
    Some(block as *mut u8)
}

/// free or operator delete of what is not null. False (nothing done) for what is not in the range of guarded blocks.
#[inline(always)]
pub fn free(giving: Giving, pointer: usize, caller: &Caller) -> bool {
    let owned = guard::owns(pointer);
    if owned {
        give(giving.function, giving.delete, pointer, caller);
    }
    owned
}

/// Frees a guarded block. Whether it was one.
#[cold]
fn give(function: &'static str, delete: bool, pointer: usize, caller: &Caller) -> bool {
    let mut put = guard::put(pointer, function, delete, caller);
    if matches!(put, Err(Misuse::Mismatch { .. })) && foreign::has_operators() {
        put = guard::put(pointer, function, !delete, caller);
    }
    match put {
        Ok(asked) => {
            if let Some(Entry { heap, .. }) = &enter() {
                heap.settle();
                heap.counters.level.fall(weight(guard::usable(asked)));
                if delete {
                    heap.counters.deleted();
                }
            }
            true
        }
        Err(wrong) => {
            guard::report(wrong, pointer, caller.site);
            false
        }
    }
}

/// realloc or reallocarray of a guarded block: it moves to one that is not.
#[cold]
pub fn realloc(function: Function, pointer: usize, size: usize, caller: &Caller) -> *mut u8 {
    let name = function.name();
    let asked = match guard::known(pointer, name) {
        Ok(asked) => asked,
        Err(wrong) => {
            guard::report(wrong, pointer, caller.site);
            os::set_errno(libc::ENOMEM);
            return null_mut();
        }
    };
    if size == 0 {
        if give(name, false, pointer, caller)
            && let Some(Entry { heap, .. }) = &enter()
        {
            heap.counters.realloc_zero[(function != Function::Realloc) as usize].add(1);
        }
        return null_mut();
    }
    let entry = enter();
    if size > SIZE_LIMIT {
        return fail(entry.as_ref(), function);
    }
    let block = super::allocate(entry.as_ref(), function, size, 1, false);
    drop(entry);
    if !block.is_null() {
        // SAFETY: both blocks are live and apart, each at least this long.
        unsafe { core::ptr::copy_nonoverlapping(pointer as *const u8, block, asked.min(size)) };
        give(name, false, pointer, caller);
    }
    block
}

/// malloc_usable_size of a guarded block: the bytes asked. 0, after a report, for what is none.
#[cold]
pub fn usable_size(pointer: usize, site: usize) -> usize {
    guard::known(pointer, "malloc_usable_size").unwrap_or_else(|wrong| {
        guard::report(wrong, pointer, site);
        0
    })
}
