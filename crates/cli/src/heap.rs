//! `mems heap`: the main chain of a running process, or of a record, drawn in the terminal.
//!
//! One line of cells a region, each cell an equal part of it: how much of the part is PROCESS shows in its shade.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::chain;
use crate::failure::{Failure, Outcome, reason};
use crate::figures::{bar, bytes, count, share};
use crate::live::Target;
use crate::record::{self, Region, Segment};
use crate::table::Table;

/// The drawing, or the list, line by line.
pub fn lines(from: &str, width: Option<usize>, list: bool) -> Outcome<Vec<String>> {
    let found = match from.parse::<u32>() {
        Ok(pid) if !Path::new(from).exists() => of_process(pid)?,
        _ => of_record(Path::new(from))?,
    };
    let mut out = vec![format!("== mems heap == {}", found.title)];
    let width = width.or_else(terminal_width).unwrap_or(80);
    summary(&found.regions, &mut out);
    fill(&found.classes, width, &mut out);
    out.push(String::new());
    if list {
        found.regions.iter().for_each(|region| out.push(listed(region)));
    } else {
        draw(&found.regions, width, &mut out);
    }
    out.extend(found.notes.into_iter().map(|note| format!("  note: {note}")));
    Ok(out)
}

/// The heap of a process or a record.
struct Found {
    title: String,
    regions: Vec<Region>,
    /// Slabs by slot size.
    classes: Vec<Class>,
    notes: Vec<String>,
}

/// The slabs of one slot size.
struct Class {
    slot: u64,
    slabs: u64,
    slots: u64,
    /// Slots that hold a live block.
    live: u64,
}

fn of_process(pid: u32) -> Outcome<Found> {
    let target = Target::open(pid)?;
    let memory = target.memory()?;
    let refused =
        |e: io::Error| Failure::refused(format!("process {pid}: its memory cannot be read: {}", reason(&e)));
    let (regions, at_rest) = chain::of(memory).map_err(refused)?;
    let held = chain::held(memory).map_err(refused)?;
    let command = target.facts().map(|facts| facts.command()).unwrap_or_default();
    let mut classes: BTreeMap<u64, Class> = BTreeMap::new();
    for [slot, slots, used] in regions.iter().flat_map(|region| &region.segments).filter_map(|s| s.slab) {
        let class = classes.entry(slot).or_insert(Class { slot, slabs: 0, slots: 0, live: 0 });
        class.slabs += 1;
        class.slots += slots;
        class.live += used;
    }
    for class in classes.values_mut() {
        class.live = class.live.saturating_sub(held.get(&class.slot).copied().unwrap_or(0));
    }
    let notes = match at_rest {
        true => Vec::new(),
        false => vec!["the chain changed while it was read; the end may be missing".into()],
    };
    let title = format!("process {pid} {}", crate::figures::cut(&command, 60));
    Ok(Found { title, regions, classes: classes.into_values().collect(), notes })
}

fn of_record(path: &Path) -> Outcome<Found> {
    let (records, _) = record::read(path)?;
    let record = records.into_iter().max_by_key(|record| record.regions.iter().map(|r| r.bytes).sum::<u64>());
    let Some(record) = record.filter(|record| !record.regions.is_empty()) else {
        let text = format!(
            "{}: the main chain is not in this record (a process that was killed leaves none)",
            path.display()
        );
        return Err(Failure::wrong(text));
    };
    let [regions, segments] = record.chain_cut;
    let cut = format!(
        "the record leaves {} regions and {} segments out",
        count(regions as i64),
        count(segments as i64)
    );
    let notes = if regions + segments > 0 { vec![cut] } else { Vec::new() };
    let title = format!("process {} {}", record.pid(), crate::figures::cut(&record.command(), 60));
    let classes = record.dump.pointer("/engine/classes").and_then(|rows| rows.as_array());
    let class = |row: &serde_json::Value| {
        let number = |name| row.get(name).and_then(|n| n.as_u64()).unwrap_or(0);
        let [slot, slabs, slots, live] = ["slot", "slabs", "slots", "used"].map(number);
        Class { slot, slabs, slots, live }
    };
    let classes = classes.into_iter().flatten().map(class).filter(|class| class.slabs > 0).collect();
    Ok(Found { title, regions: record.regions, classes, notes })
}

/// How full the slabs of each slot size are.
fn fill(classes: &[Class], width: usize, out: &mut Vec<String>) {
    if classes.is_empty() {
        return;
    }
    let columns = width.saturating_sub(56).clamp(10, 40);
    let mut table = Table::new(&[">slot", ">slabs", ">slots", ">live", ">full", ""]);
    for class in classes {
        table.row(vec![
            bytes(class.slot as i64).replace(".0 ", " "),
            count(class.slabs as i64),
            count(class.slots as i64),
            count(class.live as i64),
            share(class.live as i64, class.slots as i64),
            bar(class.live, class.slots, columns),
        ]);
    }
    out.push(String::new());
    out.extend(table.lines("  "));
}

fn summary(regions: &[Region], out: &mut Vec<String>) {
    let all = || regions.iter().flat_map(|region| &region.segments);
    let sum = |process: bool| {
        all().filter(|s| s.process == process).fold((0, 0), |sum, s| (sum.0 + 1, sum.1 + s.bytes))
    };
    let ((given, given_bytes), (holes, hole_bytes)) = (sum(true), sum(false));
    let largest = all().filter(|s| !s.process).map(|s| s.bytes).max().unwrap_or(0);
    let mapped = given_bytes + hole_bytes;
    out.push(format!("  main chain  {} regions, {}", count(regions.len() as i64), bytes(mapped as i64)));
    out.push(format!(
        "  PROCESS     {} segments, {}  {}",
        count(given),
        bytes(given_bytes as i64),
        share(given_bytes as i64, mapped as i64)
    ));
    out.push(format!(
        "  HOLE        {} segments, {}  {}, largest {}",
        count(holes),
        bytes(hole_bytes as i64),
        share(hole_bytes as i64, mapped as i64),
        bytes(largest as i64)
    ));
    let slabs: Vec<[u64; 3]> = all().filter_map(|segment| segment.slab).collect();
    if !slabs.is_empty() {
        let (used, room) =
            slabs.iter().fold((0, 0), |sum, [slot, slots, used]| (sum.0 + slot * used, sum.1 + slot * slots));
        out.push(format!(
            "  slabs       {} of the PROCESS segments, slots used for {} of {}",
            count(slabs.len() as i64),
            bytes(used as i64),
            bytes(room as i64)
        ));
    }
}

/// In the notation of mems_print_stats, by physical address.
fn listed(region: &Region) -> String {
    let mut text = format!("MAIN[{:#x}:{:#x}]-> ", region.start, region.start + region.bytes - 1);
    let mut at = region.start;
    for segment in &region.segments {
        let kind = if segment.process { 'P' } else { 'H' };
        let fill =
            segment.slab.map_or(String::new(), |[slot, slots, used]| format!("({slot}: {used}/{slots})"));
        text += &format!("{kind}[{at:#x}:{:#x}]{fill} <-> ", at + segment.bytes - 1);
        at += segment.bytes;
    }
    text + "NULL"
}

/// Shades for the part of a cell that is in use.
const SHADES: [char; 5] = ['.', '░', '▒', '▓', '█'];

fn draw(regions: &[Region], width: usize, out: &mut Vec<String>) {
    let cells = width.saturating_sub(38).max(10);
    let largest = regions.iter().map(|region| region.bytes).max().unwrap_or(1).max(1);
    out.push(format!(
        "  {:<18} {:>9}  sub-chain{:width$} in use",
        "region",
        "size",
        "",
        width = cells.saturating_sub(9)
    ));
    for region in regions {
        // A region's length follows its size, so that the picture is to scale; a small one still has a cell.
        let own = ((region.bytes as f64 / largest as f64 * cells as f64).round() as usize).clamp(1, cells);
        let used: f64 = region.segments.iter().map(in_use).sum();
        out.push(format!(
            "  {:<#18x} {:>9}  {:<cells$} {:>5}",
            region.start,
            bytes(region.bytes as i64),
            strip(region, own),
            share(used as i64, region.bytes as i64)
        ));
    }
    out.push(format!(
        "  {} HOLE   {} {} {} PROCESS, by how much of it is in use",
        SHADES[0], SHADES[1], SHADES[2], SHADES[4]
    ));
}

/// Bytes of a segment that are in use: a slab's used slots, all of a large block.
fn in_use(segment: &Segment) -> f64 {
    match (segment.process, segment.slab) {
        (false, _) => 0.0,
        (true, None) => segment.bytes as f64,
        (true, Some([_, 0, _])) => 0.0,
        (true, Some([_, slots, used])) => segment.bytes as f64 * used as f64 / slots as f64,
    }
}

fn strip(region: &Region, cells: usize) -> String {
    let per_cell = region.bytes as f64 / cells as f64;
    let mut used = vec![0.0; cells];
    let mut given = vec![false; cells];
    let mut at = 0.0;
    for segment in &region.segments {
        let (length, weight) = (segment.bytes as f64, in_use(segment) / (segment.bytes as f64).max(1.0));
        let end = at + length;
        let (first, last) = ((at / per_cell) as usize, ((end / per_cell).ceil() as usize).min(cells));
        for cell in first..last {
            let overlap = end.min((cell + 1) as f64 * per_cell) - at.max(cell as f64 * per_cell);
            used[cell] += overlap.max(0.0) * weight;
            given[cell] |= segment.process && overlap > 0.0;
        }
        at = end;
    }
    let shade = |(used, given): (f64, bool)| match (given, used / per_cell) {
        (false, _) => SHADES[0],
        (true, part) => SHADES[1 + ((part * 4.0) as usize).min(3)],
    };
    used.into_iter().zip(given).map(shade).collect()
}

fn terminal_width() -> Option<usize> {
    ratatui::crossterm::terminal::size()
        .ok()
        .map(|(columns, _)| usize::from(columns))
        .filter(|width| *width >= 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region() -> Region {
        let segment = |process, bytes, slab| Segment { process, bytes, slab };
        let segments = vec![
            segment(true, 4096, Some([64, 64, 16])),
            segment(false, 4096, None),
            segment(true, 8192, None),
        ];
        Region { start: 0x1000, bytes: 16384, segments }
    }

    #[test]
    fn holes_slabs_and_large_blocks_have_shades_of_their_own() {
        assert_eq!(strip(&region(), 4), "▒.██");
    }

    #[test]
    fn the_list_has_the_notation_of_mems_print_stats() {
        assert_eq!(
            listed(&region()),
            "MAIN[0x1000:0x4fff]-> P[0x1000:0x1fff](64: 16/64) <-> H[0x2000:0x2fff] <-> P[0x3000:0x4fff] <-> NULL"
        );
    }
}
