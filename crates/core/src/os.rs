//! The only door to the kernel's memory calls: mmap and munmap, in whole pages, and nothing else; but for madvise where the
//! user asked for huge pages.
//!
//! Owns no memory; counts the calls. Leaves errno alone, so that no floor above has to. Every
//! mapping is private, anonymous and of one flag set, so that the kernel merges neighbours into one VMA; but for pages of
//! counters that `mems run` wants to see.

use core::ptr::NonNull;
use core::sync::atomic::Ordering::Relaxed;

use crate::account::{ACCOUNT, Calls};
use crate::listen::{self, Call};
use crate::syscall;

/// The kernel's page size in bytes (x86-64 and aarch64 Linux with 4 KiB pages).
pub const PAGE: usize = 4096;

const PROT: i32 = libc::PROT_READ | libc::PROT_WRITE;
const FLAGS: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;

/// The calls that succeeded, over the whole process.
pub static CALLS: &Calls = &ACCOUNT.calls;

/// `len` rounded up to whole pages, or None past the top of the address space.
#[inline]
pub const fn round_to_pages(len: usize) -> Option<usize> {
    match len.checked_add(PAGE - 1) {
        Some(n) => Some(n & !(PAGE - 1)),
        None => None,
    }
}

/// Maps `len` bytes of zero pages (`len` a multiple of [`PAGE`], not 0), near `hint` where that is free
/// (0: anywhere). None when the kernel refuses.
pub fn map(len: usize, hint: usize) -> Option<NonNull<u8>> {
    debug_assert!(len != 0 && len.is_multiple_of(PAGE));
    if faults::refuse() {
        return None;
    }
    // SAFETY: a fresh anonymous mapping touches no memory that exists; without MAP_FIXED the hint cannot
    // replace a mapping.
    let Some(at) = (unsafe { mmap(hint, len, PROT, FLAGS, -1, 0) }) else {
        listen::tell(Call::Map, false, 0, len);
        return None;
    };
    CALLS.mmap.fetch_add(1, Relaxed);
    let now = CALLS.mapped.fetch_add(len, Relaxed) + len;
    CALLS.mapped_peak.fetch_max(now, Relaxed);
    listen::tell(Call::Map, true, at.as_ptr() as usize, len);
    Some(at)
}

/// mmap(2). None when the kernel refuses.
///
/// # Safety
/// As mmap's: with MAP_FIXED, what was mapped there is gone.
unsafe fn mmap(
    at: usize,
    len: usize,
    protection: i32,
    flags: i32,
    file: i32,
    offset: usize,
) -> Option<NonNull<u8>> {
    let arguments = [at, len, protection as usize, flags as usize, file as usize, offset];
    // SAFETY: passed on.
    let got = unsafe { syscall::call(libc::SYS_mmap, arguments) };
    if got < 0 && got > -(PAGE as isize) {
        return None;
    }
    NonNull::new(core::ptr::with_exposed_provenance_mut(got as usize))
}

/// Unmaps `[at, at + len)`. False when the kernel refuses (`vm.max_map_count`): the range is still mapped then
/// and stays the caller's.
///
/// # Safety
/// The range is whole pages of the caller's own mappings, and nothing refers to it any more.
pub unsafe fn unmap(at: NonNull<u8>, len: usize) -> bool {
    if faults::refuse() {
        return false;
    }
    // SAFETY: the caller owns the range and gives it up.
    let refused = unsafe { syscall::call(libc::SYS_munmap, [at.as_ptr() as usize, len, 0, 0, 0, 0]) } != 0;
    listen::tell(Call::Unmap, !refused, at.as_ptr() as usize, len);
    if refused {
        return false;
    }
    CALLS.munmap.fetch_add(1, Relaxed);
    CALLS.mapped.fetch_sub(len, Relaxed);
    true
}

/// Lays fresh zero pages over `[at, at + len)`, which gives its old pages back to the kernel. False when the
/// kernel refuses: the old pages and bytes are still there then.
///
/// # Safety
/// The range is whole pages of the caller's own mappings, and nothing refers to its content any more.
pub unsafe fn purge(at: NonNull<u8>, len: usize) -> bool {
    if faults::refuse() {
        return false;
    }
    let address = at.as_ptr() as usize;
    // SAFETY: the caller owns the range, so MAP_FIXED replaces nobody else's mapping.
    let granted = unsafe { mmap(address, len, PROT, FLAGS | libc::MAP_FIXED, -1, 0) }.is_some();
    listen::tell(Call::Purge, granted, address, len);
    if !granted {
        return false;
    }
    CALLS.mmap.fetch_add(1, Relaxed);
    true
}

/// Asks the kernel to back `[at, at + len)` by huge pages: madvise, for who has asked for it (see `engine::hugepages`) and for
/// nobody else. False when the kernel refuses or has none.
///
/// # Safety
/// The range is whole pages of the caller's own mappings.
pub unsafe fn advise_huge(at: NonNull<u8>, len: usize) -> bool {
    let arguments = [at.as_ptr() as usize, len, libc::MADV_HUGEPAGE as usize, 0, 0, 0];
    // SAFETY: the advice changes no byte and no protection.
    unsafe { syscall::call(libc::SYS_madvise, arguments) == 0 }
}

/// Lays a page of a file, shared, over the page at `at`; both hold the same bytes when this is called. False when the
/// kernel refuses: the old page is still there then. For counters only, never for memory of the program.
///
/// # Safety
/// `at` is a page of the library's own, which only counts; `descriptor` is open for reading and writing, and the file has
/// a page at `offset` (bytes, whole pages).
pub unsafe fn share(at: NonNull<u8>, descriptor: i32, offset: usize) -> bool {
    let flags = libc::MAP_SHARED | libc::MAP_FIXED;
    // SAFETY: the caller's own page is replaced by one of the same content.
    unsafe { mmap(at.as_ptr() as usize, PAGE, PROT, flags, descriptor, offset) }.is_some()
}

/// Reserves `len` bytes of address space that nobody can read or write ([`PAGE`]s, not 0). None when the kernel refuses.
pub fn reserve(len: usize) -> Option<NonNull<u8>> {
    if faults::refuse() {
        return None;
    }
    // SAFETY: a fresh anonymous mapping touches no memory that exists.
    let at = unsafe { mmap(0, len, libc::PROT_NONE, FLAGS, -1, 0) }?;
    CALLS.mmap.fetch_add(1, Relaxed);
    Some(at)
}

/// Makes `[at, at + len)` of a reserved range zero pages that can be used. False when the kernel refuses: the range
/// is still reserved then.
///
/// # Safety
/// The range is whole pages of the caller's own, reserved.
pub unsafe fn commit(at: NonNull<u8>, len: usize) -> bool {
    // SAFETY: passed on; nothing can refer to the content of a reserved range.
    let done = unsafe { purge(at, len) };
    if done {
        let now = CALLS.mapped.fetch_add(len, Relaxed) + len;
        CALLS.mapped_peak.fetch_max(now, Relaxed);
    }
    done
}

/// The reverse of [`commit`]: the pages go back to the kernel, the range is reserved. False when the kernel refuses:
/// pages and bytes are still there then.
///
/// # Safety
/// The range is whole pages of the caller's own mappings, and nothing refers to its content any more.
pub unsafe fn decommit(at: NonNull<u8>, len: usize) -> bool {
    if faults::refuse() {
        return false;
    }
    let flags = FLAGS | libc::MAP_FIXED;
    // SAFETY: the caller owns the range, so MAP_FIXED replaces nobody else's mapping.
    if unsafe { mmap(at.as_ptr() as usize, len, libc::PROT_NONE, flags, -1, 0) }.is_none() {
        return false;
    }
    CALLS.mmap.fetch_add(1, Relaxed);
    CALLS.mapped.fetch_sub(len, Relaxed);
    true
}

/// Gives a reserved range back. False when the kernel refuses: it is still reserved then.
///
/// # Safety
/// The range is whole pages of the caller's own, reserved.
pub unsafe fn release(at: NonNull<u8>, len: usize) -> bool {
    // What is reserved is not counted as mapped.
    CALLS.mapped.fetch_add(len, Relaxed);
    // SAFETY: passed on.
    let done = unsafe { unmap(at, len) };
    if !done {
        CALLS.mapped.fetch_sub(len, Relaxed);
    }
    done
}

/// As [`map`], between two pages that nobody can read or write.
pub fn map_guarded(len: usize) -> Option<NonNull<u8>> {
    let whole = reserve(len.checked_add(2 * PAGE)?)?;
    // SAFETY: the second page of a longer mapping.
    let at = unsafe { whole.add(PAGE) };
    // SAFETY: it was reserved just now, with a page before and one behind.
    if unsafe { commit(at, len) } {
        return Some(at);
    }
    // SAFETY: as above.
    unsafe { release(whole, len + 2 * PAGE) };
    None
}

/// Whether the word at `address` (a multiple of 4) can be read, asked of the kernel by a futex call that never waits.
pub fn is_readable(address: usize) -> bool {
    let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let operation = (libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG) as usize;
    let arguments = [address, operation, 0, core::ptr::from_ref(&never) as usize, 0, 0];
    // SAFETY: the kernel reads the word, or says that it cannot; the wait ends at once.
    unsafe { syscall::call(libc::SYS_futex, arguments) != -(libc::EFAULT as isize) }
}

/// The calling thread's errno.
#[inline]
pub fn errno() -> i32 {
    // SAFETY: __errno_location has no precondition.
    let at = unsafe { libc::__errno_location() };
    // SAFETY: it returns the address of this thread's errno, valid while the thread lives.
    unsafe { *at }
}

/// Sets the calling thread's errno.
#[inline]
pub fn set_errno(value: i32) {
    // SAFETY: __errno_location has no precondition.
    let at = unsafe { libc::__errno_location() };
    // SAFETY: it returns the address of this thread's errno, valid while the thread lives.
    unsafe { *at = value }
}

/// Nanoseconds of CLOCK_MONOTONIC, to the kernel's tick (1 to 10 ms): a vDSO read of about 6 ns.
#[inline]
pub fn coarse_ns() -> u64 {
    clock(libc::CLOCK_MONOTONIC_COARSE)
}

/// Nanoseconds of CLOCK_MONOTONIC.
#[inline]
pub fn now_ns() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// Nanoseconds since 1970.
#[inline]
pub fn unix_ns() -> u64 {
    clock(libc::CLOCK_REALTIME)
}

/// Nanoseconds of `clock` by a system call: 0.1 us more than the vDSO's, but the first reading of that takes a page fault
/// or two. For the start and the end, in processes that may read no clock besides.
pub fn ns_by_call(clock: libc::clockid_t) -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let arguments = [clock as usize, core::ptr::from_mut(&mut t) as usize, 0, 0, 0, 0];
    // SAFETY: t is a valid timespec to write to.
    unsafe { syscall::call(libc::SYS_clock_gettime, arguments) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

fn clock(which: libc::clockid_t) -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: t is a valid timespec to write to.
    unsafe { libc::clock_gettime(which, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// Refusals on request, for tests: the n-th call of this module fails as if the kernel had refused it.
pub mod faults {
    use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

    /// Calls left until the first refusal; `u64::MAX`: never.
    pub static COUNTDOWN: AtomicU64 = AtomicU64::new(u64::MAX);
    /// How many calls in a row are then refused.
    pub static LENGTH: AtomicU64 = AtomicU64::new(1);

    /// Whether this call is to be refused. One load when no fault is set.
    #[inline]
    pub(super) fn refuse() -> bool {
        if COUNTDOWN.load(Relaxed) == u64::MAX {
            return false;
        }
        let left = COUNTDOWN.load(Relaxed);
        if left > 0 {
            COUNTDOWN.store(left - 1, Relaxed);
            return false;
        }
        let length = LENGTH.load(Relaxed);
        if length <= 1 {
            COUNTDOWN.store(u64::MAX, Relaxed);
        } else {
            LENGTH.store(length - 1, Relaxed);
        }
        true
    }
}
