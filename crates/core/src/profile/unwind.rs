//! Unwinding: from a call of the malloc family to the return addresses of all its callers.
//!
//! One table of rules for all threads, one word an entry, read and written without a lock: the word holds both the rule and
//! what is left of the address, so it is never half of one and half of another. A frame costs a look-up and two or three
//! loads. The stack is read within its bounds only; where those are not known (a coroutine's stack) each page is tried
//! before. Allocates nothing.

use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::*};

use super::rule::{self, PACKED, Rule};
use super::{Caller, FRAMES};
use crate::lock::thread;
use crate::os::{self, PAGE};
use crate::pool;

/// Bits of an address that the place in the table stands for.
const INDEX: u32 = 15;
const ENTRIES: usize = 1 << INDEX;
/// Bits of an address that an entry holds: with INDEX all 48.
const TAG: u32 = 64 - PACKED;
const _: () = assert!(TAG + INDEX >= 48);
/// A stack is not believed to be larger than this, in bytes: between the first thread's stack and all mappings the kernel
/// leaves at least twice as much.
const LARGEST_STACK: usize = 64 << 20;

type Rules = [AtomicU64; ENTRIES];
static RULES: AtomicPtr<Rules> = AtomicPtr::new(core::ptr::null_mut());

/// The first thread, and where its stack ends.
static FIRST_THREAD: AtomicUsize = AtomicUsize::new(0);
static FIRST_END: AtomicUsize = AtomicUsize::new(0);

/// Readies the table; `stack_end` is an address above all frames of the calling thread, which is the first. False when
/// memory is short.
pub fn start(stack_end: usize) -> bool {
    let Some(at) = pool::take::<Rules>() else { return false };
    FIRST_THREAD.store(thread(), Relaxed);
    FIRST_END.store(stack_end, Relaxed);
    RULES.store(at.as_ptr(), Release);
    true
}

fn rules() -> Option<&'static Rules> {
    // SAFETY: a fresh mapping of zero bytes of that size, never unmapped.
    unsafe { RULES.load(Acquire).as_ref() }
}

/// Forgets all rules: code was unloaded.
pub fn forget() {
    for entry in rules().into_iter().flatten() {
        entry.store(0, Relaxed);
    }
}

/// The rule for the code that returns to `back`.
#[inline]
fn rule_for(rules: &Rules, back: usize) -> Rule {
    let index = (back ^ back >> INDEX ^ back >> (2 * INDEX)) & (ENTRIES - 1);
    let tag = (back as u64 >> INDEX) << PACKED;
    let entry = rules[index].load(Relaxed);
    if entry & !((1 << PACKED) - 1) == tag && entry != 0 {
        return Rule::unpack(entry & ((1 << PACKED) - 1));
    }
    missing(rules, back, index, tag)
}

#[cold]
#[inline(never)]
fn missing(rules: &Rules, back: usize, index: usize, tag: u64) -> Rule {
    let rule = rule::of(back - 1);
    if let Some(packed) = rule.pack() {
        rules[index].store(tag | packed, Relaxed);
        return rule;
    }
    Rule::End
}

/// The part of the address space that this thread's stack is read in.
struct Bounds {
    low: usize,
    high: usize,
    /// `high` is not known: pages up to it have been tried.
    tried: bool,
}

impl Bounds {
    fn of(stack: usize) -> Bounds {
        let me = thread();
        let first = me == FIRST_THREAD.load(Relaxed);
        // The C library puts a thread's control block at the upper end of its stack.
        let high = if first { FIRST_END.load(Relaxed) } else { me };
        if high > stack && high - stack < LARGEST_STACK {
            return Bounds { low: stack, high, tried: false };
        }
        Bounds { low: stack, high: stack & !(PAGE - 1), tried: true }
    }

    #[inline]
    fn read(&mut self, at: usize) -> Option<usize> {
        if at < self.low || !at.is_multiple_of(8) || (at > self.high - 8 && !self.reach(at)) {
            return None;
        }
        // SAFETY: an aligned word between this thread's stack pointer and the end of what is mapped of its stack.
        Some(unsafe { (at as *const usize).read() })
    }

    /// Tries the pages up to that of `at`.
    #[cold]
    fn reach(&mut self, at: usize) -> bool {
        if !self.tried || at - self.low > LARGEST_STACK {
            return false;
        }
        while at > self.high - 8 {
            if !os::is_readable(self.high) {
                return false;
            }
            self.high += PAGE;
        }
        true
    }
}

/// Puts the return addresses of `caller` and all its callers in `out`, innermost first; how many, and whether there were
/// more.
pub fn walk(caller: &Caller, out: &mut [usize; FRAMES]) -> (usize, bool) {
    let Some(rules) = rules() else { return (0, false) };
    let mut bounds = Bounds::of(caller.stack);
    let (mut back, mut stack, mut frame) = (caller.site, caller.stack, caller.frame);
    // The link register, where it holds the return address: in a function that a signal interrupted.
    let mut link = None;
    for (count, place) in out.iter_mut().enumerate() {
        *place = back;
        let next = match rule_for(rules, back) {
            Rule::End => None,
            Rule::Pointer => by_pointer(&mut bounds, stack, frame),
            Rule::Signal => interrupted(&mut bounds, stack, &mut link),
            Rule::Frame { from_frame, up, frame: kept, back } => {
                let end = if from_frame { frame } else { stack }.wrapping_add(usize::from(up) * 8);
                let to = match back {
                    0 => link.take(),
                    _ => bounds.read(end.wrapping_sub(usize::from(back) * 8)),
                };
                let frame = match kept {
                    0 => Some(frame),
                    _ => bounds.read(end.wrapping_sub(usize::from(kept) * 8)),
                };
                to.zip(frame).map(|(to, frame)| (bare(to), end, frame))
            }
        };
        let Some((to, above, kept)) = next.filter(|(to, above, _)| *to > 4096 && *above >= stack) else {
            return (count + 1, false);
        };
        if above == stack && cfg!(target_arch = "x86_64") {
            return (count + 1, false);
        }
        (back, stack, frame) = (to, above, kept);
        // What lies below has been left: it is no part of any further frame.
        bounds.low = bounds.low.max(stack);
    }
    (FRAMES, true)
}

/// A return address without the signature that some processors put into it.
#[inline(always)]
fn bare(address: usize) -> usize {
    address & ((1 << 48) - 1)
}

fn by_pointer(bounds: &mut Bounds, stack: usize, frame: usize) -> Option<(usize, usize, usize)> {
    if frame < stack {
        return None;
    }
    let to = bounds.read(frame.wrapping_add(8))?;
    let above = bounds.read(frame)?;
    Some((bare(to), frame + 16, above))
}

/// The registers of the code that a signal interrupted. Its address is not a return address, so one is added, as if it were
/// the one behind a call.
#[cfg(target_arch = "x86_64")]
fn interrupted(
    bounds: &mut Bounds,
    stack: usize,
    _link: &mut Option<usize>,
) -> Option<(usize, usize, usize)> {
    // The kernel's ucontext: flags, link, the alternate stack (3 words), then r8 to r15, rdi, rsi, rbp, rbx, rdx, rax,
    // rcx, rsp, rip.
    let register = |bounds: &mut Bounds, number: usize| bounds.read(stack + 40 + number * 8);
    let frame = register(bounds, 10)?;
    let above = register(bounds, 15)?;
    let at = register(bounds, 16)?;
    *bounds = if above < bounds.low || above >= bounds.high {
        Bounds::of(above)
    } else {
        Bounds { low: above, ..*bounds }
    };
    // A handler on a stack of its own comes back to one that may lie below it.
    (above > stack).then_some((at + 1, above, frame))
}

#[cfg(target_arch = "aarch64")]
fn interrupted(bounds: &mut Bounds, stack: usize, link: &mut Option<usize>) -> Option<(usize, usize, usize)> {
    // siginfo (128 bytes), then ucontext: 168 bytes and padding, the fault address, x0 to x30, sp, pc.
    let register = |bounds: &mut Bounds, number: usize| bounds.read(stack + 128 + 184 + number * 8);
    let frame = register(bounds, 29)?;
    *link = register(bounds, 30);
    let above = register(bounds, 31)?;
    let at = register(bounds, 32)?;
    *bounds = if above < bounds.low || above >= bounds.high {
        Bounds::of(above)
    } else {
        Bounds { low: above, ..*bounds }
    };
    (above > stack).then_some((at + 1, above, frame))
}
