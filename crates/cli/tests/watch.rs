//! `mems top` and `mems heap` on running processes: nothing is stopped, nothing is written there.

mod scene;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use scene::{compile, directory, is_there, library, mems, output, stderr, stdout};

/// A program under MeMS that is ready, ended when this is dropped.
struct Ready {
    child: Child,
    /// The program's number, as text.
    pid: String,
}

impl Ready {
    /// The scene, preloaded without `mems run`, with this profile.
    fn preloaded(scene: &str, profile: &str) -> Ready {
        let mut command = Command::new(compile("scenes", &[]));
        command.arg(scene).env("LD_PRELOAD", library()).env("MEMS_STATS", "off").env("MEMS_PROFILE", profile);
        let child = Ready::start(&mut command);
        let pid = child.id().to_string();
        Ready { child, pid }
    }

    /// The scene under `mems run` with this profile.
    fn run(name: &str, scene: &str, profile: &str) -> Ready {
        let mut command = mems();
        command.args(["run", "-q", "-p", profile, "-o"]).arg(directory(name)).arg("--");
        let child = Ready::start(command.arg(compile("scenes", &[])).arg(scene));
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let pid = std::fs::read_to_string(children).expect("/proc").trim().to_string();
        Ready { child, pid }
    }

    fn start(command: &mut Command) -> Child {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("reads");
        assert_eq!(line, "ready\n");
        child
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg("-9").arg(&self.pid).status();
        let _ = self.child.wait();
    }
}

/// The lines of call sites behind the last look of `mems top`.
fn sites(pid: &str, order: &str) -> Vec<String> {
    let looks = ["top", "--lines", "--count", "2", "--interval", "0.3", "--sites", "3", "--by", order, pid];
    let output = output(&looks);
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().rposition(|line| line.trim_start().starts_with(pid));
    let last = last.unwrap_or_else(|| panic!("{pid}: {text}{}", stderr(&output)));
    lines[last + 1..].iter().map(|line| line.to_string()).collect()
}

#[test]
fn top_reads_a_process_that_was_only_preloaded() {
    let ready = Ready::preloaded("wait", "off");
    let text = stdout(&output(&["top", "--count", "2", "--interval", "0.1", &ready.pid]));
    let row = text.lines().nth(1).unwrap_or_else(|| panic!("{text}"));
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[0], ready.pid, "{text}");
    // 1000 blocks of 100 bytes, and what stdio keeps.
    assert!(row.contains(" 1,00"), "live blocks: {row}");
    assert!(row.contains("<= 128 B 50%") || row.contains("<= 256 B 50%"), "the size most asked for: {row}");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn top_reads_the_counters_of_a_process_of_mems_run() {
    let ready = Ready::run("top-run", "wait", "off");
    let text = stdout(&output(&["top", "--count", "1", &ready.pid]));
    let row = text.lines().nth(1).unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains(" 1,00") && row.trim_start().starts_with(&ready.pid), "{text}");
}

#[test]
fn top_names_the_busiest_call_sites_of_a_running_process() {
    for profile in ["sites", "stacks"] {
        for ready in
            [Ready::preloaded("busy", profile), Ready::run(&format!("top-busy-{profile}"), "busy", profile)]
        {
            let live = sites(&ready.pid, "live");
            assert!(live[0].contains("in     1,000") && live[0].contains("allocate scenes.c:"), "{live:?}");
            let calls = sites(&ready.pid, "calls");
            assert!(calls[0].contains("turn scenes.c:"), "{calls:?}");
            let rate = calls[0].split("/s").next().and_then(|part| part.split_whitespace().last());
            let rate: u64 = rate.map_or(0, |n| n.replace(',', "").parse().unwrap_or(0));
            assert!(rate > 1000, "{calls:?}");
            assert_eq!(calls[0].contains("main"), profile == "stacks", "{calls:?}");
        }
    }
}

#[test]
fn top_marks_the_call_sites_of_a_sample_as_estimates() {
    let ready = Ready::preloaded("busy", "sample:1000");
    let live = sites(&ready.pid, "live");
    assert!(live.iter().any(|line| line.contains('~') && line.contains("allocate scenes.c:")), "{live:?}");
}

#[test]
fn top_says_that_a_process_without_a_profile_has_no_call_sites() {
    let ready = Ready::preloaded("wait", "off");
    let said = sites(&ready.pid, "live");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("no call sites: it was started without a profile"), "{said:?}");
}

/// What a terminal was told to show, without where and how.
fn words(shown: &str) -> String {
    let mut parts = shown.split('\u{1b}');
    let first = parts.next().unwrap_or("").to_string();
    let text =
        parts.map(|part| part.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, text)| text));
    let text = std::iter::once(first.as_str()).chain(text).collect::<Vec<_>>().join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_screen_of_top_has_figures_sizes_and_call_sites() {
    if !is_there("script") {
        return;
    }
    let ready = Ready::preloaded("busy", "sites");
    // A terminal of its own, in which the command finds no answer to its questions but ends after two looks.
    let screen = format!(
        "stty rows 50 cols 100; '{}' top --count 2 --interval 0.3 {}",
        env!("CARGO_BIN_EXE_mems"),
        ready.pid
    );
    let output = Command::new("script").args(["-qec", &screen, "/dev/null"]).env("TERM", "xterm").output();
    let shown = words(&stdout(&output.expect("script runs")));
    for part in [
        "mems top",
        "1,001 blocks",
        "call sites by live",
        "allocate scenes.c:",
        "sizes asked since the start",
        "<= 128 B",
        "live, up to",
    ] {
        assert!(shown.contains(part), "{part:?} is not on the screen: {shown:?}");
    }
}

#[test]
fn heap_shows_the_chain_and_the_slabs_of_a_running_process() {
    for ready in [Ready::preloaded("wait", "off"), Ready::run("heap-run", "wait", "off")] {
        let text = stdout(&output(&["heap", "--width", "100", &ready.pid]));
        assert!(text.contains("PROCESS     ") && text.contains("main chain  "), "{text}");
        // 1000 live blocks of 100 bytes in slots of 112.
        let row = text
            .lines()
            .find(|line| line.trim_start().starts_with("112 B "))
            .unwrap_or_else(|| panic!("{text}"));
        let cells: Vec<u64> =
            row.split_whitespace().skip(2).take(3).map(|n| n.replace(',', "").parse().unwrap_or(0)).collect();
        assert!((1000..1020).contains(&cells[2]) && cells[1] >= cells[2] && cells[0] > 0, "{row}");
        assert!(row.ends_with('#'), "{row}");
        let list = stdout(&output(&["heap", "--list", &ready.pid]));
        assert!(list.lines().any(|line| line.starts_with("MAIN[0x") && line.ends_with("<-> NULL")), "{list}");
        assert!(list.contains("(112: "), "a slab with its fill: {list}");
    }
}

#[test]
fn what_is_not_under_mems_is_said_in_one_line() {
    let mut child = Command::new("sleep").arg("10").spawn().expect("starts");
    for name in ["top", "heap"] {
        let output = output(&[name, &child.id().to_string()]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains("libmems.so is not loaded there"), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1);
    }
    let _ = child.kill();
    let _ = child.wait();
}
