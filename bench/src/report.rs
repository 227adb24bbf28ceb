//! docs/performance.md: the sessions' tables with words around them, the goals beside what was reached, and the plots (SVG) in
//! the same folder. What people write about the numbers stands in bench/notes.md and is taken over as it is.

use crate::plot::{self, Field, Series};
use crate::record::{Measured, Results};
use crate::rows::{GROUPS, ON_DEMAND};
use crate::sections::{COUNTED, UNCOUNTED, curve, curve_table, goals, instructions, price};
use crate::table::{self, Question, Rivals, mean, ratio};
use std::fmt::Write;
use std::path::Path;

fn words(group: &str) -> &'static str {
    match group {
        "small" => "One thread, blocks up to 32 KiB, nothing shared: what most programs do most of the time.",
        "growth" => {
            "`realloc` that can grow in place or must copy, and blocks so large that an allocator may hand them straight to the system. Buffers are filled as they grow; large blocks are touched on every page."
        }
        "exchange" => {
            "`@N` is the number of threads. CPU time of all threads together, on the cores named above: 4 threads share them. In `mixed` nothing is shared; in the others one thread frees what another took."
        }
        "phases" => {
            "Programs that change their mind: here memory is the question (see also the figures below)."
        }
        "process" => "CPU time of all children together; peak RSS of the largest process.",
        "programs" => {
            "Programs as Debian ships them (python3 with PYTHONMALLOC=malloc). Of servers only the server is measured, not what loads it."
        }
        _ => "",
    }
}

fn sources(results: &Results) -> String {
    let mut out = String::new();
    for row in &results.rows {
        for (peer, why) in &row.failed {
            writeln!(out, "- {} under {peer}: no figure, {why}.", row.name).ok();
        }
    }
    for (row, why) in &results.skipped {
        writeln!(out, "- {row} was left out: {why}.").ok();
    }
    out
}

fn opening(main: &Results) -> String {
    let peers = main
        .peers
        .iter()
        .map(|peer| format!("| {} | {} | {} |\n", peer.name, peer.version, peer.origin))
        .collect::<String>();
    let machine = main.machine.iter().map(|line| format!("- {line}\n")).collect::<String>();
    format!(
        "# Performance\n\n<!-- Written by `make bench`. What people add stands in bench/notes.md and is taken over below. -->\n\n\
         MeMS beside other allocators, measured on {date} with `{command}`; MeMS counts everything, in every row, and writes its dump to a file.\n\n\
         Each row is a fixed amount of work. Every allocator runs it once a round, in turn, forwards and then backwards (rounds of patterns: {}, of real programs: {}). \
         CPU time is user + system of the process and all children it waited for, peak RSS that of its largest process (VmHWM, read as it ends). \
         Cells are the median's ratio to glibc's median, less is better; ± is half the range of the rounds in percent of the median. \
         Each library proved before the session that it serves malloc when it is preloaded, and every run's output had to equal that under glibc. \
         Columns that end in `-4k` are mimalloc without the huge pages it asks the kernel for (MIMALLOC_ALLOW_THP=0): MeMS takes memory by mmap alone.\n\n\
         {machine}\n| allocator | version | source |\n|---|---|---|\n{peers}\n",
        main.rounds.0,
        main.rounds.1,
        date = main.date,
        command = main.command,
    )
}

/// Writes the report and its plots. The first session is the main one; curves, instruction counts and the price of counting
/// are found by their rows and columns in whichever session has them.
pub fn write(path: &Path, sessions: &[Results]) -> Result<(), String> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = |e: Box<dyn std::error::Error>| format!("plot: {e}");
    let main = &sessions[0];
    let mut out = opening(main);
    writeln!(
        out,
        "## Where MeMS stands\n\n{}\n{}\n{}",
        goals(main),
        table::means(main),
        table::standing(main)
    )
    .ok();

    let stands = |name: &str| {
        Some((mean(main, name, Question::Cpu, |_| true)?, mean(main, name, Question::Rss, |_| true)?))
    };
    let standing: Vec<Series> = main
        .peers
        .iter()
        .filter_map(|peer| Some(Series { name: peer.name.clone(), points: vec![stands(&peer.name)?] }))
        .collect();
    plot::standing(&folder.join("performance-standing.svg"), &standing).map_err(failed)?;
    for (question, name, title) in [
        (Question::Cpu, "cpu", "CPU time: MeMS (red) among its peers (grey)"),
        (Question::Rss, "rss", "Peak RSS: MeMS (red) among its peers (grey)"),
    ] {
        let peers = |row: &Measured| {
            table::rivals(main, Rivals::All).filter_map(|peer| ratio(row, peer, question)).collect()
        };
        let rows: Vec<Field> = main
            .rows
            .iter()
            .map(|row| Field {
                name: row.name.clone(),
                mems: ratio(row, COUNTED, question),
                peers: peers(row),
            })
            .collect();
        plot::field(&folder.join(format!("performance-{name}.svg")), title, &rows).map_err(failed)?;
    }
    writeln!(out, "![CPU time against peak RSS](performance-standing.svg)\n\n![CPU time of every row](performance-cpu.svg)\n\n![Peak RSS of every row](performance-rss.svg)\n").ok();

    for (group, heading) in GROUPS {
        let rows: Vec<_> = main.rows.iter().filter(|row| row.group == *group).collect();
        if rows.is_empty() {
            continue;
        }
        let list = rows.iter().map(|row| format!("- `{}`: {}\n", row.name, row.what)).collect::<String>();
        writeln!(
            out,
            "## {heading}\n\n{}\n\n{list}\n{}\n{}",
            words(group),
            table::group(main, group, Question::Cpu),
            table::group(main, group, Question::Rss)
        )
        .ok();
    }
    writeln!(out, "## Memory over live bytes\n\nPrinted by the rows themselves, from the kernel's count of resident pages; 1.00 is no waste at all.\n\n{}", table::own_figures(main)).ok();

    if let Some(session) = sessions.iter().find(|one| one.peers.iter().any(|peer| peer.name == UNCOUNTED)) {
        writeln!(out, "## The price of counting\n\nThe same sources with counting compiled out (`--features uncounted`), A B A B, {} rounds. Wanted: ≤ 1.02 as geomean, ≤ 1.05 in any row.\n\n{}", session.rounds.0, price(session)).ok();
    }
    if let Some(session) = sessions.iter().find(|one| one.rows.iter().any(|row| row.group == ON_DEMAND[2])) {
        writeln!(out, "## Instructions\n\nOf the allocator and the pattern's own loop together, for one malloc with its free, by callgrind.\n\n{}", instructions(session)).ok();
    }
    for (group, title, x, what) in [
        (
            "live",
            "Cost and live blocks",
            "live blocks",
            "A random one of the live blocks (16–128 bytes) is replaced, two million times: CPU nanoseconds for a free with its malloc. The blocks are touched, so the rise from 100,000 on is the cache's and the page tables'.",
        ),
        (
            "threads",
            "Cost and threads",
            "threads",
            "The pattern `mixed`, the same work shared by more and more threads on the same cores: CPU nanoseconds for a malloc with its free.",
        ),
    ] {
        let Some(session) = sessions.iter().find(|one| one.rows.iter().any(|row| row.group == group)) else {
            continue;
        };
        let series = curve(session, group, (group == "live").then_some("ns_per_pair"));
        plot::curves(&folder.join(format!("performance-{group}.svg")), title, x, "ns", &series)
            .map_err(failed)?;
        writeln!(
            out,
            "## {title}\n\n{what}\n\n![{title}](performance-{group}.svg)\n\n{}",
            curve_table(&series, x)
        )
        .ok();
        if group == "live" {
            let beyond = curve(session, group, Some("resident_beyond_live_bytes_a_block"));
            let more = curve(session, group, Some("more_mappings"));
            writeln!(out, "Resident bytes a block beyond the bytes asked (rounding, bookkeeping, free slots, the library's own pages):\n\n{}", curve_table(&beyond, x)).ok();
            writeln!(
                out,
                "Mappings that the heap added to the process (the kernel's default limit is 65,530):\n\n{}",
                curve_table(&more, x)
            )
            .ok();
        }
    }
    let gaps = sources(main);
    if !gaps.is_empty() {
        writeln!(out, "## Not measured\n\n{gaps}").ok();
    }
    if let Ok(notes) = std::fs::read_to_string("bench/notes.md") {
        writeln!(out, "{}", notes.trim_end()).ok();
    }
    std::fs::write(path, out.trim_end().to_string() + "\n").map_err(|e| format!("{}: {e}", path.display()))
}
