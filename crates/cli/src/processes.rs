//! The table of processes of a run: who, what it did with memory, how it ended; children under their parents.

use std::collections::{BTreeMap, HashSet};

use crate::figures::{bytes, count, cut, time};
use crate::record::Record;
use crate::settle::Rest;
use crate::signal;
use crate::table::Table;
use crate::tree::Uncounted;

struct Row {
    pid: i64,
    parent: i64,
    start: i64,
    /// Calls, bytes asked, peak, live; none for a process that is not counted.
    figures: Option<[i64; 4]>,
    command: String,
    ending: String,
}

/// The lines of the report that `mems run` ends with.
pub fn report<'a>(
    records: &[Record],
    rest: &[Rest],
    uncounted: impl Iterator<Item = &'a Uncounted>,
    (root, status): (u32, i32),
) -> Vec<String> {
    let mut rows: Vec<Row> = records.iter().map(of_record).collect();
    rows.extend(rest.iter().map(of_rest));
    for process in uncounted {
        let ending = format!("not counted: {}", process.why);
        let (pid, command) = (i64::from(process.pid), process.path.clone());
        rows.push(Row { pid, parent: 0, start: i64::MAX, figures: None, command, ending });
    }
    let counted = rows.iter().filter(|row| row.figures.is_some()).count();
    let how = if libc::WIFSIGNALED(status) {
        format!("killed by {}", signal::name(libc::WTERMSIG(status)))
    } else {
        format!("exit {}", libc::WEXITSTATUS(status))
    };
    let name = records.iter().find(|record| record.pid() == i64::from(root)).map(Record::program);
    let name = name.unwrap_or_else(|| format!("process {root}"));
    let processes = if counted == 1 { "process" } else { "processes" };
    let mut lines = vec![format!("== mems run == {name}: {how}; {counted} {processes} counted")];
    lines.extend(table(rows));
    lines
}

/// The table of the processes of some records.
pub fn of_records(records: &[Record]) -> Vec<String> {
    table(records.iter().map(of_record).collect())
}

/// Longest list that is shown whole.
const MOST: usize = 60;

fn table(rows: Vec<Row>) -> Vec<String> {
    let totals = rows
        .iter()
        .filter_map(|row| row.figures)
        .fold([0; 4], |sum, row| std::array::from_fn(|i| sum[i] + row[i]));
    let many = rows.len() > 1;
    let rows = in_order(rows);
    let mut table = Table::new(&[">pid", ">calls", ">asked", ">peak", ">live", "ended", "command"]);
    let left_out = rows.len().saturating_sub(MOST);
    // Of too many, those with the largest peak stay.
    let mut peaks: Vec<i64> = rows.iter().map(|(_, row)| row.figures.map_or(i64::MAX, |f| f[2])).collect();
    peaks.sort_unstable_by(|a, b| b.cmp(a));
    let least =
        peaks.get(MOST.min(peaks.len().max(1)) - 1).copied().filter(|_| left_out > 0).unwrap_or(i64::MIN);
    let mut shown = 0;
    for (depth, row) in &rows {
        if row.figures.is_some_and(|figures| figures[2] < least) || (left_out > 0 && shown == MOST) {
            continue;
        }
        shown += 1;
        let figure = |i: usize| match row.figures {
            Some(figures) if i == 0 => count(figures[0]),
            Some(figures) => bytes(figures[i]),
            None => "-".into(),
        };
        let command = format!("{}{}", "  ".repeat((*depth).min(8)), cut(&row.command, 60));
        table.row(vec![
            row.pid.to_string(),
            figure(0),
            figure(1),
            figure(2),
            figure(3),
            row.ending.clone(),
            command,
        ]);
    }
    if many {
        let [calls, asked, _, live] = totals;
        table.row(vec![
            "total".into(),
            count(calls),
            bytes(asked),
            String::new(),
            bytes(live),
            String::new(),
            String::new(),
        ]);
    }
    let mut lines = table.lines("  ");
    if left_out > 0 {
        lines.push(format!(
            "  ({left_out} more processes with smaller peaks are not listed; the total has them)"
        ));
    }
    lines
}

fn of_record(record: &Record) -> Row {
    let elapsed = record.number("/process/elapsed_ns") as u64;
    Row {
        pid: record.pid(),
        parent: record.number("/process/ppid"),
        start: record.number("/process/start_unix_ns"),
        figures: Some([
            record.calls(),
            record.asked(),
            record.number("/peak/live_usable"),
            record.number("/bytes/live_usable"),
        ]),
        command: record.command(),
        ending: match record.text("/process/exit/kind") {
            // When nobody saw it end, nobody knows when that was.
            "unknown" => record.ending(),
            _ => format!("{} after {}", record.ending(), time(elapsed)),
        },
    }
}

fn of_rest(rest: &Rest) -> Row {
    let facts = rest.facts.as_ref();
    let figures = facts.map(|facts| {
        let counts = &facts.counts;
        let calls: u64 = counts.calls.iter().sum();
        let asked: u64 = counts.asked.iter().sum();
        [calls, asked, counts.peak.live_usable, counts.live_usable].map(|n| n as i64)
    });
    Row {
        pid: i64::from(rest.pid),
        parent: facts.map_or(0, |facts| i64::from(facts.ppid)),
        start: facts.map_or(i64::MAX, |facts| facts.start_unix_ns as i64),
        figures,
        command: rest.command.clone(),
        ending: rest.note.clone().unwrap_or_else(|| "still running".into()),
    }
}

/// Children behind their parents, each with its depth.
fn in_order(mut rows: Vec<Row>) -> Vec<(usize, Row)> {
    rows.sort_by_key(|row| (row.start, row.pid));
    let pids: HashSet<i64> = rows.iter().map(|row| row.pid).collect();
    // A pid stands for several images after exec; the first of them hangs under its parent, the others follow it.
    let mut children: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    let mut roots = Vec::new();
    let mut placed = HashSet::new();
    let mut images: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    for row in rows {
        if !placed.insert(row.pid) {
            images.entry(row.pid).or_default().push(row);
        } else if pids.contains(&row.parent) && row.parent != row.pid {
            children.entry(row.parent).or_default().push(row);
        } else {
            roots.push(row);
        }
    }
    let mut out = Vec::new();
    let mut stack: Vec<(usize, Row)> = roots.into_iter().rev().map(|row| (0, row)).collect();
    while let Some((depth, row)) = stack.pop() {
        let pid = row.pid;
        out.push((depth, row));
        out.extend(images.remove(&pid).into_iter().flatten().map(|row| (depth, row)));
        stack.extend(children.remove(&pid).into_iter().flatten().rev().map(|row| (depth + 1, row)));
    }
    // A ring of parents (numbers that were used twice) has no root.
    out.extend(children.into_values().flatten().map(|row| (0, row)));
    out
}
