//! When the program has ended: what each process of the tree has left becomes its record, and who runs on is found out.
//!
//! A process that wrote its record is done with. One that could not has left its counters in a file, which is made a record
//! of here; a file is removed when its process has ended. Owns the directory of records, after the program's end.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mems_core::report::ExitKind;

use crate::counters::{Copy, Facts};
use crate::failure::reason;
use crate::library;
use crate::proc;
use crate::record;
use crate::tree::{self, Tree};

/// A process that goes on, or that went on as another program that is not counted.
pub struct Rest {
    /// Its number.
    pub pid: u32,
    /// What stands in the table instead of figures, if it has none.
    pub note: Option<String>,
    /// Its figures so far.
    pub facts: Option<Facts>,
    /// Its command.
    pub command: String,
}

/// Makes records of what processes that wrote none have left, and removes the files of counters that are done with.
pub fn settle(directory: &Path, tree: &Tree, root: u32, status: i32) -> (Vec<Rest>, Vec<String>) {
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|e| e.path()).collect();
    files.retain(|file| tree::name_of(file).is_some());
    files.sort_by_key(|file| tree::name_of(file).map(|(_, start)| start));
    let mut latest: HashMap<u32, u64> = HashMap::new();
    for (pid, start) in files.iter().filter_map(|file| tree::name_of(file)) {
        latest.insert(pid, start);
    }
    let (mut rest, mut notes) = (Vec::new(), Vec::new());
    let mut private = 0;
    for file in files {
        let Some((pid, start)) = tree::name_of(&file) else { continue };
        let facts = match Copy::read(&file) {
            Ok(copy) => copy.facts(),
            Err(failure) => {
                notes.push(failure.to_string());
                continue;
            }
        };
        private += facts.private;
        let is_last = latest.get(&pid) == Some(&start);
        let kernel = tree.ends.get(&pid).filter(|_| is_last);
        let seen = kernel.map(|end| end.status).or((pid == root && is_last).then_some(status));
        let alive = seen.is_none() && is_last && tree.is_running(pid, start);
        let written = has_record(directory, &facts);
        if alive && facts.exit != ExitKind::Exec && !written && is_image(pid) {
            rest.push(Rest { pid, note: None, command: facts.command(), facts: Some(facts) });
            continue;
        }
        if facts.exit == ExitKind::Exec
            && is_last
            && let Some(row) = uncounted_image(&facts, alive)
        {
            rest.push(row);
        }
        // A forked child that went on to exec is no program of its own.
        if !written && (facts.exit != ExitKind::Exec || !facts.forked) {
            let (exit, code) = ending(&facts, seen);
            let end = if facts.end_ns != 0 {
                facts.end_ns
            } else {
                kernel.map_or_else(crate::counters::now_ns, |end| end.at_ns)
            };
            if let Err(error) = append(directory, pid, &facts.json(exit, code, end)) {
                notes.push(format!("the record of {pid} cannot be written: {}", reason(&error)));
                continue;
            }
        }
        let _ = fs::remove_file(&file);
    }
    for (pid, command) in tree.left_behind.iter().filter(|(pid, _)| !latest.contains_key(pid)) {
        let why = proc::executable(*pid).and_then(|path| library::obstacle(&path));
        let note = why.map(|why| format!("not counted: {why}, still running"));
        rest.push(Rest { pid: *pid, note, facts: None, command: command.clone() });
    }
    if private > 0 {
        notes.push(format!("{private} heaps of threads could not be counted in the file: their figures are missing where a process was killed"));
    }
    (rest, notes)
}

/// The image that came after an exec, when it has left no counters.
fn uncounted_image(facts: &Facts, alive: bool) -> Option<Rest> {
    let path = String::from_utf8_lossy(facts.exec.as_deref()?).into_owned();
    let why = match library::obstacle(Path::new(&path)) {
        Some(why) => why,
        None if alive => "started without the preload",
        // It may have come and gone as a program whose exec failed half-way, or without the preload: nothing is known.
        None => "left no counters",
    };
    let still = if alive { ", still running" } else { "" };
    Some(Rest {
        pid: facts.pid,
        note: Some(format!("not counted: {why}{still}")),
        facts: None,
        command: path,
    })
}

/// Whether a running process is still the image that made these counters. One that called exec unseen has no mapping of any
/// counters; where the mappings cannot be seen it is taken for the same.
fn is_image(pid: u32) -> bool {
    proc::has_mapped(pid, ".counters").unwrap_or(true)
}

fn ending(facts: &Facts, seen: Option<i32>) -> (ExitKind, i32) {
    match (seen, facts.exit) {
        // What the process said is more than what the kernel tells, if both agree.
        (_, ExitKind::Exec) => (ExitKind::Exec, 0),
        (Some(status), _) if libc::WIFSIGNALED(status) => (ExitKind::Signal, libc::WTERMSIG(status)),
        (_, exit @ (ExitKind::Exit | ExitKind::Underscore | ExitKind::Quick)) => (exit, facts.code),
        (Some(status), _) => (ExitKind::Underscore, libc::WEXITSTATUS(status)),
        (None, _) => (ExitKind::Unknown, 0),
    }
}

/// Whether the process has written its record: one with its start, whole or not.
fn has_record(directory: &Path, facts: &Facts) -> bool {
    let path = directory.join(format!("{}.mems", facts.pid));
    let Ok(records) = record::read_file(&path) else { return false };
    records.iter().any(|record| record.number("/process/start_unix_ns") as u64 == facts.start_unix_ns)
}

fn append(directory: &Path, pid: u32, line: &[u8]) -> io::Result<()> {
    let path = directory.join(format!("{pid}.mems"));
    let whole = record::read_file(&path).is_ok() || !path.exists();
    let mut file = match whole {
        true => fs::OpenOptions::new().create(true).append(true).open(&path)?,
        // A record that was cut short (disk full) would make what comes behind it unreadable.
        false => fs::File::create(&path)?,
    };
    file.write_all(line)
}
