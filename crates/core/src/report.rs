//! A snapshot for people or programs: the counters and the process they belong to, written into bytes of the caller.
//!
//! Pure formatting: no lock, no allocation, no system call, no environment, so that it serves on any way out. What
//! each line and field means stands in docs/stats.md. Nothing but the root crate names this module.

pub mod figures;
pub mod full;
pub mod json;
pub mod line;
pub mod record;
pub mod sizes;
pub mod summary;

use crate::buffer::Buffer;
use crate::count::{Function, MemsRow, Snapshot};

/// The version that the dumps carry.
pub const VERSION: &str = match cfg!(feature = "uncounted") {
    false => env!("CARGO_PKG_VERSION"),
    true => concat!(env!("CARGO_PKG_VERSION"), " uncounted"),
};

/// The way a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExitKind {
    /// exit(), return from main, or the end of the last thread.
    Exit,
    /// _exit() or _Exit().
    Underscore,
    /// quick_exit().
    Quick,
    /// The image is being replaced.
    Exec,
    /// A deadly signal: written by someone who watched.
    Signal,
    /// It has ended, and nobody saw how.
    Unknown,
    /// It has not ended.
    Live,
}

impl ExitKind {
    /// Its name in the dump.
    pub fn name(self) -> &'static str {
        match self {
            ExitKind::Exit => "exit",
            ExitKind::Underscore => "_exit",
            ExitKind::Quick => "quick_exit",
            ExitKind::Exec => "exec",
            ExitKind::Signal => "signal",
            ExitKind::Unknown => "unknown",
            ExitKind::Live => "live",
        }
    }
}

/// What is known of the process beside its counters. Times in nanoseconds.
#[derive(Clone, Copy)]
pub struct Process<'a> {
    /// Its number.
    pub pid: u32,
    /// Its parent's number when it began.
    pub ppid: u32,
    /// Path of the executable; empty when it is not known.
    pub exe: &'a [u8],
    /// The arguments, each ended by a NUL.
    pub args: &'a [u8],
    /// Whether there were more argument bytes than were kept.
    pub args_cut: bool,
    /// When it began (a forked child: when it was forked), since 1970.
    pub start_unix_ns: u64,
    /// The same moment on CLOCK_MONOTONIC.
    pub start_ns: u64,
    /// How long it has run.
    pub elapsed_ns: u64,
    /// How it ended.
    pub exit: ExitKind,
    /// With what code, or by which signal.
    pub code: i32,
}

impl<'a> Process<'a> {
    /// The arguments one by one.
    pub fn arguments(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.args.strip_suffix(b"\0").into_iter().flat_map(|args| args.split(|byte| *byte == 0))
    }

    /// The program's name: the last part of its first argument, else of its executable.
    pub fn name(&self) -> &'a [u8] {
        let from = match self.arguments().next() {
            Some(first) if !first.is_empty() => first,
            _ => self.exe,
        };
        match from.rsplit(|byte| *byte == b'/').next() {
            Some(last) if !last.is_empty() => last,
            _ => from,
        }
    }
}

/// Everything a dump says.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// The process.
    pub process: &'a Process<'a>,
    /// Its counters.
    pub counts: &'a Snapshot,
    /// Its mems_* heap.
    pub mems: &'a MemsRow,
    /// False when the engine was busy in another thread: what its chain would have told is 0.
    pub whole: bool,
}

/// The functions whose blocks the dump sums up as `aligned`.
const ALIGNED: [Function; 5] = [
    Function::Memalign,
    Function::AlignedAlloc,
    Function::PosixMemalign,
    Function::Valloc,
    Function::Pvalloc,
];

/// The functions that give out a block.
const GIVING: [Function; 10] = [
    Function::Malloc,
    Function::Calloc,
    Function::Realloc,
    Function::Reallocarray,
    Function::Memalign,
    Function::AlignedAlloc,
    Function::PosixMemalign,
    Function::Valloc,
    Function::Pvalloc,
    Function::New,
];

impl Report<'_> {
    /// Blocks that are live now, those inherited by fork included.
    pub fn live_blocks(&self) -> u64 {
        let c = self.counts;
        (c.inherited_blocks.wrapping_add(c.blocks_asked)).wrapping_sub(c.blocks_freed)
    }

    /// Bytes asked, all functions together.
    pub fn asked(&self) -> u64 {
        sum(&self.counts.asked, &GIVING)
    }

    /// Failed calls, all functions together.
    pub fn failed(&self) -> u64 {
        sum(&self.counts.failed, &GIVING)
    }
}

/// The sum of one figure over some functions, with wrap-around.
#[inline(never)]
fn sum(figures: &[u64], functions: &[Function]) -> u64 {
    functions.iter().fold(0, |sum, f| sum.wrapping_add(of(figures, *f)))
}

/// One function's figure.
fn of(figures: &[u64], function: Function) -> u64 {
    figures.get(function as usize).copied().unwrap_or(0)
}

/// Appends how the process ended: `exit 0`, `exec`, `signal 9`.
fn ending(process: &Process, to: &mut Buffer) {
    to.text(process.exit.name());
    if !matches!(process.exit, ExitKind::Exec | ExitKind::Live | ExitKind::Unknown) {
        to.text(" ");
        to.signed(i64::from(process.code));
    }
}

/// Appends the program's name and arguments in at most `width` columns, and returns how many it took. Control
/// characters, what is not UTF-8 and what could turn the line's direction become `?`.
fn command(process: &Process, width: usize, to: &mut Buffer) -> usize {
    let mut whole = 0;
    each_character(process, &mut |c| whole += columns(c));
    let room = if whole <= width { width } else { width.saturating_sub(DOTS.len()) };
    let (mut used, mut full) = (0, false);
    each_character(process, &mut |c| {
        if !full && used + columns(c) <= room {
            used += columns(c);
            let mut bytes = [0; 4];
            to.text(c.encode_utf8(&mut bytes));
        } else if !full && width >= DOTS.len() {
            to.text(DOTS);
            used += DOTS.len();
            full = true;
        } else {
            full = true;
        }
    });
    used
}

/// Stands for the rest of a command.
const DOTS: &str = "...";

/// Shows the name and the arguments, with spaces between them, as characters that print: for those that do not, and for
/// bytes that are none, a `?` stands.
fn each_character(process: &Process, see: &mut dyn FnMut(char)) {
    let mut arguments = process.arguments();
    arguments.next();
    let mut next = Some(process.name());
    while let Some(word) = next {
        for chunk in word.utf8_chunks() {
            for c in chunk.valid().chars() {
                see(if prints(c) { c } else { '?' });
            }
            if !chunk.invalid().is_empty() {
                see('?');
            }
        }
        next = arguments.next();
        if next.is_some() {
            see(' ');
        }
    }
}

fn prints(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// Columns that a character takes at most: everything behind the Latin, Greek and Cyrillic scripts counts as wide.
fn columns(c: char) -> usize {
    if c < '\u{500}' { 1 } else { 2 }
}
