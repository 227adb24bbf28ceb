//! The engine over a kernel that refuses: the n-th call of the os floor fails, for every n that a workload reaches, and
//! then runs of refusals, and refusals without end. Nothing but NULL and ENOMEM comes of it, and nothing is lost.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};

use mems_core::count::Function;
use mems_core::os::{self, faults};
use mems_core::{engine, posix};

/// Faults are the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn set(countdown: u64, length: u64) {
    faults::LENGTH.store(length, Relaxed);
    faults::COUNTDOWN.store(countdown, Relaxed);
}

/// No call is refused from here on. Whether the countdown had come to its end.
fn clear() -> bool {
    let left = faults::COUNTDOWN.swap(u64::MAX, Relaxed);
    left == u64::MAX || left == 0
}

/// Live blocks with the byte that fills each; asserts that no two overlap.
#[derive(Default)]
struct Shadow {
    live: BTreeMap<usize, (usize, u8)>,
    refused: usize,
}

impl Shadow {
    fn add(&mut self, block: *mut u8, size: usize, align: usize) {
        let errno = os::errno();
        if block.is_null() {
            assert_eq!(errno, libc::ENOMEM, "NULL without ENOMEM for {size} bytes");
            self.refused += 1;
            return;
        }
        assert_eq!(errno, 0, "a call that succeeds keeps errno");
        let at = block as usize;
        assert!(at.is_multiple_of(align.max(16)), "{at:#x} is no multiple of {align}");
        if let Some((&before, &(len, _))) = self.live.range(..at + size.max(1)).next_back() {
            assert!(before + len <= at, "{at:#x} lies in the block at {before:#x}");
        }
        let fill = (at >> 4) as u8 ^ size as u8;
        // SAFETY: malloc gave this block, size bytes long.
        unsafe { block.write_bytes(fill, size) };
        self.live.insert(at, (size, fill));
    }

    fn check(&self, at: usize) {
        let (size, fill) = self.live[&at];
        // SAFETY: a live block of this size.
        let bytes = unsafe { std::slice::from_raw_parts(at as *const u8, size) };
        assert!(bytes.iter().all(|&byte| byte == fill), "the block at {at:#x} was written to");
    }

    fn malloc(&mut self, size: usize) {
        os::set_errno(0);
        self.add(posix::malloc(size), size, 16);
    }

    fn realloc(&mut self, at: usize, size: usize) {
        self.check(at);
        os::set_errno(0);
        let block = posix::realloc(at as *mut u8, size);
        if !block.is_null() {
            self.live.remove(&at);
        }
        self.add(block, size, 16);
        if block.is_null() {
            self.check(at);
        }
    }

    fn free(&mut self, at: usize) {
        self.check(at);
        self.live.remove(&at);
        os::set_errno(0);
        posix::free(at as *mut u8);
        assert_eq!(os::errno(), 0, "free keeps errno");
    }

    fn free_every(&mut self, nth: usize) {
        let some: Vec<usize> = self.live.keys().copied().step_by(nth).collect();
        some.into_iter().for_each(|at| self.free(at));
    }
}

/// Small, large, aligned, zeroed and growing blocks, half of them freed in between.
fn allocate(shadow: &mut Shadow) {
    for i in 0..400 {
        shadow.malloc(i * 7 % 3000);
        shadow.malloc(16);
    }
    shadow.free_every(3);
    for size in [5_000, 20_000, 33_000, 70_000, 300_000, 3_000_000] {
        shadow.malloc(size);
        os::set_errno(0);
        shadow.add(posix::aligned(Function::Memalign, 1 << 16, size), size, 1 << 16);
        os::set_errno(0);
        let zeroed = posix::calloc(size / 8, 8);
        if !zeroed.is_null() {
            // SAFETY: a live block of this size.
            let bytes = unsafe { std::slice::from_raw_parts(zeroed, size) };
            assert!(bytes.iter().all(|&byte| byte == 0), "calloc gives zeros");
        }
        shadow.add(zeroed, size, 16);
    }
    for size in [100, 1_000, 10_000, 100_000, 1_000_000, 50_000, 10] {
        if let Some(&at) = shadow.live.keys().next_back() {
            shadow.realloc(at, size);
        }
    }
    shadow.free_every(2);
}

/// The workload in this thread and in another one, whose blocks this one frees.
fn work() -> usize {
    let mut mine = Shadow::default();
    allocate(&mut mine);
    let mut theirs = std::thread::spawn(|| {
        let mut shadow = Shadow::default();
        allocate(&mut shadow);
        shadow
    })
    .join()
    .expect("the other thread saw nothing wrong");
    allocate(&mut mine);
    theirs.free_every(1);
    mine.free_every(1);
    mine.refused + theirs.refused
}

/// What is still mapped for the malloc heap when everything is freed and given back.
fn rest() -> usize {
    // Twice: what the first one takes back last may leave a slab empty that it has passed already.
    posix::trim(0);
    posix::trim(0);
    engine::MAPPED.load(Relaxed)
}

#[test]
fn any_refused_call_gives_null_and_enomem_and_loses_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(work(), 0);
    let base = rest();
    for length in [1, 2, 7, u64::MAX] {
        let mut refusals = 0;
        for n in 0.. {
            set(n, length);
            refusals += work();
            let reached = clear();
            assert_eq!(work(), 0, "after refusal {n} x {length} calls succeed again");
            let now = rest();
            assert!(now <= base, "refusal {n} x {length}: {now} bytes stay mapped, {base} before");
            if !reached {
                assert!(n > 20, "the workload makes only {n} calls");
                break;
            }
        }
        match length {
            1 => assert_eq!(refusals, 0, "one refusal alone is made good by a smaller mapping"),
            u64::MAX => assert!(refusals > 0, "without any memory some calls fail"),
            _ => {}
        }
    }
}

#[test]
fn a_range_whose_unmapping_is_refused_is_kept_and_used_again() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(work(), 0);
    rest();
    let size = 40 << 20;
    let block = posix::malloc(size);
    assert!(!block.is_null());
    let mapped = engine::MAPPED.load(Relaxed);
    set(0, u64::MAX);
    posix::free(block);
    posix::trim(0);
    clear();
    assert_eq!(engine::MAPPED.load(Relaxed), mapped, "the range is still accounted for");
    let calls = os::CALLS.mmap.load(Relaxed);
    let again = posix::malloc(size);
    assert_eq!(again, block, "the same range serves again");
    assert_eq!(os::CALLS.mmap.load(Relaxed), calls, "without a mapping");
    posix::free(again);
    rest();
    assert!(engine::MAPPED.load(Relaxed) < mapped, "and goes back when the kernel allows it");
}

#[test]
fn a_thread_that_finds_no_memory_leaves_the_others_working() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut kept = Shadow::default();
    allocate(&mut kept);
    set(0, u64::MAX);
    let refused = std::thread::spawn(|| {
        os::set_errno(0);
        (posix::malloc(1 << 30).is_null(), os::errno())
    })
    .join()
    .expect("the thread ends");
    assert_eq!(refused, (true, libc::ENOMEM));
    // What is freed serves again without the kernel.
    let freed: Vec<usize> = kept.live.iter().filter(|(_, block)| block.0 == 16).map(|(&at, _)| at).collect();
    assert!(freed.len() > 50);
    freed.iter().for_each(|&at| kept.free(at));
    freed.iter().for_each(|_| kept.malloc(16));
    assert_eq!(kept.refused, 0);
    clear();
    kept.free_every(1);
    assert_eq!(work(), 0);
}
