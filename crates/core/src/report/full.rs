//! What the full form (`MEMS_STATS=full`) adds to the summary: the table of size classes, and every region of the main
//! chain with its sub-chain, in the notation of mems_print_stats with physical addresses in hexadecimal.
//!
//! A slab is one PROCESS segment with its slot size and fill: `P[7f00:7fff 64 B 40/64]`. Not limited in lines or columns.

use crate::buffer::Buffer;
use crate::count::{Snapshot, WalkItem};
use crate::report::figures::{bytes, count, percent};

/// Bytes that one item of the walk takes at most.
const ITEM: usize = 112;
/// Bytes that the table of classes, its heading and the closing lines take at most.
const TABLE: usize = 8192;

/// Bytes that the full form takes beyond the summary for the segments that `counts` names, with room for some that
/// come in between.
pub fn room(counts: &Snapshot) -> usize {
    let engine = &counts.engine;
    let items =
        engine.regions.saturating_add(engine.process).saturating_add(engine.hole).min(1 << 24) as usize;
    TABLE + (items + items / 8 + 64) * ITEM
}

/// Writes the table of size classes.
pub fn classes(counts: &Snapshot, to: &mut Buffer) {
    to.text("  class          slabs        slots         used   fill\n");
    for row in counts.classes.iter().filter(|row| row.slot != 0 && row.slabs != 0) {
        to.text("  ");
        to.right(10, |to| bytes(row.slot, to));
        to.right(10, |to| count(row.slabs, 9, to));
        to.right(13, |to| count(row.slots, 12, to));
        to.right(13, |to| count(row.used, 12, to));
        to.right(7, |to| percent(row.used, row.slots, to));
        to.text("\n");
    }
}

/// Writes the main chain item by item.
#[derive(Default)]
pub struct Chain {
    open: bool,
    left_out: u64,
}

impl Chain {
    /// Writes the next item of the walk. Items for which there is no room are counted.
    pub fn item(&mut self, item: &WalkItem, to: &mut Buffer) {
        // The closing line needs its place too.
        if to.room() < 2 * ITEM {
            self.left_out += 1;
            return;
        }
        match *item {
            WalkItem::Region { start, bytes } => {
                self.end_region(to);
                to.text("MAIN");
                range(start, bytes, to);
                to.text("]-> ");
                self.open = true;
            }
            WalkItem::Process { start, bytes, slab } => {
                to.text("P");
                range(start, bytes, to);
                if let Some((slot, slots, used)) = slab {
                    to.text(" ");
                    to.number(u64::from(slot));
                    to.text(" B ");
                    to.number(u64::from(used));
                    to.text("/");
                    to.number(u64::from(slots));
                }
                to.text("] <-> ");
            }
            WalkItem::Hole { start, bytes } => {
                to.text("H");
                range(start, bytes, to);
                to.text("] <-> ");
            }
        }
    }

    /// Ends the last region, and says what was left out.
    pub fn end(&mut self, to: &mut Buffer) {
        self.end_region(to);
        if self.left_out > 0 {
            to.text("(no memory to list ");
            to.number(self.left_out);
            to.text(" more)\n");
        }
    }

    fn end_region(&mut self, to: &mut Buffer) {
        if self.open {
            to.text("NULL\n");
        }
        self.open = false;
    }
}

/// `[first:last`, both inclusive.
fn range(start: usize, bytes: usize, to: &mut Buffer) {
    to.text("[");
    to.hex(start);
    to.text(":");
    to.hex(start.wrapping_add(bytes.max(1) - 1));
}
