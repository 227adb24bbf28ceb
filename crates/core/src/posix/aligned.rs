//! Blocks at a multiple of an alignment: from the thread's stack where a class has such slots, all else in full.
//!
//! The slots of a class lie at multiples of every power of two that divides its size, so a small aligned block is an
//! ordinary one of a class that fits. Owns nothing.

use core::ptr::null_mut;

use super::calloc::claimed;
use super::{allocate, enter, fail, watched};
use crate::class::{self, CLASSES};
use crate::count::Function;
use crate::os::{self, PAGE};
use crate::profile::{self, Caller};
use crate::{mode, tls};

/// A block that lies ready; None where anything is out of the ordinary. `align` is a power of two. O(1).
#[inline(always)]
fn ready(function: Function, align: usize, size: usize) -> Option<*mut u8> {
    let heap = tls::open()?;
    let class = class::of_aligned_below(size, align, heap.pass.slab_below())?;
    let block = claimed(heap, class)?;
    if block & (align - 1) != 0 {
        // A lent block: back it goes, the slow path looks further.
        crate::block::mark(block, heap.secret.get());
        heap.stacks[class].push(block);
        return None;
    }
    let kind = &CLASSES[class];
    heap.counters.slot(function, size, kind);
    heap.counters.level.add(kind.weight);
    Some(block as *mut u8)
}

/// memalign, valloc and the like: `align` is rounded up to a power of two, as glibc does.
pub fn aligned(function: Function, align: usize, size: usize) -> *mut u8 {
    if align.is_power_of_two()
        && let Some(block) = ready(function, align, size)
    {
        return block;
    }
    in_full(function, align, size)
}

#[inline(never)]
fn in_full(function: Function, align: usize, size: usize) -> *mut u8 {
    let entry = enter();
    match align.max(1).checked_next_power_of_two() {
        Some(align) => allocate(entry.as_ref(), function, size, align, false),
        None => {
            fail(entry.as_ref(), function);
            os::set_errno(libc::EINVAL);
            null_mut()
        }
    }
}

/// posix_memalign: 0, EINVAL or ENOMEM; errno is kept in any case, and `*out` unless it succeeds.
///
/// # Safety
/// `out` is valid to write to.
#[inline(always)]
pub unsafe fn posix_memalign(out: *mut *mut u8, align: usize, size: usize) -> i32 {
    if align.is_power_of_two()
        && align >= size_of::<usize>()
        && let Some(block) = ready(Function::PosixMemalign, align, size)
    {
        // SAFETY: the caller's promise.
        unsafe { out.write(block) };
        return 0;
    }
    posix_memalign_cold(out as usize, align, size)
}

with_caller! {
    /// Reached by a jump from the exported function, so that the return address is still the program's.
    posix_memalign_cold(out, align, size) -> i32, 3 => posix_memalign_slow
}

extern "C" fn posix_memalign_slow(
    out: *mut *mut u8,
    align: usize,
    size: usize,
    site: usize,
    stack: usize,
    frame: usize,
) -> i32 {
    let block = match posix_in_full(align, size) {
        Ok(block) => block,
        Err(error) => return error,
    };
    let block =
        if profile::is_on() { watched::took(block, size, &Caller { site, stack, frame }) } else { block };
    // SAFETY: the promise of posix_memalign's caller.
    unsafe { out.write(block) };
    0
}

fn posix_in_full(align: usize, size: usize) -> Result<*mut u8, i32> {
    let entry = enter();
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<usize>()) {
        if let Some(entry) = &entry {
            entry.heap.counters.failed[Function::PosixMemalign as usize].add(1);
        }
        return Err(libc::EINVAL);
    }
    let errno = os::errno();
    let block = allocate(entry.as_ref(), Function::PosixMemalign, size, align, false);
    os::set_errno(errno);
    if block.is_null() { Err(libc::ENOMEM) } else { Ok(block) }
}

/// pvalloc: whole pages at a page boundary.
pub fn pvalloc(size: usize) -> *mut u8 {
    match os::round_to_pages(size) {
        // Hardened, a block has the bytes that were asked for and no more.
        Some(whole) if mode::is_hardened() => aligned(Function::Pvalloc, PAGE, whole),
        // A block at a page boundary is whole pages in any case; what was asked is counted as it was asked.
        Some(_) => aligned(Function::Pvalloc, PAGE, size),
        None => fail(enter().as_ref(), Function::Pvalloc),
    }
}
