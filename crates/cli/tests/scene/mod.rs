//! What the tests of the command share: the command, the library, C programs, directories of their own.

#![allow(dead_code, reason = "each test file is a crate of its own and uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Path of libmems.so, release: the one that LIBMEMS names, else built here and now.
pub fn library() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match std::env::var_os("LIBMEMS").map(PathBuf::from) {
        Some(named) if named.is_file() => named,
        _ => {
            let output = Command::new(env!("CARGO"))
                .current_dir(root())
                .args(["build", "--release", "-p", "mems", "--message-format=json"])
                .output()
                .expect("cargo runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let messages = String::from_utf8_lossy(&output.stdout).into_owned();
            let path = messages.split('"').find(|part| part.ends_with("/libmems.so"));
            path.map(PathBuf::from).expect("cargo names the library")
        }
    })
}

/// A fresh, empty directory of this test's.
pub fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("the directory is made");
    path
}

/// Compiles a file of tests/programs; the program's path.
pub fn compile(name: &str, flags: &[&str]) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let own = directory.join(format!("{name}.{}.{:?}", std::process::id(), std::thread::current().id()));
    let out = directory.join(format!("cli-{name}{}", flags.concat().replace(['-', '/'], "")));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(format!("{name}.c"));
    let output = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".into()))
        .args(["-std=gnu17", "-O1", "-g", "-fno-builtin", "-pthread", "-Wall", "-Wextra", "-o"])
        .arg(&own)
        .arg(source)
        .args(flags)
        .output()
        .expect("a C compiler is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(&own, &out).expect("the program is moved to its place");
    out
}

/// The command, without any of MeMS in its environment but the library's place.
pub fn mems() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mems"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MEMS_")) {
        command.env_remove(name);
    }
    command
        .env_remove("LD_PRELOAD")
        .env("MEMS_LIB", library())
        .env("LC_ALL", "C.UTF-8")
        .stdin(std::process::Stdio::null());
    command
}

/// What a finished run has left.
pub struct Run {
    /// The command's output.
    pub output: Output,
    /// The directory of records.
    pub records: PathBuf,
}

impl Run {
    /// The report on stderr.
    pub fn report(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// The `mems/1` lines of all records, in order of their start.
    pub fn dumps(&self) -> Vec<Value> {
        let mut dumps: Vec<Value> = std::fs::read_dir(&self.records)
            .expect("the directory is there")
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|e| e == "mems"))
            .flat_map(|entry| {
                let text = std::fs::read_to_string(entry.path()).expect("a record is text");
                assert!(text.ends_with('\n'), "{} ends in the middle of a line", entry.path().display());
                text.lines()
                    .map(|line| serde_json::from_str(line).expect("a line is JSON"))
                    .collect::<Vec<Value>>()
            })
            .filter(|line| line["schema"] == "mems/1")
            .collect();
        dumps.sort_by_key(|dump| dump["process"]["start_unix_ns"].as_u64());
        dumps
    }

    /// Files of counters that are still there.
    pub fn counters(&self) -> usize {
        let entries = std::fs::read_dir(&self.records).expect("the directory is there").flatten();
        entries.filter(|entry| entry.path().extension().is_some_and(|e| e == "counters")).count()
    }
}

/// `mems run` of the scenes program, with these options and arguments.
pub fn run(name: &str, options: &[&str], arguments: &[&str]) -> Run {
    let records = directory(name).join("records");
    let program = compile("scenes", &[]);
    let output = mems()
        .arg("run")
        .arg("--out")
        .arg(&records)
        .args(options)
        .arg("--")
        .arg(program)
        .args(arguments)
        .output();
    Run { output: output.expect("mems runs"), records }
}

/// `mems` with these arguments, its output.
pub fn output(arguments: &[&str]) -> Output {
    mems().args(arguments).output().expect("mems runs")
}

/// What it wrote to stdout.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What it wrote to stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Says that a test was skipped for want of a program.
pub fn is_there(program: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|p| p.join(program).is_file());
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}
