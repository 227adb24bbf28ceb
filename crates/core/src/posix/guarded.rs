//! The malloc family while some blocks are guarded: each call as it ever is, but for the blocks whose turn it is.
//!
//! Reached from the slow paths only. A small malloc takes a fast path of its own here; free takes the ordinary one. Guarded blocks are counted like any other. Owns nothing.

use super::{SIZE_LIMIT, allocate_tallied, enter, fail, function, pop};
use crate::class::{self, SLAB_MAX};
use crate::count::{Function, weight};
use crate::hard::Giving;
use crate::profile::Caller;
use crate::registry::Entry;
use crate::{guard, os, tls};
use core::ptr::null_mut;

/// malloc or operator new.
#[inline(always)]
pub fn malloc<const NEW: bool>(size: usize, caller: &Caller) -> *mut u8 {
    if let Some(heap) = tls::own() {
        if guard::is_due(heap)
            && let Some(block) = taken(function::<NEW>(), size, caller)
        {
            return block;
        }
        if size <= SLAB_MAX
            && let Some(block) = pop::<NEW>(heap, class::of(size) * 16, size)
        {
            return block;
        }
    }
    allocate_tallied::<NEW>(size)
}

/// A guarded block if it is the turn of this one; any other function's than malloc's and new's.
pub fn in_turn(function: Function, size: usize, caller: &Caller) -> Option<*mut u8> {
    if !guard::is_due(tls::own()?) {
        return None;
    }
    taken(function, size, caller)
}

#[cold]
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
    match guard::put(pointer, function, delete, caller) {
        Ok(asked) => {
            if let Some(Entry { heap, .. }) = &enter() {
                heap.settle();
                heap.counters.level.fall(weight(guard::usable(asked)));
                if delete {
                    heap.counters.calls[Function::Delete as usize].blocks.add(1);
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
