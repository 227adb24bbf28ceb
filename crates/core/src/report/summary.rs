//! The short form (`MEMS_STATS=summary`, the default): at most 25 lines of at most 79 columns, less than 4096 bytes.
//!
//! Figures stay exact where they fit their column and take k, M, G … where they do not; the exact ones stand in the JSON.

use crate::buffer::Buffer;
use crate::count::Function;
use crate::report::figures::{self, bytes, count, percent, short_count, span};
use crate::report::{ALIGNED, Report, command, ending, of, sizes, sum};

/// Columns of the widest line.
pub const WIDTH: usize = 77;
/// Lines at most.
pub const LINES: usize = 25;

const BOLD: &str = "\x1b[1m";
const CYAN: &str = "\x1b[36m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// Lines that every summary has beside the size rows: title, calls (2), asked, freed, live, peak, mapped (2), size,
/// main chain, holes, end.
const FIXED: usize = 13;

/// Writes the summary. Needs 4096 bytes.
pub fn write(report: &Report, colours: bool, to: &mut Buffer) {
    let paint = Paint { on: colours };
    title(report, &paint, to);
    calls(report, &paint, to);
    let optional = cplusplus(report, &paint, to);
    blocks(report, &paint, to);
    let optional = optional + inherited(report, &paint, to);
    peak(report, &paint, to);
    mapped(report, &paint, to);
    let mems = report.mems.regions != 0 || report.mems.pages != 0;
    histogram(report, LINES - FIXED - optional - usize::from(mems), &paint, to);
    engine(report, &paint, to);
    if mems {
        mems_row(report, &paint, to);
    }
    paint.text(BOLD, to, |to| to.fill(b'=', WIDTH));
    to.text("\n");
}

/// Colours, or none.
struct Paint {
    on: bool,
}

impl Paint {
    fn text(&self, colour: &str, to: &mut Buffer, write: impl FnOnce(&mut Buffer)) {
        if self.on {
            to.text(colour);
        }
        write(to);
        if self.on {
            to.text(PLAIN);
        }
    }

    /// The first columns of a line.
    #[inline(never)]
    fn label(&self, width: usize, label: &str, to: &mut Buffer) {
        to.text("  ");
        self.text(CYAN, to, |to| to.text(label));
        to.fill(b' ', width.saturating_sub(2 + label.len()));
    }
}

fn title(report: &Report, paint: &Paint, to: &mut Buffer) {
    let mut place = [0; 64];
    let mut right = Buffer::new(&mut place);
    right.text("= ");
    ending(report.process, &mut right);
    right.text(" after ");
    span(report.process.elapsed_ns, &mut right);
    right.text(" ==");
    paint.text(BOLD, to, |to| {
        let before = to.len();
        to.text("== mems ");
        to.text(super::VERSION);
        to.text(" == pid ");
        to.number(u64::from(report.process.pid));
        to.text(" ");
        let room = WIDTH.saturating_sub(to.len() - before + 1 + right.len());
        let used = command(report.process, room, to);
        to.text(" ");
        to.fill(b'=', room.saturating_sub(used));
        to.bytes(right.as_bytes());
    });
    to.text("\n");
}

fn calls(report: &Report, paint: &Paint, to: &mut Buffer) {
    let calls = &report.counts.calls;
    paint.label(9, "calls", to);
    for name in ["malloc", "calloc", "realloc", "aligned", "free", "failed"] {
        to.right(11, |to| to.text(name));
    }
    to.text("\n");
    to.fill(b' ', 9);
    let realloc = sum(calls, &[Function::Realloc, Function::Reallocarray]);
    for figure in [
        of(calls, Function::Malloc),
        of(calls, Function::Calloc),
        realloc,
        sum(calls, &ALIGNED),
        of(calls, Function::Free),
    ] {
        to.right(11, |to| count(figure, 10, to));
    }
    let failed = report.failed();
    if failed == 0 {
        to.right(11, |to| to.text("0"));
    } else {
        paint.text(RED, to, |to| to.right(11, |to| count(failed, 10, to)));
    }
    to.text("\n");
}

/// The line of new and delete, for programs that called them. Returns how many lines that was.
#[inline(never)]
fn cplusplus(report: &Report, paint: &Paint, to: &mut Buffer) -> usize {
    let new = of(&report.counts.calls, Function::New);
    let delete = of(&report.counts.calls, Function::Delete);
    if new == 0 && delete == 0 {
        return 0;
    }
    paint.label(9, "C++", to);
    to.right(11, |to| to.text("new"));
    to.right(14, |to| count(new, 13, to));
    to.right(11, |to| to.text("delete"));
    to.right(14, |to| count(delete, 13, to));
    to.text("\n");
    1
}

fn blocks(report: &Report, paint: &Paint, to: &mut Buffer) {
    let counts = report.counts;
    paint.label(12, "asked", to);
    to.right(11, |to| bytes(report.asked(), to));
    to.left(20, |to| in_blocks(counts.blocks_asked, to));
    to.right(6, |to| {
        to.text("+");
        percent(counts.engine.rounding, report.asked(), to);
    });
    to.text(" rounding  ");
    let milliseconds = (report.process.elapsed_ns / 1_000_000).max(1);
    let rate = u128::from(counts.blocks_asked) * 1000 / u128::from(milliseconds);
    to.right(7, |to| short_count(rate.min(u128::from(u64::MAX)) as u64, to));
    to.text(" blocks/s\n");

    paint.label(12, "freed", to);
    to.right(11, |to| count(counts.blocks_freed, 11, to));
    to.text(" blocks   free(NULL) ");
    count(counts.free_null, 9, to);
    let moved_or_not = sum(&counts.calls, &[Function::Realloc, Function::Reallocarray]);
    if moved_or_not != 0 {
        to.text("   realloc in place ");
        percent(counts.realloc_in_place, moved_or_not, to);
    }
    to.text("\n");

    paint.label(12, "live", to);
    to.right(11, |to| bytes(counts.live_usable, to));
    let [_, most, ever] = counts.threads;
    to.left(if ever > 1 { 20 } else { 0 }, |to| in_blocks(report.live_blocks(), to));
    if ever > 1 {
        to.text(" threads ");
        short_count(most, to);
        to.text(" at peak, ");
        short_count(ever, to);
        to.text(" ever");
    }
    to.text("\n");
}

/// The line of what a forked child got from its parent. Returns how many lines that was.
#[inline(never)]
fn inherited(report: &Report, paint: &Paint, to: &mut Buffer) -> usize {
    let counts = report.counts;
    if counts.inherited_blocks == 0 && counts.inherited_bytes == 0 {
        return 0;
    }
    paint.label(12, "inherited", to);
    to.right(11, |to| bytes(counts.inherited_bytes, to));
    in_blocks(counts.inherited_blocks, to);
    to.text(" live at the fork\n");
    1
}

fn peak(report: &Report, paint: &Paint, to: &mut Buffer) {
    let peak = &report.counts.peak;
    paint.label(12, "peak", to);
    to.right(11, |to| bytes(peak.live_usable, to));
    in_blocks(peak.live_blocks, to);
    to.text(" at ");
    span(peak.at_ns.saturating_sub(report.process.start_ns), to);
    if peak.exact {
        to.text("   exact\n");
    } else {
        to.text("   within ");
        bytes(peak.bound, to);
        to.text("\n");
    }
}

fn mapped(report: &Report, paint: &Paint, to: &mut Buffer) {
    let engine = &report.counts.engine;
    paint.label(12, "mapped", to);
    to.right(11, |to| bytes(engine.mapped, to));
    to.text(" now, ");
    bytes(report.counts.peak.mapped, to);
    to.text(" at peak   ");
    short_count(engine.mmap, to);
    to.text(" mmap, ");
    short_count(engine.munmap, to);
    to.text(" munmap\n");
    to.fill(b' ', 15);
    to.text("= ");
    let (unit, name) = figures::byte_unit(engine.mapped);
    for (figure, word) in [
        (report.counts.live_usable, " live + "),
        (engine.hole_bytes, " holes + "),
        (engine.slack, " slack + "),
        (engine.bookkeeping, " bookkeeping "),
    ] {
        figures::in_unit(figure.min(unit.saturating_mul(9999)), unit, to);
        to.text(word);
    }
    to.text(name);
    to.text("\n");
}

fn histogram(report: &Report, most: usize, paint: &Paint, to: &mut Buffer) {
    const BAR: u128 = 28;
    paint.label(9, "size", to);
    to.right(17, |to| to.text("blocks"));
    to.right(18, |to| to.text("asked"));
    to.text("\n");
    let rows = sizes::Rows::of(report.counts, most);
    let largest = rows.as_slice().iter().map(|row| row.blocks).max().unwrap_or(0).max(1);
    for row in rows.as_slice() {
        to.text("    ");
        to.left(10, |to| {
            to.text("<= ");
            let (unit, name) = figures::byte_unit(row.le);
            to.number(row.le / unit);
            if unit > 1 {
                to.text(" ");
                to.text(name);
            }
        });
        to.right(12, |to| count(row.blocks, 11, to));
        to.right(6, |to| percent(row.blocks, report.counts.blocks_asked, to));
        to.right(12, |to| bytes(row.asked, to));
        let bar = u128::from(row.blocks) * BAR / u128::from(largest);
        if bar > 0 {
            to.text("  ");
            paint.text(GREEN, to, |to| to.fill(b'#', bar as usize));
        }
        to.text("\n");
    }
}

fn engine(report: &Report, paint: &Paint, to: &mut Buffer) {
    let engine = &report.counts.engine;
    paint.label(14, "main chain", to);
    if !report.whole {
        to.text("busy in another thread: not counted, its holes are in the slack\n");
        return;
    }
    // The line has no room for four long figures.
    let width = if engine.madvise == 0 { 11 } else { 7 };
    for (figure, word) in
        [(engine.regions, " regions   "), (engine.process, " PROCESS   "), (engine.hole, " HOLE")]
    {
        count(figure, width, to);
        to.text(word);
    }
    if engine.madvise != 0 {
        to.text("   ");
        short_count(engine.madvise, to);
        to.text(" madvise");
    }
    to.text("\n");
    paint.label(14, "holes", to);
    bytes(engine.hole_bytes, to);
    to.text(", largest ");
    bytes(engine.largest_hole, to);
    to.text("   ");
    short_count(engine.splits, to);
    to.text(" splits, ");
    short_count(engine.joins, to);
    to.text(" joins\n");
}

#[cold]
fn mems_row(report: &Report, paint: &Paint, to: &mut Buffer) {
    let mems = report.mems;
    paint.label(14, "mems_*", to);
    for (figure, word) in [
        (mems.pages, " pages x "),
        (mems.page_size, ", "),
        (mems.process, " PROCESS, "),
        (mems.hole, " HOLE of "),
    ] {
        short_count(figure, to);
        to.text(word);
    }
    bytes(mems.unused, to);
    to.text("\n");
}

#[inline(never)]
fn in_blocks(blocks: u64, to: &mut Buffer) {
    to.text(" in ");
    count(blocks, 9, to);
    to.text(" blocks");
}
