//! `mems run`: a program under MeMS with all its children, and one report of the whole tree at the end.
//!
//! Each process writes its record into the directory; one that could not (killed, aborted, ended by the system call) has
//! left its counters in a file there, which becomes its record when the program has ended.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mems_core::report::ExitKind;

use crate::counters::{Copy, Facts};
use crate::failure::{Failure, Outcome, code, reason};
use crate::processes;
use crate::record;
use crate::supervise::{Supervised, end_as};
use crate::tree::{self, Tree};
use crate::{figures, library};

/// What the command line asked for.
pub struct Options {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// The directory for records.
    pub out: Option<PathBuf>,
    /// How call sites are recorded.
    pub profile: Option<String>,
    /// A dump beside each record, in this form.
    pub stats: Option<String>,
    /// Where the report goes; stderr if not said.
    pub report: Option<PathBuf>,
    /// No report.
    pub quiet: bool,
    /// Counters in a file.
    pub shared: bool,
}

/// How often `/proc` is looked through, in milliseconds: at first, and at last.
const SCAN: (i32, i32) = (10, 200);

/// How often 5 ms are given to children that outlive the program.
const GRACE: u32 = 4;

/// Runs the program. Returns only when it could not be started.
pub fn run(options: &Options) -> Outcome<()> {
    let failed = |text: String, code: u8| Failure { code, text };
    let library = library::find()?;
    let shown = library.display().to_string();
    if shown.contains([' ', ':']) {
        let text = format!(
            "{shown}: the dynamic linker cannot preload a path with a space or a colon; name another with MEMS_LIB"
        );
        return Err(failed(text, code::RUN));
    }
    let name = &options.command[0];
    let program = library::program(name);
    let directory = directory(options)?;
    let command = command(options, &library, &directory);
    let mut supervised = Supervised::start(command).map_err(|error| {
        // The directory was made for this run; it is empty.
        let _ = fs::remove_dir(&directory);
        let code =
            if error.kind() == io::ErrorKind::NotFound { code::NOT_FOUND } else { code::NOT_EXECUTABLE };
        failed(format!("{}: {}", name.to_string_lossy(), reason(&error)), code)
    })?;
    let mut tree = Tree::new(&directory, supervised.pid as u32);
    if let Some(why) = program.as_deref().and_then(library::obstacle) {
        let path = program.as_deref().unwrap_or(Path::new("")).display().to_string();
        let pid = supervised.pid as u32;
        tree.uncounted.insert(pid, tree::Uncounted { pid, path, why: why.into() });
    }
    let status = watch(&mut supervised, &mut tree);
    let pid = supervised.pid as u32;
    let (rest, mut notes) = settle(&directory, &tree, pid, status);
    let ended = report(options, &directory, &tree, &rest, (pid, status), &mut notes);
    if let Err(error) = ended {
        // The reader of the report may be gone; the program's end is what counts.
        let _ = writeln!(io::stderr(), "mems run: {error}");
    }
    end_as(status)
}

/// Makes the directory for the records. The default one is made elsewhere where the working directory is closed.
fn directory(options: &Options) -> Outcome<PathBuf> {
    let name = format!("mems.out.{}", std::process::id());
    let make =
        |path: &Path| fs::create_dir_all(path).and_then(|()| fs::canonicalize(path)).and_then(writable);
    let cannot = |path: &Path, error: &io::Error| Failure {
        code: code::RUN,
        text: format!(
            "cannot write records to {}: {}; name another directory with --out",
            path.display(),
            reason(error)
        ),
    };
    if let Some(path) = &options.out {
        return make(path).map_err(|error| cannot(path, &error));
    }
    let here = Path::new(&name);
    make(here).or_else(|error| {
        let elsewhere = std::env::temp_dir().join(&name);
        make(&elsewhere).map_err(|_| cannot(here, &error))
    })
}

fn writable(path: PathBuf) -> io::Result<PathBuf> {
    let probe = path.join(format!(".mems-{}", std::process::id()));
    fs::write(&probe, b"x")?;
    fs::remove_file(&probe)?;
    Ok(path)
}

fn command(options: &Options, library: &Path, directory: &Path) -> Command {
    let mut command = Command::new(&options.command[0]);
    command.args(&options.command[1..]);
    let mut preload = OsString::from(library);
    if let Some(before) = std::env::var_os("LD_PRELOAD").filter(|before| !before.is_empty()) {
        preload.push(":");
        preload.push(before);
    }
    command.env("LD_PRELOAD", preload);
    let mut records = directory.as_os_str().to_owned();
    records.push("/");
    command.env("MEMS_RECORD", records);
    match options.shared {
        true => command.env("MEMS_SHARED", directory),
        false => command.env_remove("MEMS_SHARED"),
    };
    command.env("MEMS_STATS", options.stats.as_deref().unwrap_or("off")).env_remove("MEMS_STATS_FORMAT");
    match options.stats.is_some() {
        true => command.env("MEMS_STATS_FILE", directory.join("%p.txt")),
        false => command.env_remove("MEMS_STATS_FILE"),
    };
    // Known to this command only.
    command.env_remove("MEMS_LIB");
    if let Some(profile) = &options.profile {
        command.env("MEMS_PROFILE", profile);
    }
    command
}

/// Waits for the program's end, and sees meanwhile what there is to be seen.
fn watch(supervised: &mut Supervised, tree: &mut Tree) -> i32 {
    let mut pause = SCAN.0;
    let mut next = Instant::now();
    loop {
        let left = next.saturating_duration_since(Instant::now()).as_millis() as i32;
        supervised.wait(tree.descriptors().into_iter(), left + 1);
        tree.look_for_files();
        tree.look_for_ends();
        if let Some(status) = supervised.ended() {
            // Children that the program leaves behind end a moment later, as a rule.
            for round in 0..GRACE {
                // A daemon's parent ends before the daemon has made its file.
                if round > 0 && !tree.is_waiting() {
                    break;
                }
                supervised.wait(tree.descriptors().into_iter(), 5);
                tree.look_for_files();
                tree.look_for_ends();
            }
            return status;
        }
        if Instant::now() >= next {
            tree.look_for_uncounted();
            pause = (pause + pause / 4).min(SCAN.1);
            next = Instant::now() + Duration::from_millis(pause as u64);
        }
    }
}

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
fn settle(directory: &Path, tree: &Tree, root: u32, status: i32) -> (Vec<Rest>, Vec<String>) {
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
        let alive = seen.is_none() && is_last && is_alive(pid, &facts);
        if alive && facts.exit != ExitKind::Exec {
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
        let wrote = has_record(directory, &facts) || (facts.exit == ExitKind::Exec && facts.forked);
        if !wrote {
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

fn is_alive(pid: u32, facts: &Facts) -> bool {
    // The process is the same if its executable is; one that has just forked may not have written that down yet.
    let exe = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let zombie = state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']));
    !zombie
        && (exe.as_os_str().as_encoded_bytes() == facts.exe.as_slice()
            || facts.exe.is_empty() && exe.is_absolute()
            || facts.exit == ExitKind::Exec && exe.is_absolute())
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

fn report(
    options: &Options,
    directory: &Path,
    tree: &Tree,
    rest: &[Rest],
    (pid, status): (u32, i32),
    notes: &mut Vec<String>,
) -> Outcome<()> {
    let records = match record::read(directory) {
        Ok((records, failures)) => {
            notes.extend(failures.iter().map(Failure::to_string));
            records
        }
        Err(failure) => {
            if tree.uncounted.is_empty() && rest.is_empty() {
                notes.push(failure.to_string());
            }
            Vec::new()
        }
    };
    if options.quiet {
        return Ok(());
    }
    let mut lines = processes::report(&records, rest, tree.uncounted.values(), (pid, status));
    lines.extend(notes.iter().map(|note| format!("  note: {note}")));
    let records_in = figures::tail(&directory.display().to_string(), 60);
    lines.push(format!("  records in {records_in}; see `mems report {records_in}`"));
    let text = lines.join("\n") + "\n";
    match &options.report {
        Some(path) => {
            fs::write(path, text).map_err(|e| Failure::refused(format!("{}: {}", path.display(), reason(&e))))
        }
        None => io::stderr().write_all(text.as_bytes()).map_err(|e| Failure::refused(reason(&e))),
    }
}
