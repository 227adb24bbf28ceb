//! The records in other tools' formats: folded stacks, flame graph, CSV, JSON, Prometheus.

use std::io::{self, Write};

use inferno::flamegraph;
use serde_json::{Value, json};

use crate::record::{COLUMNS, Record};
use crate::sites::{Metric, Sites, Stack};

/// A stack as `outermost;...;innermost`, with what would break the format replaced.
fn folded_stack(sites: &Sites, stack: &Stack) -> String {
    if stack.frames.is_empty() {
        return "[no call site]".into();
    }
    let clean = |name: &str| {
        name.chars()
            .map(|c| {
                if c == ';' {
                    ':'
                } else if c.is_control() {
                    '?'
                } else {
                    c
                }
            })
            .collect()
    };
    let names: Vec<String> =
        stack.frames.iter().rev().map(|frame| clean(&sites.frames[*frame].function)).collect();
    names.join(";")
}

/// Folded stacks, one a line, with this quantity; what stackcollapse scripts write.
pub fn folded(sites: &Sites, metric: Metric) -> Vec<String> {
    let stacks = sites.stacks.iter().filter(|stack| stack.figures.get(metric) > 0);
    let mut lines: Vec<String> =
        stacks.map(|stack| format!("{} {}", folded_stack(sites, stack), stack.figures.get(metric))).collect();
    lines.sort();
    lines
}

/// An SVG flame graph of this quantity.
pub fn flame_graph(sites: &Sites, metric: Metric, title: &str, to: impl Write) -> io::Result<()> {
    let lines = folded(sites, metric);
    let mut options = flamegraph::Options::default();
    options.title = title.into();
    options.count_name = if metric.is_bytes() { "bytes".into() } else { "blocks".into() };
    options.deterministic = true;
    if lines.is_empty() {
        return Err(io::Error::other(format!("no site has any {}", metric.name())));
    }
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), to)
}

/// One row a process and stack.
pub fn csv(records: &[Record], sites: &Sites, to: &mut dyn Write) -> io::Result<()> {
    let columns = COLUMNS.join(",");
    write!(to, "pid,program,{columns},function,file,line,module,stack\r\n")?;
    for (record, mine) in records.iter().zip(&sites.by_record) {
        for (number, figures) in mine {
            let stack = &sites.stacks[*number];
            let inner = stack.frames.first().map(|frame| &sites.frames[*frame]);
            let figures = figures.0.map(|n| n.to_string()).join(",");
            let line = inner.map_or(String::new(), |frame| frame.line.to_string());
            let text = |value: Option<&str>| quoted(value.unwrap_or(""));
            write!(
                to,
                "{},{},{figures},{},{},{line},{},{}\r\n",
                record.pid(),
                quoted(&record.program()),
                text(inner.map(|f| f.function.as_str())),
                text(inner.and_then(|f| f.file.as_deref())),
                text(inner.map(|f| f.module.as_str())),
                quoted(&folded_stack(sites, stack)),
            )?;
        }
    }
    Ok(())
}

/// As RFC 4180 wants it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Everything, with names, as one object.
pub fn json(records: &[Record], sites: &Sites) -> Value {
    let frames: Vec<Value> = sites
        .frames
        .iter()
        .map(|f| json!({"function": f.function, "file": f.file, "line": f.line, "module": f.module, "inlined": f.inlined}))
        .collect();
    let stacks: Vec<&Vec<usize>> = sites.stacks.iter().map(|stack| &stack.frames).collect();
    let processes: Vec<Value> = records
        .iter()
        .zip(&sites.by_record)
        .map(|(record, mine)| {
            let rows: Vec<Value> = mine
                .iter()
                .map(|(stack, figures)| {
                    std::iter::once(*stack as i64).chain(figures.0).collect::<Vec<_>>().into()
                })
                .collect();
            let columns: Vec<&str> = std::iter::once("stack").chain(COLUMNS).collect();
            json!({
                "dump": record.dump, "profile": record.profile,
                "sites": {"columns": columns, "rows": rows},
                "timeline": {"columns": ["t_ns", "live", "mapped", "calls"], "rows": record.timeline},
                "chain": chain(record),
            })
        })
        .collect();
    json!({
        "schema": "mems-report/1", "version": env!("CARGO_PKG_VERSION"), "estimated": sites.estimated,
        "missing": sites.missing, "frames": frames, "stacks": stacks, "processes": processes,
    })
}

/// The main chain: regions of `[start, bytes, [segment, ...]]`, a segment as in the record.
pub fn chain(record: &Record) -> Value {
    let regions = record.regions.iter().map(|region| {
        let segments = region.segments.iter().map(|segment| match (segment.process, segment.slab) {
            (true, Some([slot, slots, used])) => json!(["P", segment.bytes, slot, slots, used]),
            (true, None) => json!(["P", segment.bytes]),
            (false, _) => json!(["H", segment.bytes]),
        });
        json!([region.start, region.bytes, segments.collect::<Vec<_>>()])
    });
    regions.collect()
}

/// Name, help, kind and pointer into the dump of each metric.
const METRICS: [(&str, &str, &str, &str); 10] = [
    ("mems_blocks_asked_total", "Blocks asked.", "counter", "/blocks/asked"),
    ("mems_blocks_freed_total", "Blocks freed.", "counter", "/blocks/freed"),
    ("mems_live_bytes", "Usable bytes live at the end of the process.", "gauge", "/bytes/live_usable"),
    (
        "mems_live_blocks",
        "Blocks live at the end of the process, without inherited ones.",
        "gauge",
        "/blocks/live",
    ),
    ("mems_peak_live_bytes", "The most usable bytes that were live at once.", "gauge", "/peak/live_usable"),
    ("mems_mapped_bytes", "Bytes mapped for malloc at the end.", "gauge", "/engine/mapped"),
    ("mems_peak_mapped_bytes", "The most bytes that were mapped at once.", "gauge", "/peak/mapped"),
    ("mems_mmap_calls_total", "Successful mmap calls.", "counter", "/engine/mmap"),
    ("mems_munmap_calls_total", "Successful munmap calls.", "counter", "/engine/munmap"),
    ("mems_threads_peak", "The most threads that had a heap at once.", "gauge", "/process/threads/peak"),
];

/// The text format that Prometheus's textfile collector reads.
pub fn prometheus(records: &[Record]) -> Vec<String> {
    let mut out = Vec::new();
    let labels = |record: &Record| {
        format!(
            "pid=\"{}\",program=\"{}\",start=\"{}\"",
            record.pid(),
            label(&record.program()),
            record.number("/process/start_unix_ns")
        )
    };
    let mut metric = |name: &str, help: &str, kind: &str, rows: Vec<String>| {
        out.push(format!("# HELP {name} {help}"));
        out.push(format!("# TYPE {name} {kind}"));
        out.extend(rows);
    };
    for (name, help, kind, pointer) in METRICS {
        let row = |record: &Record| format!("{name}{{{}}} {}", labels(record), record.number(pointer));
        metric(name, help, kind, records.iter().map(row).collect());
    }
    let row = |record: &Record| format!("mems_asked_bytes_total{{{}}} {}", labels(record), record.asked());
    metric("mems_asked_bytes_total", "Bytes asked.", "counter", records.iter().map(row).collect());
    let row = |record: &Record| {
        let seconds = record.number("/process/elapsed_ns") as f64 / 1e9;
        format!("mems_elapsed_seconds{{{}}} {seconds}", labels(record))
    };
    metric("mems_elapsed_seconds", "How long the process ran.", "gauge", records.iter().map(row).collect());
    let mut rows = Vec::new();
    for record in records {
        let calls = record.dump.pointer("/calls").and_then(Value::as_object);
        for (function, n) in calls.into_iter().flatten().filter_map(|(name, v)| Some((name, v.as_i64()?))) {
            rows.push(format!("mems_calls_total{{{},function=\"{}\"}} {n}", labels(record), label(function)));
        }
    }
    metric("mems_calls_total", "Calls by function.", "counter", rows);
    out
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
