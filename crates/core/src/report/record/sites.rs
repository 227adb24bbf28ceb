//! The record's lines about call sites: the tree of frames, and one row a site. Owns nothing.

use crate::buffer::Buffer;
use crate::ledger::{BLOCK, Sum};
use crate::profile::{self, Mode, modules, sites};
use crate::report::Report;

use super::super::json::field;
use super::{Lines, numbers};

/// Nodes a line.
const NODES_A_LINE: usize = 1000;
/// Rows a line.
const ROWS_A_LINE: usize = 200;
/// Bytes that are enough for a row of 12 numbers, and for one of a node.
const ROW: usize = 12 * 22;
const NODE: usize = 48;

const COLUMNS: &str = "\"node\",\"calls\",\"asked\",\"usable\",\"live_blocks\",\"live_bytes\",\
    \"peak_blocks\",\"peak_bytes\",\"temporary\",\"min\",\"max\",\"samples\"";

/// Bytes that are enough for all of it now. Code that still runs in other threads may meet new ones: a few more.
pub fn room() -> usize {
    (sites::count() + 256) * (ROW + 1) + (sites::nodes().len() + 1024) * (NODE + 1)
}

/// Writes the tree.
pub fn nodes(lines: &mut Lines) {
    for (index, part) in sites::nodes().chunks(NODES_A_LINE).enumerate() {
        let to = &mut *lines.begin("nodes").to;
        field(",first", (index * NODES_A_LINE + 1) as u64, to);
        to.text(",\"columns\":[\"parent\",\"address\",\"module\"],\"rows\":[");
        for (index, node) in part.iter().enumerate() {
            let (address, parent, module) = node.facts();
            let module = if module == modules::NONE { -1 } else { i128::from(module) };
            to.text(if index == 0 { "[" } else { ",[" });
            numbers(&[parent.into(), address as i128, module], to);
            to.text("]");
        }
        to.text("]");
        lines.end();
    }
}

/// Writes the rows, and in exact modes one for what has no site.
pub fn rows(report: &Report, lines: &mut Lines) {
    profile::credit();
    let above = profile::is_at_peak();
    let unit = if profile::mode() == Mode::Sample { BLOCK as i128 } else { 1 };
    let mut in_line = 0;
    let mut all = Sum::default();
    for site in 1..=sites::count() {
        let sum = profile::sum(site as u32, above);
        if sum.calls == 0 && sum.live_blocks == 0 && sum.peak_blocks == 0 {
            continue;
        }
        add(&mut all, &sum);
        row(sites::leaf(site), &sum, unit, &mut in_line, lines);
    }
    let rest = rest(report, &all);
    let empty = rest.calls == 0 && rest.live_blocks == 0 && rest.live_bytes == 0 && rest.peak_bytes == 0;
    if unit == 1 && !empty {
        row(0, &rest, unit, &mut in_line, lines);
    }
    if in_line > 0 {
        end(lines);
    }
}

fn add(all: &mut Sum, sum: &Sum) {
    all.calls += sum.calls;
    all.asked += sum.asked;
    all.usable += sum.usable;
    all.live_blocks += sum.live_blocks;
    all.live_bytes += sum.live_bytes;
    all.peak_blocks += sum.peak_blocks;
    all.peak_bytes += sum.peak_bytes;
}

/// What the dump counts and no site has.
fn rest(report: &Report, all: &Sum) -> Sum {
    let counts = report.counts;
    let less = |whole: u64, part: i64| whole as i64 - part;
    let calls = counts.blocks_asked.wrapping_sub(all.calls);
    Sum {
        calls,
        asked: report.asked().wrapping_sub(all.asked),
        usable: counts.usable_asked.wrapping_sub(all.usable),
        live_blocks: less(counts.blocks_live, all.live_blocks),
        live_bytes: less(counts.live_usable, all.live_bytes),
        peak_blocks: less(counts.peak.live_blocks, all.peak_blocks),
        peak_bytes: less(counts.peak.live_usable, all.peak_bytes),
        temporary: 0,
        sizes: (u64::MAX, 0),
        samples: calls,
    }
}

fn row(node: u32, sum: &Sum, unit: i128, in_line: &mut usize, lines: &mut Lines) {
    if *in_line == 0 {
        let to: &mut Buffer = lines.begin("sites").to;
        to.text(",\"columns\":[");
        to.text(COLUMNS);
        to.text("],\"rows\":[");
    }
    let to = &mut *lines.to;
    to.text(if *in_line == 0 { "[" } else { ",[" });
    let blocks = |count: i128| if count < 0 { (count - unit / 2) / unit } else { (count + unit / 2) / unit };
    let (least, most) = if sum.sizes.0 > sum.sizes.1 { (0, 0) } else { sum.sizes };
    let samples = if unit == 1 { sum.calls } else { sum.samples };
    let signed = |figure: u64| i128::from(figure as i64);
    numbers(
        &[
            node.into(),
            blocks(signed(sum.calls)),
            signed(sum.asked),
            signed(sum.usable),
            blocks(sum.live_blocks.into()),
            sum.live_bytes.into(),
            blocks(sum.peak_blocks.into()),
            sum.peak_bytes.into(),
            blocks(sum.temporary.into()),
            least.into(),
            most.into(),
            signed(samples),
        ],
        to,
    );
    to.text("]");
    *in_line += 1;
    if *in_line == ROWS_A_LINE {
        end(lines);
        *in_line = 0;
    }
}

fn end(lines: &mut Lines) {
    lines.to.text("]");
    lines.end();
}
