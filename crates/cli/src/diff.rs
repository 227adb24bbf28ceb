//! `mems diff`: two runs side by side, call site by call site.
//!
//! Sites are the same when their stacks have the same functions and files: lines may have moved between two builds, and
//! the program may have another name. Processes are not matched with each other; a run is the sum of its processes.

use std::collections::HashMap;

use crate::figures::{bytes, change, count, count_change, cut};
use crate::record::Record;
use crate::sites::{Figures, Metric, Sites, Stack, resolve};
use crate::table::Table;

/// Function and file of each frame; of one without a name, its module.
type Key = Vec<(String, Option<String>, String)>;

fn key(sites: &Sites, stack: &Stack) -> Key {
    let name = |frame: &usize| {
        let frame = &sites.frames[*frame];
        // The offset of a nameless place moves with every build; its module is all that stays.
        match frame.named {
            true => (frame.function.clone(), frame.file.clone(), String::new()),
            false => (String::new(), None, frame.module.rsplit('/').next().unwrap_or("").to_string()),
        }
    };
    stack.frames.iter().map(name).collect()
}

fn sums(sites: &Sites) -> HashMap<Key, (Figures, usize)> {
    let mut sums: HashMap<Key, (Figures, usize)> = HashMap::new();
    for (number, stack) in sites.stacks.iter().enumerate() {
        let entry = sums.entry(key(sites, stack)).or_insert((Figures::default(), number));
        entry.0.add(&stack.figures);
    }
    sums
}

/// The comparison, line by line.
pub fn lines(before: &[Record], after: &[Record], metric: Metric, top: usize, depth: usize) -> Vec<String> {
    let name = |records: &[Record]| cut(&records[0].command(), 60);
    let mut out = vec![format!("== mems diff == {} -> {}", name(before), name(after))];
    let sum =
        |records: &[Record], pointer: &str| records.iter().map(|record| record.number(pointer)).sum::<i64>();
    let mut table = Table::new(&["", ">before", ">after", ">change"]);
    let mut row = |name: &str, a: i64, b: i64, is_bytes: bool| {
        let cell = |n| if is_bytes { bytes(n) } else { count(n) };
        let difference = if is_bytes { change(b - a) } else { count_change(b - a) };
        table.row(vec![name.into(), cell(a), cell(b), difference]);
    };
    row("processes", before.len() as i64, after.len() as i64, false);
    row("calls", before.iter().map(Record::calls).sum(), after.iter().map(Record::calls).sum(), false);
    row("asked", before.iter().map(Record::asked).sum(), after.iter().map(Record::asked).sum(), true);
    let figures = [
        ("live", "/bytes/live_usable"),
        ("peak (summed)", "/peak/live_usable"),
        ("mapped", "/engine/mapped"),
    ];
    for (name, pointer) in figures {
        row(name, sum(before, pointer), sum(after, pointer), true);
    }
    out.extend(table.lines("  "));
    let (old, new) = (resolve(before), resolve(after));
    if old.stacks.is_empty() || new.stacks.is_empty() {
        out.push("  no call sites in one of the two: run both with `mems run --profile sites -- ...`".into());
        return out;
    }
    out.extend(by_site(&old, &new, metric, top, depth));
    out
}

fn by_site(old: &Sites, new: &Sites, metric: Metric, top: usize, depth: usize) -> Vec<String> {
    let (a, b) = (sums(old), sums(new));
    let mut rows: Vec<(i64, i64, &Sites, usize)> = Vec::new();
    for (key, (figures, number)) in &b {
        let earlier = a.get(key).map_or(0, |(figures, _)| figures.get(metric));
        rows.push((earlier, figures.get(metric), new, *number));
    }
    for (_, (figures, number)) in a.iter().filter(|(key, _)| !b.contains_key(*key)) {
        rows.push((figures.get(metric), 0, old, *number));
    }
    let mut out = Vec::new();
    for (title, sign) in [("grew", 1), ("shrank", -1)] {
        let mut list: Vec<_> = rows.iter().filter(|(x, y, ..)| (y - x) * sign > 0).collect();
        list.sort_by_key(|(x, y, _, number)| (-(y - x) * sign, *number));
        let total: i64 = list.iter().map(|(x, y, ..)| y - x).sum();
        let show = |n: i64| if metric.is_bytes() { change(n) } else { count_change(n) };
        let cell = |n: i64| if metric.is_bytes() { bytes(n) } else { count(n) };
        let mark = if old.estimated || new.estimated { "~" } else { "" };
        out.push(String::new());
        out.push(format!(
            "{}, {title}: {mark}{} at {} sites",
            metric.name(),
            show(total),
            count(list.len() as i64)
        ));
        for (index, (x, y, sites, number)) in list.iter().take(top).enumerate() {
            let state = if *x == 0 {
                "  (new)"
            } else if *y == 0 {
                "  (gone)"
            } else {
                ""
            };
            out.push(format!(
                "  {:>3}  {mark}{}  {} -> {}{state}",
                index + 1,
                show(y - x),
                cell(*x),
                cell(*y)
            ));
            let stack = &sites.stacks[*number];
            if stack.frames.is_empty() {
                out.push("         (no call site known)".into());
            }
            out.extend(
                stack.frames.iter().take(depth).map(|frame| format!("         {}", sites.line(*frame))),
            );
        }
        if list.len() > top {
            out.push(format!("       and {} more sites", count((list.len() - top) as i64)));
        }
    }
    out
}
