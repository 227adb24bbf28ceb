//! The rows: patterns (bench/patterns, one program) and real programs (bench/programs, one script each). A row knows its
//! command; it knows no allocator.

use crate::Options;
use crate::peers::answer;
use std::path::PathBuf;
use std::process::Command;

/// One line of the tables.
#[derive(Clone, Debug)]
pub struct Row {
    /// Unique name; patterns with threads end in `@N`.
    pub name: String,
    /// The table it belongs to.
    pub group: &'static str,
    /// One line for readers.
    pub what: String,
    /// Program and arguments, started by the driver, which prefix the measured part with $MEASURE.
    pub command: Vec<String>,
    /// What to run once beforehand (it makes the inputs); exit code 77: the program is not installed.
    pub prepare: Option<Vec<String>>,
}

/// Pattern, its group and its thread counts (0: no suffix, the pattern minds its own threads).
const PATTERNS: &[(&str, &str, &[u32])] = &[
    ("pairs-16", "small", &[0]),
    ("pairs-64", "small", &[0]),
    ("pairs-256", "small", &[0]),
    ("pairs-1024", "small", &[0]),
    ("pairs-8k", "small", &[0]),
    ("lifo", "small", &[0]),
    ("fifo", "small", &[0]),
    ("shuffled", "small", &[0]),
    ("mixed", "small", &[0]),
    ("mixed-wide", "small", &[0]),
    ("churn", "small", &[0]),
    ("strings", "small", &[0]),
    ("calloc", "small", &[0]),
    ("aligned", "small", &[0]),
    ("realloc-small", "growth", &[0]),
    ("realloc-double", "growth", &[0]),
    ("realloc-tenth", "growth", &[0]),
    ("realloc-two", "growth", &[0]),
    ("large", "growth", &[0]),
    ("huge", "growth", &[0]),
    ("buffers", "growth", &[0]),
    ("mixed", "exchange", &[2, 4]),
    ("producer", "exchange", &[2, 4]),
    ("remote-batches", "exchange", &[2, 4]),
    ("board", "exchange", &[2, 4]),
    ("larson", "exchange", &[1, 2, 4]),
    ("thread-life", "exchange", &[0]),
    ("phase-shift", "phases", &[0]),
    ("history", "phases", &[0]),
    ("give-back", "phases", &[0]),
    ("startup", "process", &[0]),
    ("fork-heap", "process", &[0]),
];

/// The groups in the order of the report, with their headings.
pub const GROUPS: &[(&str, &str)] = &[
    ("small", "Small blocks, one thread"),
    ("growth", "Growing, large and huge blocks"),
    ("exchange", "Threads"),
    ("phases", "Changing phases"),
    ("process", "Process start and fork"),
    ("programs", "Real programs"),
];

/// Groups that run only when they are named: curves and instruction counts.
pub const ON_DEMAND: &[&str] = &["live", "threads", "instructions"];

/// Live blocks of the curve `live`.
pub const LIVE: &[u64] = &[1_000, 10_000, 100_000, 1_000_000, 10_000_000];
/// Threads of the curve `threads`; the whole work is the same for each.
pub const THREADS: &[u32] = &[1, 2, 4, 8, 16, 32, 64];
const COUNTED: &[&str] =
    &["pairs-16", "pairs-64", "pairs-1024", "lifo", "shuffled", "mixed", "remote-batches@2"];

fn on_demand(program: &str) -> Vec<Row> {
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    let mut rows = Vec::new();
    for live in LIVE {
        let command = words(&["$MEASURE", program, "live-set", &live.to_string()]);
        let what = format!("2,000,000 random replacements of 16-128 bytes among {live} live blocks");
        rows.push(Row { name: format!("live-{live}"), group: "live", what, command, prepare: None });
    }
    for threads in THREADS {
        let command = words(&[
            "$MEASURE",
            program,
            &format!("mixed@{threads}"),
            &(2.0 / f64::from(*threads)).to_string(),
        ]);
        let what = format!("mixed sizes, the same work shared by {threads} threads");
        rows.push(Row { name: format!("threads-{threads}"), group: "threads", what, command, prepare: None });
    }
    for pattern in COUNTED {
        let command = |part: &str| words(&["sh", "bench/instructions.sh", part, program, pattern]);
        let what = format!("instructions for one malloc with its free, {pattern}");
        let row = Row {
            name: format!("ir-{pattern}"),
            group: "instructions",
            what,
            command: command("run"),
            prepare: Some(command("prepare")),
        };
        rows.push(row);
    }
    rows
}

fn patterns(program: &str) -> Vec<Row> {
    let list = Command::new(program)
        .arg("--list")
        .output()
        .map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
    let list = list.unwrap_or_default();
    let what = |name: &str| {
        let line = list.lines().find(|line| line.split_whitespace().next() == Some(name));
        line.map(|line| line[name.len()..].trim().to_string()).unwrap_or_default()
    };
    let mut rows = Vec::new();
    for (name, group, threads) in PATTERNS {
        for count in *threads {
            let full = if *count == 0 { name.to_string() } else { format!("{name}@{count}") };
            let threads = if *count == 0 {
                String::new()
            } else {
                format!(", {count} thread{}", if *count == 1 { "" } else { "s" })
            };
            let command = vec!["$MEASURE".into(), program.to_string(), full.clone()];
            rows.push(Row { name: full, group, what: what(name) + &threads, command, prepare: None });
        }
    }
    rows
}

fn programs(options: &Options) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let folder = PathBuf::from("bench/programs");
    let entries = std::fs::read_dir(&folder)
        .map_err(|e| format!("{}: {e} (run from the repository's root)", folder.display()))?;
    let mut scripts: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    scripts.retain(|path| path.extension().is_some_and(|end| end == "sh"));
    scripts.sort();
    for script in scripts {
        let text = std::fs::read_to_string(&script).map_err(|e| format!("{}: {e}", script.display()))?;
        let what = text.lines().find_map(|line| line.strip_prefix("# what: ")).unwrap_or_default();
        let name = script.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = script.to_string_lossy().into_owned();
        let inputs = options.target.join("bench-inputs").join(&name).to_string_lossy().into_owned();
        let command = |part: &str| vec!["sh".to_string(), path.clone(), part.to_string(), inputs.clone()];
        let row = Row {
            name,
            group: "programs",
            what: what.to_string(),
            command: command("run"),
            prepare: Some(command("prepare")),
        };
        rows.push(row);
    }
    Ok(rows)
}

fn matches(row: &Row, wanted: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(prefix) => row.name.starts_with(prefix),
        None => row.name == wanted || row.group == wanted,
    }
}

/// The rows that the options name, in report order.
pub fn chosen(options: &Options) -> Result<Vec<Row>, String> {
    let program = options.target.join("bench-bin/mems-bench-patterns").to_string_lossy().into_owned();
    if answer(&program, &["--list"]) == "unknown" {
        return Err(format!("{program} does not run (build it with scripts/bench.sh --build)"));
    }
    let mut rows = patterns(&program);
    rows.extend(programs(options)?);
    rows.extend(on_demand(&program));
    if let Some(wanted) = options.rows.iter().find(|wanted| !rows.iter().any(|row| matches(row, wanted))) {
        return Err(format!("no row {wanted}; --list names them"));
    }
    let wanted = |row: &Row| match options.rows[..] {
        [] => options.list || !ON_DEMAND.contains(&row.group),
        _ => options.rows.iter().any(|wanted| matches(row, wanted)),
    };
    rows.retain(wanted);
    Ok(rows)
}
