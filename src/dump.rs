//! The dump: the report of this process, written once, on the first way out that is taken.
//!
//! Takes no lock, allocates nothing from the program's heap, reads no environment: the way out may begin in a signal
//! handler inside malloc, in one of many threads, after the program has torn everything down. Owns the text it writes.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use mems_core::buffer::Buffer;
use mems_core::count::Snapshot;
use mems_core::report::{ExitKind, Report, full, json, line, summary};
use mems_core::{lock, os, snapshot, vspace};

use crate::options::{self, Format, Stats};
use crate::{counters, process, raw, record, stats_file, stderr};

const IDLE: u32 = 0;
const WRITING: u32 = 1;
const WRITTEN: u32 = 2;

static STATE: AtomicU32 = AtomicU32::new(IDLE);
/// The thread that is writing.
static WRITER: AtomicUsize = AtomicUsize::new(0);

/// How long the end of the process may wait for a reader of stderr, in milliseconds.
const PATIENCE: i64 = 500;
/// How long a thread that ends the process waits for another that is at it, in milliseconds.
const OTHER_WRITER: i64 = 1000;

/// What only the one who moved STATE to WRITING uses. All zero at first, so that it takes no room in the file and no
/// page before the end.
struct Desk(UnsafeCell<MaybeUninit<Contents>>);
struct Contents {
    counts: Snapshot,
    text: [u8; json::room(process::ARGUMENTS)],
}
// SAFETY: see its comment; STATE gives it to one thread at a time.
unsafe impl Sync for Desk {}
static DESK: Desk = Desk(UnsafeCell::new(MaybeUninit::zeroed()));

/// Writes the dump for a process that ends by `exit` with `code`, if it is to write one and has not yet. Keeps errno.
pub fn write(exit: ExitKind, code: i32) {
    if !process::is_this() {
        return;
    }
    counters::ends(exit, code);
    if !is_asked_for() {
        return;
    }
    while let Err(state) = STATE.compare_exchange(IDLE, WRITING, Ordering::Acquire, Ordering::Relaxed) {
        if state == WRITTEN || WRITER.load(Ordering::Relaxed) == lock::thread() || !other_writer_is_done() {
            return;
        }
    }
    WRITER.store(lock::thread(), Ordering::Relaxed);
    let errno = os::errno();
    // A handler that ended the process in the middle of this would lose the dump.
    raw::quietly(|| {
        // SAFETY: STATE is WRITING, and this thread made it so.
        let desk = unsafe { &mut *DESK.0.get() };
        // SAFETY: all zero bytes are a valid Contents: numbers, arrays of numbers, and `false`.
        compose(exit, code, unsafe { desk.assume_init_mut() });
        0
    });
    os::set_errno(errno);
    STATE.store(WRITTEN, Ordering::Release);
}

/// Whether anything is to be written at the end: a dump, a record, or both.
fn is_asked_for() -> bool {
    options::get().stats != Stats::Off || record::is_wanted()
}

/// Whether the dump is still to be written, or being written.
pub fn is_due() -> bool {
    is_asked_for() && STATE.load(Ordering::Acquire) != WRITTEN && process::is_this()
}

/// Writes the dump of a process that is about to call exec. Whether it did: then [`exec_failed`] is due if exec returns.
pub fn before_exec(is_likely: impl FnOnce() -> bool) -> bool {
    let options = options::get();
    if !is_asked_for() || !process::is_this() || STATE.load(Ordering::Relaxed) != IDLE {
        return false;
    }
    // A forked child that goes on to exec is no program of its own: a shell would double every dump.
    let silent = options.format == Format::Text || options.stats == Stats::Off;
    if silent && process::is_forked() || !is_likely() {
        return false;
    }
    write(ExitKind::Exec, 0);
    STATE.load(Ordering::Relaxed) == WRITTEN
}

/// The process lives on: its counting goes on, and its end writes the dump.
pub fn exec_failed() {
    STATE.store(IDLE, Ordering::Release);
}

/// In a forked child: it is a process of its own, with its own dump, and with no claim on its parent's descriptors.
pub fn forked_child() {
    process::forked();
    counters::forked();
    stderr::forked();
    stats_file::forked();
    record::forked();
    crate::alloc::forked();
    STATE.store(IDLE, Ordering::Release);
}

fn compose(exit: ExitKind, code: i32, desk: &mut Contents) {
    let options = options::get();
    let process = process::facts(exit, code);
    let whole = snapshot::take(&mut desk.counts);
    let mems = vspace::snapshot();
    let report = Report { process: &process, counts: &desk.counts, mems: &mems, whole };
    if record::is_wanted() {
        record::write(&report);
    }
    if options.stats == Stats::Off {
        return;
    }
    let mut text = Buffer::new(&mut desk.text);
    let colours = options.colours && stderr::is_a_terminal() && !stats_file::is_wanted();
    match (options.format, options.stats) {
        (Format::Json, _) => json::write(&report, &mut text),
        (_, Stats::Line) => line::write(&report, &mut text),
        (..) if exit == ExitKind::Exec => line::write(&report, &mut text),
        (_, Stats::Full) => return long(&report, colours, &mut text),
        (..) => summary::write(&report, colours, &mut text),
    }
    send(text.as_bytes());
}

/// Writes the full form, whose length follows the heap's, from memory mapped for it. Where there is none, the short form
/// is written, and what is missing is said.
#[cold]
#[inline(never)]
fn long(report: &Report, colours: bool, short: &mut Buffer) {
    let room = os::round_to_pages(summary_room() + full::room(report.counts));
    let Some((at, len)) = room.and_then(|len| Some((os::map(len, 0)?, len))) else {
        summary::write(report, colours, short);
        short.text("(no memory to list the main chain)\n");
        return send(short.as_bytes());
    };
    // SAFETY: a fresh mapping of that length, which nobody else knows.
    let bytes = unsafe { NonNull::slice_from_raw_parts(at, len).as_mut() };
    let mut text = Buffer::new(bytes);
    summary::write(report, colours, &mut text);
    full::classes(report.counts, &mut text);
    walk(&mut text);
    send(text.as_bytes());
    // SAFETY: the mapping made above; `text` is not used any more.
    unsafe { os::unmap(at, len) };
}

const fn summary_room() -> usize {
    4096
}

/// Appends the main chain, or why it is not there.
fn walk(text: &mut Buffer) {
    let mut chain = full::Chain::default();
    let seen = snapshot::walk(&mut |item| chain.item(&item, text));
    chain.end(text);
    if !seen {
        text.text("(the main chain is busy in another thread and not listed)\n");
    }
}

fn send(text: &[u8]) {
    let written = stats_file::is_wanted() && stats_file::write(text) || stderr::write(text, PATIENCE);
    log::debug!("dump of {} bytes: {}", text.len(), if written { "written" } else { "no way to write it" });
}

/// Waits for another thread that is writing. False when that takes too long.
fn other_writer_is_done() -> bool {
    for _ in 0..OTHER_WRITER {
        if STATE.load(Ordering::Acquire) != WRITING {
            return true;
        }
        raw::wait(1);
    }
    false
}
