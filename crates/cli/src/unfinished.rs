//! Processes of a directory of records that have written none: those that run on, and those that were killed after
//! `mems run` had ended. Their counters are in files there.
//!
//! Only reads: a file is removed by the next `mems run` into the same directory, not here.

use std::fs;
use std::path::Path;

use mems_core::report::ExitKind;

use crate::counters::{Copy, now_ns};
use crate::proc;
use crate::record::{self, Record};
use crate::tree;

/// Their records as far as they go, beside the `known` ones.
pub fn of(directory: &Path, known: &[Record]) -> Vec<Record> {
    let mut found = Vec::new();
    for file in fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let Some((pid, start)) = tree::name_of(&file) else { continue };
        // One that is just being made says nothing yet.
        let Ok(facts) = Copy::read(&file).map(|copy| copy.facts()) else { continue };
        let is_known = known.iter().any(|record| {
            record.pid() == i64::from(pid)
                && record.number("/process/start_unix_ns") as u64 == facts.start_unix_ns
        });
        // A forked child that went on to exec is no program of its own.
        if is_known || facts.exit == ExitKind::Exec && facts.forked {
            continue;
        }
        let exit = match facts.exit {
            ExitKind::Live if !proc::is_same(pid, start) => ExitKind::Unknown,
            said => said,
        };
        let end = if facts.end_ns > 0 { facts.end_ns } else { now_ns() };
        found.extend(record::parse(&file, &facts.json(exit, facts.code, end)).into_iter().flatten());
    }
    found
}
