//! `mems-bench`: runs rows × allocators in turn and writes what they cost. The command line and the order of work are here;
//! what a row is, how one run is measured and how results are told stand in the modules. It never runs inside a measured process.

mod figures;
mod peers;
mod record;
mod report;
mod rows;
mod run;
mod table;

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures libmems.so beside other allocators, run by run in turn: CPU time (user + system, children included) and peak RSS.
#[derive(Parser)]
#[command(version, about)]
pub struct Options {
    /// Rows to run: names, `prefix*`, or a group (small, growth, exchange, phases, process, programs). Default: all of them
    rows: Vec<String>,
    /// Allocators to run, separated by commas (see --list). Default: all that were built or found
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// One more library to compare, NAME=PATH.so (repeatable); it gets MeMS's environment if NAME begins with `mems`
    #[arg(long = "lib", value_name = "NAME=PATH")]
    libs: Vec<String>,
    /// Rounds: each runs every allocator of the row once
    #[arg(long, default_value_t = 3)]
    rounds: usize,
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
    /// Write the report (Markdown) from these results, with its plots beside it
    #[arg(long)]
    report: Option<PathBuf>,
    /// Take results from this JSON file in place of running anything
    #[arg(long)]
    from: Option<PathBuf>,
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

fn work(options: &Options) -> Result<(), String> {
    let results = match &options.from {
        Some(path) => record::read(path)?,
        None => {
            let peers = peers::chosen(options)?;
            let rows = rows::chosen(options)?;
            if options.list {
                rows.iter().for_each(|row| println!("{:<10} {:<18} {}", row.group, row.name, row.what));
                peers.iter().for_each(|peer| println!("peer       {:<18} {} {}", peer.name, peer.version, peer.origin));
                return Ok(());
            }
            peers.iter().try_for_each(|peer| run::prove(options, peer))?;
            run::everything(options, &rows, &peers)?
        }
    };
    if let Some(path) = &options.json {
        record::write(path, &results)?;
    }
    if options.quick {
        table::compact(&results);
    } else if options.report.is_none() {
        print!("{}", table::markdown(&results));
    }
    match &options.report {
        Some(path) => report::write(path, &results),
        None => Ok(()),
    }
}
