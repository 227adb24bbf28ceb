//! The `mems` command: run programs under MeMS, watch them, and report on what they left.

mod arguments;
mod busy;
mod callers;
mod chain;
mod counters;
mod diff;
mod export;
mod failure;
mod figures;
mod heap;
mod html;
mod library;
mod live;
mod look;
mod memory;
mod pages;
mod pprof;
mod proc;
mod processes;
mod record;
mod report;
mod run;
mod settle;
mod signal;
mod sites;
mod supervise;
mod symbols;
mod table;
mod top;
mod tree;
mod unfinished;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ArgMatches;

use crate::failure::{Failure, Outcome, code, reason};
use crate::sites::Metric;

fn main() -> ExitCode {
    let matches = arguments::command().get_matches();
    let (name, result) = match matches.subcommand() {
        Some(("run", given)) => ("run", run(given)),
        Some(("report", given)) => ("report", report(given)),
        Some(("diff", given)) => ("diff", diff(given)),
        Some(("top", given)) => ("top", top(given)),
        Some(("heap", given)) => ("heap", heap(given)),
        Some(("completions", given)) => ("completions", completions(given)),
        Some(("man", given)) => ("man", pages::write(named(given, "directory"))),
        _ => unreachable!("clap asks for one of these commands"),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "mems {name}: {failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn named<'a>(given: &'a ArgMatches, name: &str) -> &'a Path {
    given.get_one::<PathBuf>(name).map_or(Path::new(""), PathBuf::as_path)
}

fn size(given: &ArgMatches, name: &str) -> usize {
    given.get_one::<usize>(name).copied().unwrap_or(0)
}

fn run(given: &ArgMatches) -> Outcome<()> {
    let text = |name| given.get_one::<String>(name).cloned();
    run::run(&run::Options {
        command: given.get_many("command").into_iter().flatten().cloned().collect(),
        out: given.get_one("out").cloned(),
        profile: text("profile"),
        stats: text("stats"),
        report: given.get_one("report").cloned(),
        quiet: given.get_flag("quiet"),
        shared: !given.get_flag("no-shared"),
    })
}

fn metrics(given: &ArgMatches) -> Vec<Metric> {
    given.get_many::<String>("metric").into_iter().flatten().filter_map(|name| Metric::of(name)).collect()
}

/// The records of a file or a directory, and of a directory the processes that have not written theirs.
fn records(from: &Path) -> Outcome<(Vec<record::Record>, Vec<Failure>)> {
    let unfinished = |known: &[record::Record]| match from.is_dir() {
        true => unfinished::of(from, known),
        false => Vec::new(),
    };
    match record::read(from) {
        Ok((mut records, failures)) => {
            records.extend(unfinished(&records));
            records.sort_by_key(|record| record.number("/process/start_unix_ns"));
            Ok((records, failures))
        }
        Err(failure) => match unfinished(&[]) {
            records if records.is_empty() => Err(failure),
            records => Ok((records, Vec::new())),
        },
    }
}

fn report(given: &ArgMatches) -> Outcome<()> {
    let from = named(given, "from");
    let (mut records, failures) = records(from)?;
    if let Some(pid) = given.get_one::<u32>("pid") {
        records.retain(|record| record.pid() == i64::from(*pid));
        if records.is_empty() {
            return Err(Failure::wrong(format!("{}: no record of process {pid}", from.display())));
        }
    }
    let sites = sites::resolve(&records);
    let metrics = metrics(given);
    let metric = metrics.first().copied().unwrap_or(Metric::Live);
    let output = given.get_one::<PathBuf>("output");
    write(output.map(PathBuf::as_path), |to| {
        match given.get_one::<clap::Id>("format").map(clap::Id::as_str) {
            Some("html") => html::write(&records, &sites, to),
            Some("json") => writeln!(to, "{}", export::json(&records, &sites)),
            Some("csv") => export::csv(&records, &sites, to),
            Some("pprof") => pprof::write(&records, &sites, to),
            Some("folded") => all(&export::folded(&sites, metric), to),
            Some("flamegraph") => export::flame_graph(
                &sites,
                metric,
                &format!("{}: {}", records[0].program(), metric.name()),
                to,
            ),
            Some("prometheus") => all(&export::prometheus(&records), to),
            _ => {
                let options =
                    report::Options { top: size(given, "top"), depth: size(given, "depth"), metrics };
                all(&report::lines(&records, &sites, &options), to)
            }
        }
    })?;
    match failures.into_iter().next() {
        None => Ok(()),
        Some(failure) => Err(failure),
    }
}

fn all(lines: &[String], to: &mut dyn Write) -> io::Result<()> {
    lines.iter().try_for_each(|line| writeln!(to, "{line}"))
}

/// Writes to a file or to stdout. A reader who has had enough is no failure.
fn write(output: Option<&Path>, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Outcome<()> {
    let result = match output {
        Some(path) => File::create(path).and_then(|file| {
            let mut to = BufWriter::new(file);
            fill(&mut to).and_then(|()| to.flush())
        }),
        None => {
            let mut to = BufWriter::new(io::stdout().lock());
            fill(&mut to).and_then(|()| to.flush())
        }
    };
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            let name = output.map_or("stdout".into(), |path| path.display().to_string());
            Err(Failure { code: code::REFUSED, text: format!("{name}: {}", reason(&error)) })
        }
        Ok(()) => Ok(()),
    }
}

fn diff(given: &ArgMatches) -> Outcome<()> {
    let metric = metrics(given).first().copied().unwrap_or(Metric::Live);
    let (before, _) = records(named(given, "before"))?;
    let (after, _) = records(named(given, "after"))?;
    let lines = diff::lines(&before, &after, metric, size(given, "top"), size(given, "depth"));
    write(None, |to| all(&lines, to))
}

fn top(given: &ArgMatches) -> Outcome<()> {
    top::top(&top::Options {
        pid: given.get_one::<u32>("pid").copied(),
        interval: given.get_one::<f64>("interval").copied().unwrap_or(1.0),
        count: given.get_one::<u64>("count").copied(),
        lines: given.get_flag("lines"),
        sites: size(given, "sites"),
        order: given
            .get_one::<String>("by")
            .and_then(|name| busy::Order::of(name))
            .unwrap_or(busy::Order::Live),
    })
}

fn heap(given: &ArgMatches) -> Outcome<()> {
    let from = given.get_one::<String>("from").map_or("", String::as_str);
    let width = given.get_one::<u16>("width").map(|width| usize::from(*width));
    let lines = heap::lines(from, width, given.get_flag("list"))?;
    write(None, |to| all(&lines, to))
}

fn completions(given: &ArgMatches) -> Outcome<()> {
    let Some(shell) = given.get_one::<clap_complete::Shell>("shell").copied() else { return Ok(()) };
    write(None, |to| {
        // clap_complete cannot report a broken pipe but by a panic.
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut arguments::command(), "mems", &mut text);
        to.write_all(&text)
    })
}
