//! `mems report`: what the records say, as text for a terminal or a file.

use crate::figures::{bar, bytes, count, cut, share, time, up_to};
use crate::processes;
use crate::record::Record;
use crate::sites::{Metric, Sites, Stack};
use crate::table::Table;

/// What of a report is wanted.
pub struct Options {
    /// Sites in each list.
    pub top: usize,
    /// Frames of each stack.
    pub depth: usize,
    /// Only these lists; empty: all.
    pub metrics: Vec<Metric>,
}

/// The report, line by line.
pub fn lines(records: &[Record], sites: &Sites, options: &Options) -> Vec<String> {
    let mut out = Vec::new();
    match records {
        [record] => {
            out.push(format!("== mems report == {}", cut(&record.command(), 100)));
            one(record, &mut out);
        }
        _ => {
            out.push(format!("== mems report == {} processes", count(records.len() as i64)));
            out.extend(processes::of_records(records));
        }
    }
    sizes(records, &mut out);
    if sites.stacks.is_empty() {
        out.push(String::new());
        out.push("  no call sites in these records: run again with `mems run --profile sites -- ...`".into());
        out.push("  (or stacks, for whole call stacks; sample, for next to no cost)".into());
        return out;
    }
    if sites.estimated {
        out.push(String::new());
        out.push("  figures of call sites are estimates from samples, each marked ~".into());
    }
    let metrics = if options.metrics.is_empty() { &Metric::ALL[..5] } else { &options.metrics[..] };
    for metric in metrics {
        match metric {
            Metric::Live => leaks(sites, options, &mut out),
            _ => top(sites, *metric, options, &mut out),
        }
    }
    notes(sites, &mut out);
    out
}

fn one(record: &Record, out: &mut Vec<String>) {
    let n = |pointer: &str| record.number(pointer);
    let elapsed = n("/process/elapsed_ns") as u64;
    out.push(format!("  process   {}, {} after {}", record.pid(), record.ending(), time(elapsed)));
    out.push(format!(
        "  asked     {} in {} blocks; {} calls in all",
        bytes(record.asked()),
        count(n("/blocks/asked")),
        count(record.calls())
    ));
    let bound = match record.dump.pointer("/peak/exact").and_then(|v| v.as_bool()) {
        Some(false) => format!(", within {}", bytes(n("/peak/bound"))),
        _ => String::new(),
    };
    out.push(format!(
        "  peak      {} in {} blocks at {}{bound}",
        bytes(n("/peak/live_usable")),
        count(n("/peak/live_blocks")),
        time(n("/peak/at_ns").max(0) as u64)
    ));
    out.push(format!(
        "  live      {} in {} blocks at the end",
        bytes(n("/bytes/live_usable")),
        count(live_blocks(record))
    ));
    let live = n("/bytes/live_usable");
    let (mapped, holes, slack, books) =
        (n("/engine/mapped"), n("/engine/hole_bytes"), n("/engine/slack"), n("/engine/bookkeeping"));
    if record.dump.pointer("/engine/whole").and_then(|v| v.as_bool()) == Some(false) {
        out.push(format!(
            "  mapped    {} at the end, {} at its peak",
            bytes(mapped),
            bytes(n("/peak/mapped"))
        ));
    } else {
        out.push(format!(
            "  mapped    {} at the end = {} live + {} holes + {} slack + {} bookkeeping; {} at its peak",
            bytes(mapped),
            bytes(live),
            bytes(holes),
            bytes(slack),
            bytes(books),
            bytes(n("/peak/mapped"))
        ));
    }
    if books > mapped / 4 && record.profile.is_some() {
        out.push(
            "            (bookkeeping holds the tables of call sites, whose pages are mostly untouched)"
                .into(),
        );
    }
    let failed = record.dump.pointer("/calls/failed").and_then(|v| v.as_object());
    let failed: i64 = failed.into_iter().flatten().filter_map(|(_, v)| v.as_i64()).sum();
    if failed > 0 {
        out.push(format!("  failed    {} calls were refused memory", count(failed)));
    }
}

fn live_blocks(record: &Record) -> i64 {
    record.number("/blocks/live") + record.number("/inherited/blocks")
}

fn sizes(records: &[Record], out: &mut Vec<String>) {
    let mut rows: std::collections::BTreeMap<u64, (i64, i64)> = std::collections::BTreeMap::new();
    for record in records {
        for row in record.dump.pointer("/sizes").and_then(|v| v.as_array()).into_iter().flatten() {
            let number = |name| row.get(name).and_then(|v| v.as_i64()).unwrap_or(0);
            let le = row.get("le").and_then(|v| v.as_u64()).unwrap_or(u64::MAX);
            let entry = rows.entry(le).or_default();
            *entry = (entry.0 + number("blocks"), entry.1 + number("asked"));
        }
    }
    rows.retain(|_, (blocks, _)| *blocks > 0);
    if rows.is_empty() {
        return;
    }
    let (blocks, asked) = rows.values().fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
    let most = rows.values().map(|row| row.0).max().unwrap_or(0);
    out.push(String::new());
    let rounding: i64 = records.iter().map(|record| record.number("/engine/rounding")).sum();
    let percent = if asked > 0 { rounding as f64 * 100.0 / asked as f64 } else { 0.0 };
    out.push(format!(
        "sizes asked (rounding to block sizes lost {}, {percent:.1}% of what was asked)",
        bytes(rounding)
    ));
    let mut table = Table::new(&[">size", ">blocks", ">", ">asked", ">", ""]);
    for (le, (n, bytes_asked)) in rows {
        table.row(vec![
            up_to(le),
            count(n),
            share(n, blocks),
            bytes(bytes_asked),
            share(bytes_asked, asked),
            bar(n as u64, most as u64, 30),
        ]);
    }
    out.extend(table.lines("  "));
}

/// What is still live at the end, by stack; what the runtime keeps for itself stands apart.
fn leaks(sites: &Sites, options: &Options, out: &mut Vec<String>) {
    let stacks = sites.top(Metric::Live);
    let (runtime, rest): (Vec<&Stack>, Vec<&Stack>) =
        stacks.into_iter().partition(|stack| sites.is_runtime(stack));
    // With a full table what has no site may be anybody's; else it was asked before the library could look.
    let (early, own): (Vec<&Stack>, Vec<&Stack>) =
        rest.into_iter().partition(|stack| stack.frames.is_empty() && sites.lost == 0);
    let sum = |stacks: &[&Stack]| {
        stacks.iter().fold((0, 0), |sum, s| (sum.0 + s.figures.live(), sum.1 + s.figures.live_blocks()))
    };
    let (total, number) = sum(&own);
    out.push(String::new());
    let mark = if sites.estimated { "~" } else { "" };
    out.push(format!("live at the end (leaks): {mark}{} in {mark}{}", bytes(total), blocks(number)));
    list(sites, &own, Metric::Live, total, options, out);
    let apart = [
        (runtime, "kept by the C and C++ runtime for itself"),
        (early, "asked before the program began, by constructors of libraries"),
    ];
    for (stacks, what) in apart.iter().filter(|(stacks, _)| !stacks.is_empty()) {
        let (total, number) = sum(stacks);
        out.push(format!("  and {what}: {mark}{} in {mark}{}", bytes(total), blocks(number)));
    }
}

/// `1 block`, `2,000 blocks`.
fn blocks(n: i64) -> String {
    format!("{} block{}", count(n), if n == 1 { "" } else { "s" })
}

/// `3 sites`.
fn places(n: usize) -> String {
    format!("{} site{}", count(n as i64), if n == 1 { "" } else { "s" })
}

fn top(sites: &Sites, metric: Metric, options: &Options, out: &mut Vec<String>) {
    let stacks = sites.top(metric);
    let total: i64 = stacks.iter().map(|stack| stack.figures.get(metric)).sum();
    let what = match metric {
        Metric::Live => "live at the end",
        Metric::Peak => "live at the peak",
        Metric::Asked => "bytes asked",
        Metric::Calls => "blocks asked",
        Metric::Temporary => "temporary blocks (freed before the next was asked)",
        Metric::Rounding => "lost to rounding",
    };
    let mark = if sites.estimated { "~" } else { "" };
    let shown = if metric.is_bytes() { bytes(total) } else { count(total) };
    out.push(String::new());
    out.push(format!("{what}: {mark}{shown} at {}", places(stacks.len())));
    list(sites, &stacks, metric, total, options, out);
}

fn list(
    sites: &Sites,
    stacks: &[&Stack],
    metric: Metric,
    total: i64,
    options: &Options,
    out: &mut Vec<String>,
) {
    let mark = if sites.estimated { "~" } else { "" };
    for (index, stack) in stacks.iter().take(options.top).enumerate() {
        let figures = &stack.figures;
        let value = figures.get(metric);
        let shown = if metric.is_bytes() { bytes(value) } else { count(value) };
        let more = match metric {
            Metric::Live => {
                format!("in {} of {} asked", blocks(figures.live_blocks()), count(figures.calls()))
            }
            Metric::Peak => format!("in {}", blocks(figures.peak_blocks())),
            Metric::Asked | Metric::Rounding => format!("in {}", blocks(figures.calls())),
            Metric::Calls => format!("for {}", bytes(figures.asked())),
            Metric::Temporary => format!("of {} asked", count(figures.calls())),
        };
        let sizes = match (figures.min(), figures.max()) {
            // Of what has no site they are not known.
            (_, 0) if figures.asked() > 0 => String::new(),
            (min, max) if min == max => format!(", size {}", bytes(max)),
            (min, max) => format!(", sizes {} to {}", bytes(min), bytes(max)),
        };
        out.push(format!("  {:>3}  {mark}{shown} ({})  {more}{sizes}", index + 1, share(value, total)));
        if stack.frames.is_empty() {
            out.push(
                "         (no call site known: before the library started, or its table was full)".into(),
            );
        }
        // What a container does inside is of no use where there is no room for its caller.
        let inner = match sites.inner(stack) {
            few if few + 4 <= options.depth => 0,
            many => many,
        };
        if inner > 0 {
            out.push(format!("         ({inner} frames inside the standard library)"));
        }
        for frame in stack.frames.iter().skip(inner).take(options.depth) {
            out.push(format!("         {}", sites.line(*frame)));
        }
        let more = stack.frames.len().saturating_sub(inner + options.depth);
        if more > 0 {
            out.push(format!("         ... {more} more frame{}", if more == 1 { "" } else { "s" }));
        }
    }
    if stacks.len() > options.top {
        let rest: i64 = stacks[options.top..].iter().map(|s| s.figures.get(metric)).sum();
        let shown = if metric.is_bytes() { bytes(rest) } else { count(rest) };
        let more = places(stacks.len() - options.top).replace(' ', " more ");
        out.push(format!("       {mark}{shown} at {more}"));
    }
}

fn notes(sites: &Sites, out: &mut Vec<String>) {
    if sites.lost == 0 && sites.missing.is_empty() {
        return;
    }
    out.push(String::new());
    if sites.lost > 0 {
        out.push(format!("  note: {} calls came when the table of sites was full", count(sites.lost)));
    }
    const MOST: usize = 8;
    out.extend(sites.missing.iter().take(MOST).map(|line| format!("  note: {line}")));
    if sites.missing.len() > MOST {
        out.push(format!("  note: {} more modules without debug information", sites.missing.len() - MOST));
    }
}
