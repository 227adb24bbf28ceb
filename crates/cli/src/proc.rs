//! What `/proc` tells of a process: whether it runs, when it began, what it was given, what it has mapped.
//!
//! A process is known by its number and the time it began: its executable may be replaced or removed while it runs. Only
//! reads; owns nothing.

use std::fs;
use std::path::{Path, PathBuf};

/// A part of `/proc/PID/stat`.
struct Stat {
    state: u8,
    threads: u64,
    /// Ticks from the machine's start to the process's.
    began: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything.
    let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse().ok();
    Some(Stat { state: *fields.first()?.as_bytes().first()?, threads: number(17)?, began: number(19)? })
}

/// Whether the process runs: it is there, and has not ended to be a zombie. One whose first thread has ended runs on as long
/// as it has others.
pub fn is_running(pid: u32) -> bool {
    stat(pid).is_some_and(|stat| stat.threads > 1 || !matches!(stat.state, b'Z' | b'X'))
}

fn tick_ns() -> u64 {
    // SAFETY: sysconf takes a number.
    1_000_000_000 / unsafe { libc::sysconf(libc::_SC_CLK_TCK) }.max(1) as u64
}

/// When the process began, in nanoseconds since 1970, to a hundredth of a second; 0 when that is not known.
pub fn began_unix_ns(pid: u32) -> u64 {
    let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
    let boot = boot.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<u64>().ok());
    stat(pid).zip(boot).map_or(0, |(stat, boot)| boot * 1_000_000_000 + stat.began * tick_ns())
}

/// When the process began, on CLOCK_MONOTONIC, to two ticks; None when it is not there.
fn began_ns(pid: u32) -> Option<u64> {
    let stat = stat(pid)?;
    let mut boot = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a timespec to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &mut boot) };
    // The machine's clock runs on while it sleeps, that of the counters does not.
    let boot = boot.tv_sec as u64 * 1_000_000_000 + boot.tv_nsec as u64;
    let slept = boot.saturating_sub(mems_core::os::now_ns());
    Some((stat.began * tick_ns()).saturating_sub(slept))
}

/// Whether the process `pid` runs and is the one that was there at `at_ns` (CLOCK_MONOTONIC), and not a later one that was
/// given its number.
pub fn is_same(pid: u32, at_ns: u64) -> bool {
    is_running(pid) && began_ns(pid).is_some_and(|began| began <= at_ns + 2 * tick_ns())
}

/// Where the kernel shows the process's memory: `/proc/PID`, or its place there for a thread that runs, where the first has
/// ended.
pub fn folder(pid: u32) -> PathBuf {
    let own = PathBuf::from(format!("/proc/{pid}"));
    if fs::read(own.join("maps")).is_ok_and(|maps| !maps.is_empty()) {
        return own;
    }
    let threads = fs::read_dir(own.join("task")).into_iter().flatten().flatten().map(|entry| entry.path());
    let runs = |thread: &PathBuf| fs::read(thread.join("maps")).is_ok_and(|maps| !maps.is_empty());
    threads.into_iter().find(runs).unwrap_or(own)
}

/// Whether a file whose name ends so is mapped; None where the mappings cannot be seen.
pub fn has_mapped(pid: u32, ending: &str) -> Option<bool> {
    let maps = fs::read_to_string(folder(pid).join("maps")).ok().filter(|maps| !maps.is_empty())?;
    Some(maps.lines().any(|line| line.trim_end_matches(" (deleted)").ends_with(ending)))
}

/// The executable; None where it cannot be seen.
pub fn executable(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// The arguments with spaces between them, else the path of the executable.
pub fn command(pid: u32) -> String {
    let arguments = fs::read(folder(pid).join("cmdline")).unwrap_or_default();
    let arguments = arguments.strip_suffix(b"\0").unwrap_or(&arguments);
    match arguments.is_empty() {
        true => executable(pid).unwrap_or_default().display().to_string(),
        false => String::from_utf8_lossy(arguments).replace('\0', " "),
    }
}

/// Numbers of all processes.
pub fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Running processes of this user that began after `since_ns` (CLOCK_MONOTONIC) with this variable in their environment, as
/// `NAME=value`. Of older ones the environment is not looked at: that waits where they are busy with their mappings.
pub fn started_with(variable: &[u8], since_ns: u64) -> Vec<u32> {
    let is_new = |pid: &u32| began_ns(*pid).is_some_and(|began| began + 2 * tick_ns() >= since_ns);
    let has = |pid: &u32| {
        let environment = fs::read(Path::new("/proc").join(pid.to_string()).join("environ"));
        environment.is_ok_and(|all| all.split(|byte| *byte == 0).any(|entry| entry == variable))
    };
    all().filter(is_new).filter(has).filter(|pid| is_running(*pid)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_began_before_now() {
        let me = std::process::id();
        let now = mems_core::os::now_ns();
        assert!(is_running(me) && is_same(me, now));
        assert!(!is_same(me, now.saturating_sub(3_600_000_000_000)), "an hour ago it was another or none");
        let unix =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        assert!(unix.abs_diff(began_unix_ns(me).into()) < 600_000_000_000);
    }

    #[test]
    fn a_process_whose_first_thread_has_ended_runs() {
        // SAFETY: the child calls only what a forked child may.
        let child = unsafe { libc::fork() };
        if child == 0 {
            extern "C" fn rest(_: *mut libc::c_void) -> *mut libc::c_void {
                // SAFETY: pause has no precondition.
                unsafe { libc::pause() };
                std::ptr::null_mut()
            }
            let mut thread = 0;
            // SAFETY: the function has the type that is asked for.
            unsafe { libc::pthread_create(&mut thread, std::ptr::null(), rest, std::ptr::null_mut()) };
            // SAFETY: ends this thread only.
            unsafe { libc::syscall(libc::SYS_exit, 0) };
        }
        let child = child as u32;
        let ended = || stat(child).is_some_and(|stat| stat.state == b'Z');
        while !ended() {
            std::thread::yield_now();
        }
        assert!(is_running(child));
        assert!(folder(child).starts_with(format!("/proc/{child}/task")));
        // SAFETY: the child is this process's.
        unsafe { libc::kill(child as i32, libc::SIGKILL) };
        while stat(child).is_some_and(|stat| stat.threads > 1) {
            std::thread::yield_now();
        }
        assert!(!is_running(child), "it is a zombie now");
        // SAFETY: as above; nothing is written.
        unsafe { libc::waitpid(child as i32, std::ptr::null_mut(), 0) };
    }
}
