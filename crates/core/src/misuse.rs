//! The one report of a misused heap: what was wrong, in one line, and then what the policy says.
//!
//! Called with no lock of ours held, since it may end in abort(). Allocates nothing and owns only the policy.

use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::buffer::Buffer;
use crate::{say, site};

/// What follows a misuse (`MEMS_ON_ERROR`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Policy {
    /// One line, then abort(), as glibc does. The default.
    Abort = 0,
    /// One line, and the call is dropped without effect.
    Warn = 1,
    /// The call is dropped without effect.
    Ignore = 2,
}

/// What the program did. `function` is the exported name it called; pointers are addresses, sizes are bytes.
#[derive(Clone, Copy, Debug)]
pub enum Misuse {
    /// A block that was given back already: by free (a double free), realloc or malloc_usable_size.
    Freed {
        /// Name of the call.
        function: &'static str,
        /// The block.
        pointer: usize,
        /// Usable size of the block that was there; 0 when that is not known any more.
        usable: usize,
    },
    /// A pointer into the middle of a live block.
    Inside {
        /// Name of the call.
        function: &'static str,
        /// The pointer.
        pointer: usize,
        /// Where the block starts; below `pointer`.
        block: usize,
        /// Its usable size.
        usable: usize,
    },
    /// A pointer to no block of MeMS: stack, static, wild, or bookkeeping.
    NoBlock {
        /// Name of the call.
        function: &'static str,
        /// The pointer.
        pointer: usize,
    },
    /// A sized free or delete that names a size the block cannot have been asked with.
    Size {
        /// Name of the call.
        function: &'static str,
        /// The block.
        pointer: usize,
        /// Its usable size.
        usable: usize,
        /// The size that the program named.
        named: usize,
    },
    /// A block of operator new given to free or realloc, or one of malloc given to delete (hardened mode).
    Mismatch {
        /// Name of the call.
        function: &'static str,
        /// The block.
        pointer: usize,
        /// Bytes asked of it.
        asked: usize,
        /// Whether operator new gave it out.
        new: bool,
    },
    /// Bytes in front of a block or behind its asked end were written to (hardened mode).
    Past {
        /// Name of the call that found it.
        function: &'static str,
        /// The block.
        pointer: usize,
        /// Bytes asked of it.
        asked: usize,
        /// Whether it was in front.
        front: bool,
    },
    /// A freed block that was written to, found by malloc before it gave it out again (hardened mode).
    Written {
        /// The block.
        pointer: usize,
        /// Bytes asked of it.
        asked: usize,
    },
    /// A free list or a table of MeMS that the program has written over.
    Overwritten {
        /// Name of the call.
        function: &'static str,
        /// Where.
        pointer: usize,
    },
}

static POLICY: AtomicU8 = AtomicU8::new(Policy::Abort as u8);
static SAID: say::Limit = say::Limit::new(100);
static FOREIGN: say::Limit = say::Limit::new(1);

/// Sets what follows a misuse from now on.
pub fn set_policy(policy: Policy) {
    POLICY.store(policy as u8, Relaxed);
}

/// The policy now.
pub fn policy() -> Policy {
    match POLICY.load(Relaxed) {
        1 => Policy::Warn,
        2 => Policy::Ignore,
        _ => Policy::Abort,
    }
}

/// Reports `what`, which the program did in a call that returns to `site` (0: not known). Returns unless the
/// policy is to abort; the caller then drops the call. At most 100 lines a process.
#[cold]
#[inline(never)]
pub fn report(what: Misuse, site: usize) {
    report_with(what, site, || {});
}

/// As [`report`]; `more` says more of it in further lines.
#[cold]
pub fn report_with(what: Misuse, site: usize, more: impl FnOnce()) {
    let policy = policy();
    if policy == Policy::Ignore {
        return;
    }
    SAID.line(|text| {
        describe(&what, text);
        called_from(site, text);
        if site != 0 && policy == Policy::Abort {
            // Soon nobody can ask any more where the modules lie.
            site::describe(site, text);
        }
    });
    more();
    if policy == Policy::Abort {
        // SAFETY: abort has no precondition.
        unsafe { libc::abort() }
    }
}

/// Warns, once a process and whatever the policy short of `Ignore`, that `function` got a block of another
/// allocator, which is left alone. Returns always.
#[cold]
#[inline(never)]
pub fn foreign(function: &'static str, pointer: usize, site: usize) {
    if policy() == Policy::Ignore {
        return;
    }
    FOREIGN.line(|text| {
        at(function, pointer, text);
        text.text(" (not from MeMS: left alone)");
        called_from(site, text);
    });
}

/// The line for `what`, without the call site.
pub fn describe(what: &Misuse, text: &mut Buffer) {
    match *what {
        Misuse::Freed { function, pointer, usable } => {
            let double = matches!(function, "free" | "delete" | "delete[]" | "cfree");
            at(if double { "double free" } else { function }, pointer, text);
            text.text(" (");
            if usable != 0 {
                text.number(usable as u64);
                text.text("-byte block, ");
            }
            text.text("freed before)");
        }
        Misuse::Inside { function, pointer, block, usable } => {
            at(function, pointer, text);
            text.text(" (");
            let inside = pointer.saturating_sub(block);
            text.number(inside as u64);
            text.text(if inside == 1 { " byte inside the " } else { " bytes inside the " });
            text.number(usable as u64);
            text.text("-byte block at 0x");
            text.hex(block);
            text.text(")");
        }
        Misuse::NoBlock { function, pointer } => {
            at(function, pointer, text);
            text.text(" (not a block of malloc)");
        }
        Misuse::Size { function, pointer, usable, named } => {
            at(function, pointer, text);
            text.text(" with size ");
            text.number(named as u64);
            text.text(" (");
            text.number(usable as u64);
            text.text("-byte block)");
        }
        Misuse::Mismatch { function, pointer, asked, new } => {
            at(function, pointer, text);
            text.text(" (");
            text.number(asked as u64);
            text.text(if new { "-byte block of operator new)" } else { "-byte block of malloc)" });
        }
        Misuse::Past { function, pointer, asked, front } => {
            at(function, pointer, text);
            text.text(" (");
            text.number(asked as u64);
            text.text("-byte block, written ");
            text.text(if front { "in front of its start)" } else { "past its end)" });
        }
        Misuse::Written { pointer, asked } => {
            text.text("malloc found the freed ");
            text.number(asked as u64);
            text.text("-byte block at 0x");
            text.hex(pointer);
            text.text(" written to");
        }
        Misuse::Overwritten { function, pointer } => {
            text.text(function);
            text.text(" found a free list overwritten at 0x");
            text.hex(pointer);
        }
    }
}

fn at(what: &str, pointer: usize, text: &mut Buffer) {
    text.text(what);
    text.text(" of 0x");
    text.hex(pointer);
}

fn called_from(site: usize, text: &mut Buffer) {
    if site != 0 {
        text.text(", called from 0x");
        text.hex(site);
    }
}
