//! Tables from results: one for each group and question (CPU time, peak RSS, the rows' own figures), the geometric means, and
//! the compact one for tuning. Pure text; it measures nothing and writes no file.

use crate::figures::{geomean, median, smallest, spread};
use crate::record::{Measured, Results, Run};
use crate::rows::GROUPS;
use std::fmt::Write;

/// What a table compares.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// User + system CPU time.
    Cpu,
    /// Peak RSS of the largest process.
    Rss,
}

impl Question {
    fn of(self, run: &Run) -> f64 {
        match self {
            Question::Cpu => run.cpu(),
            Question::Rss => run.rss as f64 / 1024.0,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Question::Cpu => "ms",
            Question::Rss => "MiB",
        }
    }
}

fn values(row: &Measured, peer: &str, question: Question) -> Option<Vec<f64>> {
    let runs = row.runs.get(peer)?;
    Some(runs.iter().map(|run| question.of(run)).collect())
}

/// Median of a peer over glibc's median, or `None` where one of the two has no figure.
pub fn ratio(row: &Measured, peer: &str, question: Question) -> Option<f64> {
    let base = median(&values(row, "glibc", question)?);
    Some(median(&values(row, peer, question)?) / base.max(1e-9))
}

/// Geometric mean of a peer's ratios over the rows that `which` admits.
pub fn mean(
    results: &Results,
    peer: &str,
    question: Question,
    which: impl Fn(&Measured) -> bool,
) -> Option<f64> {
    let rows = results.rows.iter().filter(|row| which(row));
    geomean(&rows.filter_map(|row| ratio(row, peer, question)).collect::<Vec<_>>())
}

/// Which peers MeMS is held against.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rivals {
    /// All of them, as they come.
    All,
    /// Those that, like MeMS, ask the kernel for no huge pages (mimalloc 2.2 and later do, unless told otherwise).
    SmallPages,
}

/// The columns of these rivals.
pub fn rivals(results: &Results, which: Rivals) -> impl Iterator<Item = &str> {
    let all = results.peers.iter().map(|peer| peer.name.as_str());
    all.filter(move |name| {
        let huge = *name == "mimalloc2" || *name == "mimalloc3";
        *name != "glibc" && !name.starts_with("mems") && !(huge && which == Rivals::SmallPages)
    })
}

/// The lowest ratio among the rivals in a row, with its owner.
pub fn best<'a>(
    results: &'a Results,
    row: &Measured,
    question: Question,
    which: Rivals,
) -> Option<(&'a str, f64)> {
    let all = rivals(results, which).filter_map(|name| Some((name, ratio(row, name, question)?)));
    all.min_by(|a, b| a.1.total_cmp(&b.1))
}

fn head(out: &mut String, first: &str, results: &Results) {
    let names = || results.peers.iter().map(|peer| peer.name.as_str());
    writeln!(out, "| {first} | {} |", names().collect::<Vec<_>>().join(" | ")).ok();
    writeln!(out, "|---|{}", names().map(|_| "---:|").collect::<String>()).ok();
}

fn cell(row: &Measured, peer: &str, question: Question) -> String {
    let Some(all) = values(row, peer, question) else { return "–".into() };
    let noise = if all.len() > 1 { format!(" ±{:.0}", spread(&all)) } else { String::new() };
    if peer == "glibc" {
        let digits = usize::from(question == Question::Rss);
        return format!("{:.digits$} {}{noise}", median(&all), question.unit());
    }
    ratio(row, peer, question).map_or("–".into(), |ratio| format!("{ratio:.2}{noise}"))
}

/// One group's table for one question; empty when the group has no row.
pub fn group(results: &Results, group: &str, question: Question) -> String {
    let mut out = String::new();
    let rows: Vec<_> = results.rows.iter().filter(|row| row.group == group).collect();
    if rows.is_empty() {
        return out;
    }
    head(&mut out, if question == Question::Cpu { "CPU time" } else { "peak RSS" }, results);
    for row in rows {
        let cells: Vec<_> = results.peers.iter().map(|peer| cell(row, &peer.name, question)).collect();
        writeln!(out, "| {} | {} |", row.name, cells.join(" | ")).ok();
    }
    let means =
        results.peers.iter().map(|peer| mean(results, &peer.name, question, |row| row.group == group));
    let means: Vec<_> = means.map(|mean| mean.map_or("–".into(), |mean| format!("**{mean:.2}**"))).collect();
    writeln!(out, "| **geomean** | {} |", means.join(" | ")).ok();
    out
}

/// The figures that rows print of themselves (medians), one line a figure; empty when there are none.
pub fn own_figures(results: &Results) -> String {
    let mut out = String::new();
    let named = |row: &Measured| {
        row.runs.values().flatten().next().map(|run| run.figures.keys().cloned().collect::<Vec<_>>())
    };
    for row in &results.rows {
        for figure in named(row).unwrap_or_default() {
            if out.is_empty() {
                head(&mut out, "figure", results);
            }
            let value = |peer: &str| {
                let all: Vec<f64> =
                    row.runs.get(peer)?.iter().filter_map(|run| run.figures.get(&figure).copied()).collect();
                Some(format!("{:.2}", median(&all)))
            };
            let cells: Vec<_> =
                results.peers.iter().map(|peer| value(&peer.name).unwrap_or("–".into())).collect();
            writeln!(out, "| {}: {figure} | {} |", row.name, cells.join(" | ")).ok();
        }
    }
    out
}

/// Geometric means over everything: the page's first table.
pub fn means(results: &Results) -> String {
    let mut out = String::new();
    head(&mut out, "geomean of ratios to glibc", results);
    let line = |out: &mut String, name: &str, question: Question, which: &dyn Fn(&Measured) -> bool| {
        let cells = results.peers.iter().map(|peer| mean(results, &peer.name, question, which));
        let cells: Vec<_> = cells.map(|mean| mean.map_or("–".into(), |mean| format!("{mean:.2}"))).collect();
        if cells.iter().any(|cell| cell != "–") {
            writeln!(out, "| {name} | {} |", cells.join(" | ")).ok();
        }
    };
    let large = |row: &Measured| values(row, "glibc", Question::Rss).is_some_and(|all| median(&all) > 10.0);
    line(&mut out, "CPU, all rows", Question::Cpu, &|_| true);
    for (name, heading) in GROUPS {
        line(&mut out, &format!("CPU, {}", heading.to_lowercase()), Question::Cpu, &|row| row.group == *name);
    }
    line(&mut out, "RSS, all rows", Question::Rss, &|_| true);
    line(&mut out, "RSS, rows over 10 MiB", Question::Rss, &large);
    line(&mut out, "RSS, real programs", Question::Rss, &|row| row.group == "programs");
    out
}

/// How MeMS stands against whichever rival is best in each row: the geomeans, and the rows where it is not first.
pub fn standing(results: &Results) -> String {
    let mut out = String::new();
    for (question, which, name) in [
        (Question::Cpu, Rivals::SmallPages, "CPU time, among allocators without huge pages"),
        (Question::Cpu, Rivals::All, "CPU time, among all"),
        (Question::Rss, Rivals::All, "peak RSS, among all"),
    ] {
        let one = |row| Some((row, ratio(row, "mems", question)?, best(results, row, question, which)?));
        let pairs: Vec<(&Measured, f64, (&str, f64))> = results.rows.iter().filter_map(one).collect();
        if pairs.is_empty() {
            continue;
        }
        let ours = geomean(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>()).unwrap_or(0.0);
        let theirs = geomean(&pairs.iter().map(|pair| pair.2.1).collect::<Vec<_>>()).unwrap_or(0.0);
        let mut behind: Vec<_> = pairs.iter().filter(|(_, mems, (_, rival))| *mems > *rival * 1.03).collect();
        behind.sort_by(|a, b| (b.1 / b.2.1).total_cmp(&(a.1 / a.2.1)));
        let near = pairs.len() - behind.len();
        write!(out, "**{name}**: MeMS {ours:.3}, the best peer picked anew for every row {theirs:.3}; ").ok();
        writeln!(out, "first or within 3 % of the first in {near} of {} rows.\n", pairs.len()).ok();
        if behind.is_empty() {
            continue;
        }
        writeln!(out, "<details><summary>The other {} rows</summary>\n", behind.len()).ok();
        writeln!(out, "| row | MeMS | the first | it | MeMS / it |\n|---|---:|---|---:|---:|").ok();
        for (row, mems, (name, rival)) in behind {
            writeln!(out, "| {} | {mems:.2} | {name} | {rival:.2} | {:.2} |", row.name, mems / rival).ok();
        }
        writeln!(out, "\n</details>\n").ok();
    }
    out
}

/// Every table of a session, with plain headings.
pub fn markdown(results: &Results) -> String {
    let mut out = means(results);
    writeln!(out, "\n{}", standing(results)).ok();
    for (name, heading) in GROUPS {
        for question in [Question::Cpu, Question::Rss] {
            let table = group(results, name, question);
            if !table.is_empty() {
                writeln!(out, "{heading}\n\n{table}").ok();
            }
        }
    }
    out + &own_figures(results)
}

/// For tuning: minima (a busy machine only ever adds), milliseconds and ratio to the best rival, and RSS.
pub fn compact(results: &Results) {
    let width = 11;
    print!("{:<18}", "min CPU ms");
    results
        .peers
        .iter()
        .for_each(|peer| print!("{:>width$}", peer.name.chars().take(width - 1).collect::<String>()));
    println!("   mems/best peer   RSS MiB in the same order");
    let mut gaps = Vec::new();
    for row in &results.rows {
        print!("{:<18}", row.name);
        let least = |peer: &str| values(row, peer, Question::Cpu).map(|all| smallest(&all));
        results.peers.iter().for_each(|peer| match least(&peer.name) {
            Some(cpu) => print!("{cpu:>width$.1}"),
            None => print!("{:>width$}", "-"),
        });
        let rival = rivals(results, Rivals::All)
            .filter_map(|name| Some((name, least(name)?)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        match (least("mems"), rival) {
            (Some(ours), Some((name, cpu))) => {
                gaps.push(ours / cpu.max(1e-9));
                print!("   {:>5.2} {name:<10}", ours / cpu.max(1e-9));
            }
            _ => print!("{:<19}", ""),
        }
        let rss = |peer: &str| {
            values(row, peer, Question::Rss).map_or("-".into(), |all| format!("{:.1}", smallest(&all)))
        };
        println!("{}", results.peers.iter().map(|peer| rss(&peer.name)).collect::<Vec<_>>().join(" / "));
    }
    if let Some(gap) = geomean(&gaps) {
        println!("{:<18}geomean of mems / best peer of each row: {gap:.3}", "");
    }
    print!("{}", own_figures(results));
}
