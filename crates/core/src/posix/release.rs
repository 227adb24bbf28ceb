//! free and delete in full: null, what a pointer is, blocks of other heaps, large blocks, and what is wrong.
//!
//! Reached when the fast path finds anything out of the ordinary. Reports misuse only when the heap has been left again,
//! since the report may end the process. Owns nothing.

use core::sync::atomic::Ordering::Relaxed;

use super::hardened;
use super::{behind, booked, enter, free_fast, guarded, kept, lending, watched};
use crate::account::ACCOUNT;
use crate::block::{self, Kind};
use crate::class::CLASSES;
use crate::count::{Function, weight};
use crate::hard::Giving;
use crate::heap::{State, owner_of};
use crate::misuse::{self, Misuse};
use crate::profile::{Caller, Mode};
use crate::registry::{self, Entry};
use crate::stack::class_of;
use crate::{guard, large, mode, pagemap, profile, remote, tls};

pub(super) extern "C" fn free_slow(pointer: usize, site: usize, stack: usize, frame: usize) {
    slow::<false>(pointer, site, stack, frame);
}

pub(super) extern "C" fn delete_slow(pointer: usize, site: usize, stack: usize, frame: usize) {
    slow::<true>(pointer, site, stack, frame);
}

/// free, or operator delete, where the fast path ended.
#[inline(always)]
fn slow<const DELETE: bool>(pointer: usize, site: usize, stack: usize, frame: usize) {
    if behind::put(pointer) {
        return done::<DELETE>();
    }
    match profile::mode() {
        Mode::Sites | Mode::Stacks => booked::free::<DELETE>(pointer, site),
        // Hardened, free has tried its short way before it came here.
        Mode::Off if DELETE && hardened::free_fast(pointer, true, None) => {}
        Mode::Off if kept::put(pointer) || lending::free(pointer) => done::<DELETE>(),
        Mode::Off | Mode::Sample => raised::<DELETE>(pointer, site, stack, frame),
    }
}

/// The block has been freed by this thread's heap, on a way that counts no call.
#[inline(always)]
fn done<const DELETE: bool>() {
    if DELETE {
        tls::heap().counters.deleted();
    }
}

/// Raises the peak where that is due, which may be all that the fast path lacked, and frees the block. By a jump.
#[inline(never)]
extern "C" fn raised<const DELETE: bool>(pointer: usize, site: usize, stack: usize, frame: usize) {
    let heap = tls::heap();
    if heap.counters.level.is_above_peak()
        && let Some(entry) = enter()
    {
        entry.heap.counters.level.raise();
        drop(entry);
        if free_fast(Some(heap), pointer) {
            return done::<DELETE>();
        }
        if hardened::free_fast(pointer, DELETE, None) {
            return;
        }
    }
    let function = if DELETE { Function::Delete } else { Function::Free };
    in_full(Giving::by(function, None), pointer, &Caller { site, stack, frame });
}

pub(super) extern "C" fn free_sized_slow(
    pointer: usize,
    size: usize,
    site: usize,
    stack: usize,
    frame: usize,
) {
    in_full(Giving::by(Function::Free, Some(size)), pointer, &Caller { site, stack, frame });
}

pub(super) extern "C" fn delete_sized_slow(
    pointer: usize,
    size: usize,
    site: usize,
    stack: usize,
    frame: usize,
) {
    if !hardened::free_fast(pointer, true, Some(size)) {
        in_full(Giving::by(Function::Delete, Some(size)), pointer, &Caller { site, stack, frame });
    }
}

/// free and delete in full.
#[inline(never)]
fn in_full(giving: Giving, pointer: usize, caller: &Caller) {
    let site = caller.site;
    if pointer == 0 {
        return release_null(if giving.delete { Function::Delete } else { Function::Free });
    }
    if profile::is_on() {
        return watched::free_block(giving, pointer, site);
    }
    if guard::is_on() && guarded::free(giving, pointer, caller) {
        return;
    }
    if elsewhere(pointer) {
        if giving.delete {
            tls::heap().counters.deleted();
        }
        return;
    }
    let entry = enter();
    if giving.delete
        && let Some(Entry { heap, .. }) = &entry
    {
        heap.counters.deleted();
    }
    release(entry, giving, pointer, site);
}

/// Frees a block of another heap's slabs onto a stack of this thread's where only room has to be made, or the peak to be
/// raised; false (nothing done) otherwise.
#[inline(always)]
pub(super) fn elsewhere(block: usize) -> bool {
    let Some(entry) = pagemap::near_entry(block) else { return false };
    let heap = tls::heap();
    let key = entry.key.load(Relaxed);
    let (owner, class) = (owner_of(key), class_of(key));
    if owner == 0 || owner == heap.address() || heap.state.load(Relaxed) != State::Live as u8 {
        return false;
    }
    let kind = &CLASSES[class];
    if kind.slot_at(block).is_none() || block::may_be_marked(block, heap.secret.get()) {
        return false;
    }
    let entry = registry::begin(heap);
    heap.counters.level.fall(kind.weight);
    block::mark(block, heap.secret.get());
    heap.put(class, block);
    drop(entry);
    true
}

/// free(NULL) and delete of NULL do nothing, and above all make no heap: the C library calls free(NULL) many times
/// when a thread has ended and nobody would give such a heap back.
pub(super) fn release_null(function: Function) {
    let heap = tls::heap();
    let delete = function == Function::Delete;
    if heap.state() != State::Live {
        ACCOUNT.nulls[delete as usize].fetch_add(1, Relaxed);
    } else if delete {
        heap.counters.deleted();
        heap.counters.delete_null.add(1);
    } else {
        heap.counters.free_null.add(1);
    }
}

/// Gives a block back, counted as a call already.
pub(super) fn release(entry: Option<Entry>, giving: Giving, pointer: usize, site: usize) {
    if mode::is_hardened() {
        return hardened::release(entry, pointer, giving, site);
    }
    let function = giving.function;
    if let Some(wrong) = give_back(entry.as_ref(), function, pointer) {
        drop(entry);
        report(wrong, function, pointer, site);
    }
}

/// Frees a block, uncounted as a call. What is wrong with the pointer otherwise.
pub(super) fn give_back(entry: Option<&Entry>, function: &'static str, pointer: usize) -> Option<Misuse> {
    match block::kind(pointer) {
        Kind::Slot { owner, slab, number, class } => {
            // Without a heap to use (a signal handler in a call that uses the shared one) the block stays.
            let Entry { heap, .. } = entry?;
            let usable = CLASSES[class].slot as usize;
            // A block of another thread's heap cannot be looked up there; its mark is proof enough.
            if block::is_marked(pointer, heap.secret.get())
                && (owner != heap.address() || slab.is_free(number) || heap.stacks[class].holds(pointer))
            {
                return Some(Misuse::Freed { function, pointer, usable });
            }
            heap.counters.level.fall(weight(usable));
            block::mark(pointer, heap.secret.get());
            if owner == heap.address() {
                heap.put(class, pointer);
            } else {
                remote::send(heap, owner, pointer);
            }
            None
        }
        Kind::Large(block) => {
            if let Some(Entry { heap, .. }) = entry {
                heap.counters.level.fall(weight(block.usable()));
            }
            large::put(entry.map(|e| e.heap), block);
            None
        }
        Kind::FreedLarge(block) => Some(Misuse::Freed { function, pointer, usable: block.usable() }),
        Kind::Inside(block, usable) => Some(Misuse::Inside { function, pointer, block, usable }),
        Kind::Nothing => Some(Misuse::NoBlock { function, pointer }),
    }
}

/// Reports what is wrong with `pointer`, which may be another allocator's block. No heap is entered.
#[cold]
pub fn report(wrong: Misuse, function: &'static str, pointer: usize, site: usize) {
    match (&wrong, crate::engine::segment_at(pointer)) {
        // The page map knows the first page of a large block only.
        (Misuse::NoBlock { .. }, Some((start, bytes, true))) => {
            misuse::report(Misuse::Inside { function, pointer, block: start, usable: bytes }, site);
        }
        (Misuse::NoBlock { .. }, None) if !is_ours(pointer) && crate::foreign::may_be(pointer) => {
            misuse::foreign(function, pointer, site);
        }
        _ => misuse::report(wrong, site),
    }
}

/// Whether the page is known to hold blocks of ours: then nothing on it is another allocator's.
fn is_ours(pointer: usize) -> bool {
    pagemap::entry(pointer).is_some_and(|entry| entry.key.load(Relaxed) != 0)
}
