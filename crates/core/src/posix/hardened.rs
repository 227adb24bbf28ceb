//! The malloc family in hardened mode: the rules of `posix` over the blocks of `hard`, counted the same way.
//!
//! `posix` comes here from its slow paths, with the heap already entered; to the short ways without. Whatever is wrong with a
//! pointer is reported from here when the heap has been left again, since the report may end the process.

pub(super) mod jumps;

use core::ptr::null_mut;

use super::{SIZE_LIMIT, fail, report, tallies};
use crate::class::{self, CLASSES};
use crate::count::{Function, weight};
use crate::hard::shortcut::{self, Live};
use crate::hard::vault::Vault;
use crate::hard::{self, Giving, Resized, vault};
use crate::heap::{BUSY, Heap};
use crate::misuse::Misuse;
use crate::os;
use crate::profile::{self, Mode};
use crate::registry::{self, Entry};
use crate::{foreign, tls};

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
    let Err(mut wrong) = put(entry.as_ref(), pointer, giving) else { return };
    drop(entry);
    if matches!(wrong, Misuse::Mismatch { .. }) && foreign::has_operators() {
        let other = Giving { delete: !giving.delete, ..giving };
        match put(registry::enter().as_ref(), pointer, other) {
            Ok(()) => return,
            Err(now) => wrong = now,
        }
    }
    report(wrong, giving.function, pointer, site);
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

/// The calling thread's heap and its vault, which the short ways need: None in plain mode, where call sites are recorded, and
/// before a thread's first long way.
#[inline(always)]
pub fn ways() -> Option<Ways> {
    let heap = tls::own()?;
    let vault = vault::known(heap)?;
    (profile::mode() == Mode::Off).then_some(Ways { heap, vault })
}

/// What [`ways`] gives.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ways {
    /// The heap.
    pub heap: &'static Heap,
    vault: &'static Vault,
}

/// malloc or operator new on the short way, counted; None where that is not open. With `SHORT`, for up to
/// [`hard::SHORT`] bytes.
#[inline(always)]
pub fn malloc_fast<const NEW: bool, const SHORT: bool>(ways: Ways, size: usize) -> Option<*mut u8> {
    let counters = &ways.heap.counters;
    let taken = take_fast::<SHORT>(ways, size, NEW)?;
    // The tally stands for slots of the asked size; the canary may have made it a larger one.
    let class = if SHORT { class::of_small(size) } else { class::of(size) };
    tallies::<NEW>(counters)[class].add(size);
    counters.usable.add((taken.slot - CLASSES[class].slot as usize) as u64);
    counters.level.add(weight(taken.slot));
    Some(taken.block as *mut u8)
}

/// Any other allocation of `size` bytes, as [`malloc_fast`].
#[inline(always)]
pub fn allocate_fast(function: Function, size: usize) -> Option<*mut u8> {
    let ways = ways()?;
    let taken = take_fast::<false>(ways, size, false)?;
    ways.heap.counters.block(function, size, taken.slot);
    Some(taken.block as *mut u8)
}

#[inline(always)]
fn take_fast<const SHORT: bool>(
    Ways { heap, vault }: Ways,
    size: usize,
    new: bool,
) -> Option<shortcut::Taken> {
    if size.wrapping_sub(1) >= if SHORT { hard::SHORT } else { hard::LONGEST } {
        return None;
    }
    // Meanwhile a signal handler's calls find no vault.
    tls::set_heap(&BUSY);
    let taken = shortcut::take::<SHORT>(vault, size, new, heap.secret.get());
    tls::set_back(heap);
    taken
}

/// realloc on the short way, of a block that moves from slot to slot; None (nothing done) where that is not open, and in
/// plain mode. What is wrong with the old block, found too late, is reported.
#[inline(always)]
pub fn realloc_fast(function: Function, pointer: usize, size: usize, site: usize) -> Option<*mut u8> {
    let ways = ways()?;
    let heap = ways.heap;
    if size.wrapping_sub(1) >= hard::LONGEST {
        return None;
    }
    let old = shortcut::live(pointer, false).filter(|old| old.moves(size, heap.secret.get()))?;
    let taken = take_fast::<false>(ways, size, false)?;
    let len = old.asked().min(size);
    // SAFETY: both blocks are live and apart, each at least this long.
    unsafe { core::ptr::copy_nonoverlapping(pointer as *const u8, taken.block as *mut u8, len) };
    if !put_fast::<false>(ways, old) {
        // No room for what comes out of the quarantine; or another thread freed the block meanwhile.
        release(registry::enter(), pointer, Giving::by(function, None), site);
    }
    heap.counters.block(function, size, taken.slot);
    Some(taken.block as *mut u8)
}

/// The block that free or delete finds at `pointer`, of `named` bytes if that is said, if the short way is open for it; not
/// where the peak is to be raised first.
#[inline(always)]
pub fn live_fast(ways: Ways, pointer: usize, delete: bool, named: Option<usize>) -> Option<Live> {
    if ways.heap.counters.level.is_above_peak() {
        return None;
    }
    shortcut::live(pointer, delete).filter(|live| named.is_none_or(|named| named == live.asked()))
}

/// Frees the block; false (nothing done) where anything is out of the ordinary. See [`Live::put`] for `SHORT`.
#[inline(always)]
pub fn put_fast<const SHORT: bool>(Ways { heap, vault }: Ways, live: Live) -> bool {
    let weight = weight(live.slot());
    tls::set_heap(&BUSY);
    let done = live.put::<SHORT>(heap, vault);
    if done {
        heap.counters.level.sub(weight);
    }
    tls::set_back(heap);
    done
}

/// free or delete on the short way; false (nothing done) where that is not open.
#[inline(always)]
pub fn free_fast(pointer: usize, delete: bool, named: Option<usize>) -> bool {
    let Some(ways) = ways() else { return false };
    let done = live_fast(ways, pointer, delete, named).is_some_and(|live| put_fast::<false>(ways, live));
    if done && delete {
        ways.heap.counters.deleted();
    }
    done
}
