//! `mems-bench`: runs rows × allocators in turn and writes what they cost. The command line and the order of work are here;
//! what a row is, how one run is measured and how results are told stand in the modules. It never runs inside a measured process.

mod figures;
mod peers;
mod plot;
mod record;
mod report;
mod rows;
mod run;
mod sections;
mod table;

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures libmems.so beside other allocators, run by run in turn: CPU time (user + system, children included) and peak RSS.
#[derive(Parser)]
#[command(version, about)]
pub struct Options {
    /// Rows to run: names, `prefix*`, or a group (small, growth, exchange, phases, process, programs; on demand only:
    /// live, threads, instructions). Default: all but those on demand
    rows: Vec<String>,
    /// Allocators to run, separated by commas (see --list). Default: all that were built or found
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// One more library to compare, NAME=PATH.so (repeatable); it gets MeMS's environment if NAME begins with `mems`
    #[arg(long = "lib", value_name = "NAME=PATH")]
    libs: Vec<String>,
    /// Rounds: each runs every allocator of the row once. Default: 3 for patterns, 2 for real programs, 1 for curves
    #[arg(long)]
    rounds: Option<usize>,
    /// The libmems.so to measure
    #[arg(long, default_value = "target/release/libmems.so")]
    mems: PathBuf,
    /// Folder of the benchmark's built programs, peers and inputs
    #[arg(long, default_value = "target")]
    target: PathBuf,
    /// Judge by the minimum of the rounds, not the median, and print one compact table (for tuning on a busy machine)
    #[arg(long)]
    quick: bool,
    /// Write the raw results as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write the report (Markdown) from the results, with its plots (SVG) beside it
    #[arg(long)]
    report: Option<PathBuf>,
    /// Take results from these JSON files in place of running anything (repeatable; the first is the main session)
    #[arg(long)]
    from: Vec<PathBuf>,
    /// List rows and allocators, then end
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match work(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("mems-bench: {message}");
            ExitCode::FAILURE
        }
    }
}

impl Options {
    /// Rounds of patterns and of real programs.
    fn rounds(&self) -> (usize, usize) {
        (self.rounds.unwrap_or(3).max(1), self.rounds.unwrap_or(2).max(1))
    }

    fn rounds_of(&self, row: &rows::Row) -> usize {
        match row.group {
            "programs" => self.rounds().1,
            group if rows::ON_DEMAND.contains(&group) => self.rounds.unwrap_or(1).max(1),
            _ => self.rounds().0,
        }
    }
}

/// Runs what was asked for; `None` when the question was only what there is.
fn session(options: &Options) -> Result<Option<record::Results>, String> {
    let peers = peers::chosen(options)?;
    let rows = rows::chosen(options)?;
    if options.list {
        rows.iter().for_each(|row| println!("{:<12} {:<18} {}", row.group, row.name, row.what));
        peers.iter().for_each(|peer| {
            println!("{:<12} {:<18} {} ({})", "allocator", peer.name, peer.version, peer.origin)
        });
        return Ok(None);
    }
    peers.iter().try_for_each(|peer| run::prove(options, peer))?;
    run::everything(options, &rows, &peers).map(Some)
}

fn work(options: &Options) -> Result<(), String> {
    let mut sessions = options.from.iter().map(|path| record::read(path)).collect::<Result<Vec<_>, _>>()?;
    if sessions.is_empty() {
        match session(options)? {
            Some(results) => sessions.push(results),
            None => return Ok(()),
        }
    }
    if options.quick {
        table::compact(&sessions[0]);
    } else if let Some(path) = &options.report {
        report::write(path, &sessions)?;
    } else if options.json.is_none() {
        print!("{}", table::markdown(&sessions[0]));
    }
    Ok(())
}
