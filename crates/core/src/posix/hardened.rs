//! The malloc family in hardened mode: the rules of `posix` over the blocks of `hard`, counted the same way.
//!
//! `posix` comes here from its slow paths, with the heap already entered; to the short ways without. Whatever is wrong with a pointer is reported
//! from here when the heap has been left again, since the report may end the process.

use core::ptr::null_mut;

use super::{SIZE_LIMIT, fail, report};
use crate::class::{self, CLASSES, SLAB_MAX};
use crate::count::{Function, weight};
use crate::hard::{self, Giving, Resized, shortcut, vault};
use crate::heap::{BUSY, Heap};
use crate::misuse::Misuse;
use crate::os;
use crate::registry::{self, Entry};
use crate::tls;

/// Any allocation, counted as `function`'s. `align` is a power of two. The block is zero.
pub fn allocate(entry: Option<&Entry>, function: Function, size: usize, align: usize) -> *mut u8 {
    if size > SIZE_LIMIT || align > SIZE_LIMIT {
        return fail(entry, function);
    }
    let heap = entry.map(|entry| entry.heap);
    let Some(taken) = hard::take(heap, size, align, function == Function::New, 0) else {
        return fail(entry, function);
    };
    if let Some(heap) = heap {
        heap.counters.block(function, size, taken.usable);
    }
    taken.block as *mut u8
}

/// free and delete of what is not null.
pub fn release(entry: Option<Entry>, pointer: usize, giving: Giving, site: usize) {
    if let Err(wrong) = put(entry.as_ref(), pointer, giving) {
        drop(entry);
        report(wrong, giving.function, pointer, site);
    }
}

fn put(entry: Option<&Entry>, pointer: usize, giving: Giving) -> Result<(), Misuse> {
    let usable = hard::put(entry.map(|entry| entry.heap), pointer, giving)?;
    if let Some(entry) = entry
        && usable > 0
    {
        entry.heap.settle();
        entry.heap.counters.level.fall(weight(usable));
    }
    Ok(())
}

/// realloc and reallocarray of what is not null; `size` is within the limit.
pub fn realloc(
    entry: Option<Entry>,
    function: Function,
    pointer: usize,
    size: usize,
    site: usize,
) -> *mut u8 {
    let name = function.name();
    let giving = Giving::by(function, None);
    let heap = entry.as_ref().map(|entry| entry.heap);
    if size == 0 {
        match put(entry.as_ref(), pointer, giving) {
            Ok(()) => {
                if let Some(heap) = heap {
                    heap.counters.realloc_zero[(function != Function::Realloc) as usize].add(1);
                }
            }
            Err(wrong) => {
                drop(entry);
                report(wrong, name, pointer, site);
            }
        }
        return null_mut();
    }
    let (asked, moves) = match hard::resize(pointer, size, name) {
        Ok(Resized::InPlace(before, now)) => {
            if let Some(heap) = heap {
                heap.counters.level.fall(weight(before));
                heap.counters.block(function, size, now);
                heap.counters.realloc_in_place.add(1);
            }
            return pointer as *mut u8;
        }
        Ok(Resized::Move(asked, moves)) => (asked, moves),
        Err(wrong) => {
            drop(entry);
            report(wrong, name, pointer, site);
            os::set_errno(libc::ENOMEM);
            return null_mut();
        }
    };
    let Some(taken) = hard::take(heap, size, 1, false, moves) else { return fail(entry.as_ref(), function) };
    // SAFETY: both blocks are live and apart, each at least this long.
    unsafe { hard::move_over(pointer, taken.block, asked.min(size)) };
    let wrong = put(entry.as_ref(), pointer, giving).err();
    if let Some(heap) = heap {
        heap.counters.block(function, size, taken.usable);
    }
    if let Some(wrong) = wrong {
        // Another thread freed the block meanwhile.
        drop(entry);
        report(wrong, name, pointer, site);
    }
    taken.block as *mut u8
}

/// malloc_usable_size of what is not null: the bytes asked, since what follows them is the canary. 0, after a report, for
/// what is no block.
pub fn usable_size(pointer: usize, site: usize) -> usize {
    hard::usable_size(pointer).unwrap_or_else(|wrong| {
        report(wrong, "malloc_usable_size", pointer, site);
        0
    })
}

/// malloc or operator new on the short way, counted; None where that is not open, and in plain mode.
#[inline(always)]
pub fn malloc_fast<const NEW: bool>(size: usize) -> Option<*mut u8> {
    let heap = tls::own()?;
    let (block, usable) = take_fast(heap, size, NEW)?;
    let class = class::of(size);
    let tallies = if NEW { &heap.counters.new } else { &heap.counters.malloc };
    tallies[class].add(size);
    // The tally stands for slots of the asked size; the canary may have made it a larger one.
    heap.counters.usable.add((usable - CLASSES[class].slot as usize) as u64);
    heap.counters.level.add(weight(usable));
    Some(block as *mut u8)
}

/// Any other allocation of `size` bytes, as [`malloc_fast`].
#[inline(always)]
pub fn allocate_fast(function: Function, size: usize) -> Option<*mut u8> {
    let heap = tls::own()?;
    let (block, usable) = take_fast(heap, size, false)?;
    heap.counters.block(function, size, usable);
    Some(block as *mut u8)
}

#[inline(always)]
fn take_fast(heap: &'static Heap, size: usize, new: bool) -> Option<(usize, usize)> {
    let vault = vault::known(heap)?;
    if size.wrapping_sub(1) >= SLAB_MAX - 1 {
        return None;
    }
    // Meanwhile a signal handler's calls find no vault.
    tls::set_heap(&BUSY);
    let taken = shortcut::take(vault, size, new, heap.secret.get());
    tls::set_heap(heap);
    taken
}

/// realloc on the short way, of a block that moves from slot to slot; None (nothing done) where that is not open, and in
/// plain mode. What is wrong with the old block, found too late, is reported.
#[inline(always)]
pub fn realloc_fast(function: Function, pointer: usize, size: usize, site: usize) -> Option<*mut u8> {
    let heap = tls::own()?;
    vault::known(heap)?;
    if size.wrapping_sub(1) >= SLAB_MAX - 1 {
        return None;
    }
    let asked = shortcut::moves(pointer, size, heap.secret.get())?;
    let (block, usable) = take_fast(heap, size, false)?;
    // SAFETY: both blocks are live and apart, each at least this long.
    unsafe { core::ptr::copy_nonoverlapping(pointer as *const u8, block as *mut u8, asked.min(size)) };
    if !free_fast(pointer, false, None) {
        // No room for what comes out of the quarantine; or another thread freed the block meanwhile.
        release(registry::enter(), pointer, Giving::by(function, None), site);
    }
    heap.counters.block(function, size, usable);
    Some(block as *mut u8)
}

/// free or delete on the short way; false (nothing done) where that is not open, and in plain mode.
#[inline(always)]
pub fn free_fast(pointer: usize, delete: bool, named: Option<usize>) -> bool {
    let Some(heap) = tls::own() else { return false };
    let Some(vault) = vault::known(heap) else { return false };
    tls::set_heap(&BUSY);
    let usable = shortcut::put(heap, vault, pointer, delete, named);
    if let Some(usable) = usable {
        heap.counters.level.fall(weight(usable));
        if delete {
            heap.counters.calls[Function::Delete as usize].blocks.add(1);
        }
    }
    tls::set_heap(heap);
    usable.is_some()
}
