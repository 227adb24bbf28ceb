//! The report's parts that are no plain row table: goals beside what was reached, the price of counting, instruction counts,
//! curves. Each makes Markdown or points from a session; none writes a file.

use crate::figures::{geomean, median, spread};
use crate::peers::HARDENED;
use crate::plot::Series;
use crate::record::{Measured, Results, Run};
use crate::table::{self, Question, Rivals, best, mean, ratio};
use std::fmt::Write;

/// The column of MeMS as everyone runs it.
pub const COUNTED: &str = "mems";
/// The column of the same sources with counting compiled out.
pub const UNCOUNTED: &str = "mems-uncounted";

fn figure(row: &Measured, peer: &str, name: &str) -> Option<f64> {
    let all: Vec<f64> = row.runs.get(peer)?.iter().filter_map(|run| run.figures.get(name).copied()).collect();
    (!all.is_empty()).then(|| median(&all))
}

fn goal(out: &mut String, what: &str, goal: &str, reached: Option<f64>, rival: Option<f64>) {
    let text = |value: Option<f64>| value.map_or("not measured".into(), |value| format!("{value:.2}"));
    writeln!(out, "| {what} | {goal} | {} | {} |", text(reached), text(rival)).ok();
}

/// What was wanted beside what was reached.
pub fn goals(results: &Results) -> String {
    let mut out =
        String::from("| goal (ratios to glibc) | wanted | MeMS | best peer |\n|---|---:|---:|---:|\n");
    let ideal = |question| {
        geomean(
            &results
                .rows
                .iter()
                .filter_map(|row| Some(best(results, row, question, Rivals::All)?.1))
                .collect::<Vec<_>>(),
        )
    };
    goal(
        &mut out,
        "CPU time, geomean of all rows (best peer: picked anew for every row)",
        "≤ 0.60",
        mean(results, COUNTED, Question::Cpu, |_| true),
        ideal(Question::Cpu),
    );
    goal(
        &mut out,
        "peak RSS, geomean of all rows (best peer: picked anew for every row)",
        "≤ 0.97",
        mean(results, COUNTED, Question::Rss, |_| true),
        ideal(Question::Rss),
    );
    let hardened = mean(results, HARDENED, Question::Cpu, |_| true);
    if hardened.is_some() {
        goal(&mut out, "CPU time with MEMS_HARDEN=1, geomean of all rows", "≤ 1.20", hardened, None);
    }
    for (row, name, what, wanted) in [
        ("phase-shift", "rss_over_live", "RSS over live bytes after a change of phase", "≤ 1.2"),
        ("history", "rss_over_live_end", "RSS over live bytes after twelve phases", "≤ 1.2"),
        (
            "give-back",
            "rss_over_peak_after_1s",
            "RSS over peak a second after all but one block is freed",
            "≤ 0.1",
        ),
    ] {
        let Some(row) = results.rows.iter().find(|one| one.name == row) else { continue };
        let rival =
            table::rivals(results, Rivals::All).filter_map(|peer| figure(row, peer, name)).reduce(f64::min);
        goal(&mut out, what, wanted, figure(row, COUNTED, name), rival);
    }
    if let Some(row) = results.rows.iter().find(|row| row.name == "startup") {
        goal(
            &mut out,
            "start-up, `true` 400 times",
            "≤ 1.05",
            ratio(row, COUNTED, Question::Cpu),
            best(results, row, Question::Cpu, Rivals::All).map(|best| best.1),
        );
    }
    out
}

/// Counted against uncounted, row by row.
pub fn price(results: &Results) -> String {
    let mut out = String::from("| row | uncounted, ms | counted / uncounted, CPU |\n|---|---:|---:|\n");
    let mut all = Vec::new();
    for row in &results.rows {
        let (Some(with), Some(without)) = (row.runs.get(COUNTED), row.runs.get(UNCOUNTED)) else { continue };
        let cpu = |runs: &[Run]| runs.iter().map(Run::cpu).collect::<Vec<_>>();
        // Round by round: the two runs of a round are neighbours in time, so the machine's mood cancels out.
        let pairs: Vec<f64> = cpu(with).iter().zip(cpu(without)).map(|(a, b)| a / b.max(1e-9)).collect();
        all.push(median(&pairs));
        writeln!(
            out,
            "| {} | {:.0} | {:.3} ±{:.0} % |",
            row.name,
            median(&cpu(without)),
            median(&pairs),
            spread(&pairs)
        )
        .ok();
    }
    writeln!(
        out,
        "| **geomean** | | **{}** |",
        geomean(&all).map_or("–".into(), |mean| format!("{mean:.3}"))
    )
    .ok();
    out
}

/// Instructions for a malloc with its free.
pub fn instructions(results: &Results) -> String {
    let mut out = String::new();
    let names: Vec<_> = results.peers.iter().map(|peer| peer.name.as_str()).collect();
    writeln!(out, "| instructions | {} |\n|---|{}", names.join(" | "), "---:|".repeat(names.len())).ok();
    for row in results.rows.iter().filter(|row| row.group == "instructions") {
        let cells = names.iter().map(|peer| {
            figure(row, peer, "instructions_per_pair").map_or("–".into(), |value| format!("{value:.1}"))
        });
        writeln!(
            out,
            "| {} | {} |",
            row.name.trim_start_matches("ir-"),
            cells.collect::<Vec<_>>().join(" | ")
        )
        .ok();
    }
    out
}

/// A curve's points: x is the number in the row's name, y the row's own figure of this name, or CPU nanoseconds an allocation.
pub fn curve(results: &Results, group: &str, named: Option<&str>) -> Vec<Series> {
    let point = |row: &Measured, peer: &str| {
        let x: f64 = row.name.rsplit('-').next()?.parse().ok()?;
        let each = |run: &Run| run.cpu() * 1e6 / run.ops.max(1) as f64;
        let y = match named {
            Some(named) => figure(row, peer, named)?,
            None => median(&row.runs.get(peer)?.iter().map(each).collect::<Vec<_>>()),
        };
        Some((x, y))
    };
    let rows = || results.rows.iter().filter(|row| row.group == group);
    let line = |peer: &str| Series {
        name: peer.into(),
        points: rows().filter_map(|row| point(row, peer)).collect(),
    };
    results.peers.iter().map(|peer| line(&peer.name)).filter(|series| !series.points.is_empty()).collect()
}

/// A curve in numbers.
pub fn curve_table(series: &[Series], first: &str) -> String {
    let mut out = format!(
        "| {first} | {} |\n|---|{}\n",
        series.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(" | "),
        "---:|".repeat(series.len())
    );
    for index in 0..series.iter().map(|one| one.points.len()).max().unwrap_or(0) {
        let x = series.iter().find_map(|one| one.points.get(index)).map_or(0.0, |point| point.0);
        let cells = series.iter().map(|one| {
            one.points
                .iter()
                .find(|point| point.0 == x)
                .map_or("–".into(), |point| format!("{:.1}", point.1))
        });
        writeln!(out, "| {x} | {} |", cells.collect::<Vec<_>>().join(" | ")).ok();
    }
    out
}
