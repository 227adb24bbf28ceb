//! What the tests over the real libmems.so share: where it is, how a C file becomes a program, how a program runs
//! under it, how a test says that it was skipped.

#![allow(dead_code, reason = "each test file is a crate of its own and uses its part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The root of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Path of libmems.so, release: the one that LIBMEMS names, else built here and now.
pub fn library() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match std::env::var_os("LIBMEMS").map(PathBuf::from) {
        Some(named) if named.is_file() => named,
        _ => build(),
    })
}

fn build() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["build", "--release", "-p", "mems", "--message-format=json"])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .split('"')
        .find(|part| part.ends_with("/libmems.so"))
        .map(PathBuf::from)
        .expect("cargo names the libmems.so it built")
}

/// Compiles a C file of `tests/programs` (its name without ending) and returns the program's path.
pub fn compile(name: &str, flags: &[&str]) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let shared = flags.contains(&"-shared");
    let out = directory.join(if shared { format!("{name}.so") } else { name.to_string() });
    // Tests are threads and processes side by side: each makes its own file, the last rename stands.
    let own = directory.join(format!("{name}.{}.{:?}", std::process::id(), std::thread::current().id()));
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let output = Command::new(compiler)
        .args(["-std=gnu17", "-O1", "-g", "-fno-builtin", "-pthread", "-Wall", "-Wextra"])
        .arg("-I")
        .arg(root().join("c_tests"))
        .arg(root().join("tests/programs").join(format!("{name}.c")))
        .arg("-o")
        .arg(&own)
        .args(flags)
        .output()
        .expect("a C compiler is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::rename(&own, &out).expect("the compiled file is moved to its place");
    out
}

/// A command without any of MeMS in its environment.
pub fn plain(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MEMS_") {
            command.env_remove(name);
        }
    }
    command.env_remove("LD_PRELOAD").env("LC_ALL", "C.UTF-8").stdin(std::process::Stdio::null());
    command
}

/// The same under libmems.so, its dump as JSON in `dump`.
pub fn preloaded(program: impl AsRef<std::ffi::OsStr>, dump: &Path) -> Command {
    let mut command = plain(program);
    let _ = std::fs::remove_file(dump);
    command.env("LD_PRELOAD", library()).env("MEMS_STATS_FORMAT", "json").env("MEMS_STATS_FILE", dump);
    command
}

/// A fresh path for a file of this test.
pub fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

/// Runs the command; it must end with code 0.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Whether `program` is on the PATH.
pub fn installed(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|directory| directory.join(program).is_file()))
        || Path::new(program).is_file()
}

/// Notes that the test `name` was skipped and why, in the file SKIPS_FILE, which `make test` adds up.
pub fn skip(name: &str, why: &str) {
    use std::io::Write;
    println!("skip {name}: {why}");
    if let Some(path) = std::env::var_os("SKIPS_FILE") {
        let mut file =
            std::fs::OpenOptions::new().append(true).create(true).open(path).expect("SKIPS_FILE opens");
        writeln!(file, "{name}: {why}").expect("SKIPS_FILE takes a line");
    }
}
