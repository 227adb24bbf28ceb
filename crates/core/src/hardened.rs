//! The malloc family in hardened mode: the rules of `posix` over the blocks of `hard`, counted the same way.
//!
//! `posix` comes here from its slow paths, with the heap already entered. Whatever is wrong with a pointer is reported
//! from here when the heap has been left again, since the report may end the process.

use core::ptr::null_mut;

use crate::count::{Function, weight};
use crate::hard::{self, Giving, Resized};
use crate::misuse::Misuse;
use crate::os;
use crate::posix::{SIZE_LIMIT, fail, report};
use crate::registry::Entry;

/// Any allocation, counted as `function`'s. `align` is a power of two. The block is zero.
pub fn allocate(entry: Option<&Entry>, function: Function, size: usize, align: usize) -> *mut u8 {
    if size > SIZE_LIMIT || align > SIZE_LIMIT {
        return fail(entry, function);
    }
    let heap = entry.map(|entry| entry.heap);
    let Some(taken) = hard::take(heap, size, align, function == Function::New) else {
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
    let name = if function == Function::Realloc { "realloc" } else { "reallocarray" };
    let giving = Giving { function: name, delete: false, named: None };
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
    let asked = match hard::resize(pointer, size, name) {
        Ok(Resized::InPlace(before)) => {
            if let Some(heap) = heap {
                heap.counters.level.fall(weight(before));
                heap.counters.block(function, size, before);
                heap.counters.realloc_in_place.add(1);
            }
            return pointer as *mut u8;
        }
        Ok(Resized::Move(asked)) => asked,
        Err(wrong) => {
            drop(entry);
            report(wrong, name, pointer, site);
            os::set_errno(libc::ENOMEM);
            return null_mut();
        }
    };
    let Some(taken) = hard::take(heap, size, 1, false) else { return fail(entry.as_ref(), function) };
    // SAFETY: both blocks are live and apart, each at least this long.
    unsafe { core::ptr::copy_nonoverlapping(pointer as *const u8, taken.block as *mut u8, asked.min(size)) };
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
