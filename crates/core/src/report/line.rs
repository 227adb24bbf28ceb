//! The one-line form (`MEMS_STATS=line`, and a process that calls exec): who, how it ended, the three figures.

use crate::buffer::Buffer;
use crate::report::{Report, command, ending, figures};

/// Columns of the line at most; the figures take most of 79 already, and the command needs some too.
pub const WIDTH: usize = 110;

/// Writes one line. Needs 512 bytes.
pub fn write(report: &Report, to: &mut Buffer) {
    let mut place = [0; 128];
    let mut right = Buffer::new(&mut place);
    numbers(report, &mut right);
    to.text("mems: ");
    let before = to.len();
    to.number(u64::from(report.process.pid));
    to.text(" ");
    let room = WIDTH.saturating_sub(6 + to.len() - before + right.len());
    command(report.process, room, to);
    to.bytes(right.as_bytes());
    to.text("\n");
}

fn numbers(report: &Report, to: &mut Buffer) {
    let counts = report.counts;
    to.text(": ");
    ending(report.process, to);
    to.text(", ");
    figures::span(report.process.elapsed_ns, to);
    to.text("; ");
    figures::bytes(report.asked(), to);
    to.text(" in ");
    figures::short_count(counts.blocks_asked, to);
    to.text(", live ");
    figures::bytes(counts.live_usable, to);
    to.text(", peak ");
    figures::bytes(counts.peak.live_usable, to);
}
