//! `mems run`: a program under MeMS with all its children, and one report of the whole tree at the end.
//!
//! Each process writes its record into the directory; one that could not (killed, aborted, ended by the system call) has
//! left its counters in a file there, which becomes its record when the program has ended.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome, code, reason};
use crate::processes;
use crate::record;
use crate::settle::{self, Rest};
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

/// How long at most a child is waited for that was forked, or has called exec, and has not made its file.
const BIRTH: Duration = Duration::from_millis(500);

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
    let began_ns = crate::counters::now_ns();
    let mut supervised = Supervised::start(command).map_err(|error| {
        // The directory was made for this run; it is empty.
        let _ = fs::remove_dir(&directory);
        let code =
            if error.kind() == io::ErrorKind::NotFound { code::NOT_FOUND } else { code::NOT_EXECUTABLE };
        failed(format!("{}: {}", name.to_string_lossy(), reason(&error)), code)
    })?;
    let mut tree = Tree::new(&directory, supervised.pid as u32, options.shared, began_ns);
    if let Some(why) = program.as_deref().and_then(library::obstacle) {
        let path = program.as_deref().unwrap_or(Path::new("")).display().to_string();
        let pid = supervised.pid as u32;
        tree.uncounted.insert(pid, tree::Uncounted { pid, path, why: why.into() });
    }
    let status = watch(&mut supervised, &mut tree);
    let pid = supervised.pid as u32;
    let (rest, mut notes) = settle::settle(&directory, &tree, pid, status);
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
    command.env(tree::VARIABLE, tree::value(directory));
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
            last_look(supervised, tree);
            return status;
        }
        if Instant::now() >= next {
            tree.look_for_uncounted();
            pause = (pause + pause / 4).min(SCAN.1);
            next = Instant::now() + Duration::from_millis(pause as u64);
        }
    }
}

/// When the program has ended: children that it leaves behind end a moment later, as a rule, and one that was forked in its
/// last moment has yet to make its file.
fn last_look(supervised: &mut Supervised, tree: &mut Tree) {
    for round in 0..GRACE {
        // The first look is worth its time also where nothing is known to run.
        if round > 0 && !tree.is_waiting() {
            break;
        }
        supervised.wait(tree.descriptors().into_iter(), 5);
        tree.look_for_files();
        tree.look_for_ends();
    }
    let until = Instant::now() + BIRTH;
    while tree.look_for_left_behind() && Instant::now() < until {
        supervised.wait(tree.descriptors().into_iter(), 2);
        tree.look_for_files();
        tree.look_for_ends();
    }
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
