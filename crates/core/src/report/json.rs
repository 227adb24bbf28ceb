//! The form for programs (`MEMS_STATS_FORMAT=json`): one object a process, on one line, schema `mems/1`.
//!
//! Every field is always there; a field's meaning never changes. Integers in bytes and nanoseconds. What is not UTF-8
//! in a path or an argument becomes U+FFFD.

use crate::buffer::Buffer;
use crate::count::{FUNCTION_NAMES, Function, Snapshot};
use crate::os;
use crate::report::{ALIGNED, GIVING, Report, of, sizes, sum};

/// Bytes that are enough for any report, with arguments of up to `args` bytes and a path of up to 4096.
pub const fn room(args: usize) -> usize {
    24 * 1024 + 6 * (args + 4096)
}

/// Writes the object and a newline. Needs [`room`].
pub fn write(report: &Report, to: &mut Buffer) {
    to.text("{\"schema\":\"mems/1\",\"version\":\"");
    to.text(super::VERSION);
    to.text("\",");
    process(report, to);
    calls(report.counts, to);
    blocks(report, to);
    size_rows(report.counts, to);
    engine(report, to);
    mems(report, to);
    to.text("}\n");
}

fn process(report: &Report, to: &mut Buffer) {
    let process = report.process;
    to.text("\"process\":{");
    field("pid", u64::from(process.pid), to);
    field(",ppid", u64::from(process.ppid), to);
    to.text(",\"exe\":");
    string(process.exe, to);
    to.text(",\"argv\":[");
    for (index, argument) in process.arguments().enumerate() {
        if index > 0 {
            to.text(",");
        }
        string(argument, to);
    }
    to.text("],\"argv_cut\":");
    truth(process.args_cut, to);
    field(",start_unix_ns", process.start_unix_ns, to);
    field(",elapsed_ns", process.elapsed_ns, to);
    to.text(",\"exit\":{\"kind\":\"");
    to.text(process.exit.name());
    to.text("\",\"code\":");
    to.signed(i64::from(process.code));
    let [now, peak, created] = report.counts.threads;
    to.text("},\"threads\":{");
    field("now", now, to);
    field(",peak", peak, to);
    field(",created", created, to);
    to.text("}");
    field(",page_size", os::PAGE as u64, to);
    to.text("},");
}

fn calls(counts: &Snapshot, to: &mut Buffer) {
    to.text("\"calls\":{");
    for (name, figure) in FUNCTION_NAMES.iter().zip(&counts.calls) {
        field(name, *figure, to);
        to.text(",");
    }
    field("free_null", counts.free_null, to);
    field(",delete_null", counts.delete_null, to);
    field(",realloc_null", counts.realloc_null, to);
    field(",realloc_zero", counts.realloc_zero, to);
    field(",realloc_in_place", counts.realloc_in_place, to);
    to.text(",\"failed\":{");
    for (index, function) in GIVING.iter().enumerate() {
        if index > 0 {
            to.text(",");
        }
        field(FUNCTION_NAMES.get(*function as usize).unwrap_or(&""), of(&counts.failed, *function), to);
    }
    to.text("}},");
}

fn blocks(report: &Report, to: &mut Buffer) {
    let counts = report.counts;
    let asked = &counts.asked;
    to.text("\"bytes\":{\"asked\":{");
    field("malloc", of(asked, Function::Malloc), to);
    field(",calloc", of(asked, Function::Calloc), to);
    field(",realloc", sum(asked, &[Function::Realloc, Function::Reallocarray]), to);
    field(",aligned", sum(asked, &ALIGNED), to);
    field(",new", of(asked, Function::New), to);
    to.text("}");
    field(",freed_usable", counts.freed_usable, to);
    field(",live_usable", counts.live_usable, to);
    to.text("},\"blocks\":{");
    field("asked", counts.blocks_asked, to);
    field(",freed", counts.blocks_freed, to);
    // Of this process's own: below zero where a forked child has freed more of what it inherited.
    to.text(",\"live\":");
    to.signed(counts.blocks_asked.wrapping_sub(counts.blocks_freed) as i64);
    to.text("},\"inherited\":{");
    field("blocks", counts.inherited_blocks, to);
    field(",bytes", counts.inherited_bytes, to);
    let peak = &counts.peak;
    to.text("},\"peak\":{");
    field("live_usable", peak.live_usable, to);
    field(",live_blocks", peak.live_blocks, to);
    field(",at_ns", peak.at_ns.saturating_sub(report.process.start_ns), to);
    to.text(",\"exact\":");
    truth(peak.exact, to);
    field(",bound", peak.bound, to);
    field(",mapped", peak.mapped, to);
    to.text("},");
}

fn size_rows(counts: &Snapshot, to: &mut Buffer) {
    to.text("\"sizes\":[");
    let used = counts.sizes.iter().rposition(|row| row.blocks != 0).map_or(0, |last| last + 1);
    for (index, row) in counts.sizes.iter().take(used).enumerate() {
        if index > 0 {
            to.text(",");
        }
        to.text("{");
        field("le", sizes::limit(index), to);
        field(",blocks", row.blocks, to);
        field(",asked", row.asked, to);
        to.text("}");
    }
    to.text("],");
}

fn engine(report: &Report, to: &mut Buffer) {
    let counts = report.counts;
    let engine = &counts.engine;
    to.text("\"engine\":{");
    field("mmap", engine.mmap, to);
    field(",munmap", engine.munmap, to);
    field(",madvise", engine.madvise, to);
    field(",mapped", engine.mapped, to);
    field(",regions", engine.regions, to);
    field(",process", engine.process, to);
    field(",hole", engine.hole, to);
    field(",hole_bytes", engine.hole_bytes, to);
    field(",largest_hole", engine.largest_hole, to);
    field(",splits", engine.splits, to);
    field(",joins", engine.joins, to);
    field(",bookkeeping", engine.bookkeeping, to);
    field(",slack", engine.slack, to);
    field(",rounding", engine.rounding, to);
    to.text(",\"whole\":");
    truth(report.whole, to);
    to.text(",\"classes\":[");
    for (index, row) in counts.classes.iter().filter(|row| row.slot != 0 && row.slabs != 0).enumerate() {
        if index > 0 {
            to.text(",");
        }
        to.text("{");
        field("slot", row.slot, to);
        field(",slabs", row.slabs, to);
        field(",slots", row.slots, to);
        field(",used", row.used, to);
        to.text("}");
    }
    to.text("]},");
}

fn mems(report: &Report, to: &mut Buffer) {
    let mems = report.mems;
    to.text("\"mems\":{");
    field("page_size", mems.page_size, to);
    field(",start", mems.start, to);
    field(",pages", mems.pages, to);
    field(",unused", mems.unused, to);
    field(",regions", mems.regions, to);
    field(",process", mems.process, to);
    field(",hole", mems.hole, to);
    to.text("}");
}

/// `"name":value`; a comma in front of the name goes in front of the quote.
pub(super) fn field(name: &str, value: u64, to: &mut Buffer) {
    let bare = name.strip_prefix(',').unwrap_or(name);
    to.text(if bare.len() < name.len() { ",\"" } else { "\"" });
    to.text(bare);
    to.text("\":");
    to.number(value);
}

fn truth(value: bool, to: &mut Buffer) {
    to.text(if value { "true" } else { "false" });
}

/// `bytes` as a JSON string.
pub(super) fn string(bytes: &[u8], to: &mut Buffer) {
    to.text("\"");
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => to.text("\\\""),
                '\\' => to.text("\\\\"),
                '\n' => to.text("\\n"),
                '\t' => to.text("\\t"),
                '\0'..='\x1f' | '\x7f' => {
                    to.text("\\u00");
                    to.right(2, |to| {
                        to.hex(c as usize >> 4);
                        to.hex(c as usize & 15);
                    });
                }
                _ => {
                    let mut place = [0; 4];
                    to.text(c.encode_utf8(&mut place));
                }
            }
        }
        if !chunk.invalid().is_empty() {
            to.text("\u{fffd}");
        }
    }
    to.text("\"");
}
