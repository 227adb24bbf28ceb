//! `mems run`: what passes through untouched, and what is left of processes however they end.

mod scene;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use scene::{compile, directory, mems, run, stderr, stdout};

/// What `allocate` of the scenes leaves behind.
fn has_allocated(dump: &serde_json::Value) {
    assert!(dump["blocks"]["asked"].as_u64() >= Some(2000), "{dump}");
    assert!(dump["calls"]["malloc"].as_u64() >= Some(2000), "{dump}");
    let live = dump["blocks"]["live"].as_u64();
    assert!(live >= Some(1000) && live < Some(1100), "{dump}");
}

#[test]
fn stdin_stdout_stderr_and_exit_code_pass_through() {
    let records = directory("copy");
    let mut command = mems();
    command.args(["run", "-q", "-o"]).arg(&records).arg("--").arg(compile("scenes", &[])).arg("copy");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let text = "a line\n".repeat(20_000);
    let mut stdin = child.stdin.take().expect("a pipe");
    let to_write = text.clone();
    let writer = std::thread::spawn(move || stdin.write_all(to_write.as_bytes()));
    let output = child.wait_with_output().expect("ends");
    writer.join().expect("no panic").expect("all is written");
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(stdout(&output), text);
    assert_eq!(stderr(&output), "said to stderr\n");
}

#[test]
fn a_signal_sent_to_the_command_reaches_the_program() {
    let records = directory("term");
    let mut command = mems();
    command.args(["run", "-q", "-o"]).arg(&records).arg("--").arg(compile("scenes", &[])).arg("term");
    let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("reads");
    assert_eq!(line, "ready\n");
    let status = std::process::Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
    assert!(status.success());
    assert_eq!(child.wait().expect("ends").code(), Some(42));
}

#[test]
fn a_process_that_is_killed_has_left_its_figures() {
    for (scene, signal, name) in [("kill", 9, "SIGKILL"), ("abort", 6, "SIGABRT"), ("segv", 11, "SIGSEGV")] {
        let run = run(scene, &[], &[scene]);
        assert_eq!(run.output.status.signal(), Some(signal), "{}", run.report());
        let dumps = run.dumps();
        assert_eq!(dumps.len(), 1, "{scene}: {}", run.report());
        assert_eq!(dumps[0]["process"]["exit"], serde_json::json!({"kind": "signal", "code": signal}));
        has_allocated(&dumps[0]);
        assert!(run.report().contains(&format!("killed by {name}")), "{}", run.report());
        assert_eq!(run.counters(), 0);
    }
}

#[test]
fn underscore_exit_and_the_system_call_leave_their_figures() {
    for (scene, code) in [("_exit", 9), ("raw", 11)] {
        let run = run(&format!("end{scene}"), &[], &[scene]);
        assert_eq!(run.output.status.code(), Some(code));
        let dumps = run.dumps();
        assert_eq!(dumps.len(), 1, "{}", run.report());
        assert_eq!(dumps[0]["process"]["exit"], serde_json::json!({"kind": "_exit", "code": code}));
        has_allocated(&dumps[0]);
    }
}

#[test]
fn each_image_of_a_chain_of_execs_is_reported() {
    let run = run("exec", &[], &["exec", "4"]);
    assert_eq!(run.output.status.code(), Some(7));
    let dumps = run.dumps();
    assert_eq!(dumps.len(), 5, "{}", run.report());
    for (index, dump) in dumps.iter().enumerate() {
        assert_eq!(dump["process"]["exit"]["kind"], if index < 4 { "exec" } else { "exit" });
        has_allocated(dump);
    }
    assert_eq!(run.counters(), 0);
}

#[test]
fn a_hundred_children_at_once_lose_no_record_and_tear_none() {
    let run = run("storm", &[], &["storm"]);
    assert_eq!(run.output.status.code(), Some(0), "{}", run.report());
    let dumps = run.dumps();
    assert_eq!(dumps.len(), 101, "{}", run.report());
    let parent = &dumps[0]["process"]["pid"];
    let mut asked: Vec<u64> = Vec::new();
    for dump in dumps.iter().filter(|dump| dump["process"]["pid"] != *parent) {
        assert_eq!(dump["process"]["ppid"], *parent);
        assert!(dump["inherited"]["blocks"].as_u64() >= Some(1000), "{dump}");
        assert_eq!(dump["process"]["exit"]["code"], 0);
        asked.push(dump["calls"]["malloc"].as_u64().expect("a count"));
    }
    asked.sort_unstable();
    assert_eq!(asked, (0..100).collect::<Vec<u64>>(), "each child counted its own calls and no other's");
    assert_eq!(run.counters(), 0);
}

#[test]
fn a_daemon_that_stays_behind_is_named_and_leaves_its_record_later() {
    let run = run("daemon", &[], &["daemon"]);
    assert_eq!(run.output.status.code(), Some(0));
    assert!(run.report().contains("still running"), "{}", run.report());
    assert_eq!(run.dumps().len(), 1, "the parent's");
    for _ in 0..100 {
        if run.dumps().len() == 2 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the daemon has left no record");
}

#[test]
fn a_report_has_the_figures_of_a_daemon_that_runs_on_and_of_one_that_was_killed() {
    let run = run("daemon-report", &[], &["daemon"]);
    let report = || stdout(&mems().arg("report").arg(&run.records).output().expect("runs"));
    let text = report();
    let row = text.lines().find(|line| line.contains("still running"));
    let row = row.unwrap_or_else(|| panic!("{text}"));
    // What it inherited of its parent's blocks is live.
    assert!(row.contains("109."), "{row}");
    let pid = row.split_whitespace().next().expect("its number").to_string();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().expect("runs").success());
    while std::path::Path::new(&format!("/proc/{pid}/exe")).exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let text = report();
    assert!(text.lines().any(|line| line.contains(&pid) && line.contains("ended unseen")), "{text}");
    assert!(text.contains("total"), "{text}");
}

#[test]
fn a_daemon_whose_executable_is_removed_runs_on() {
    let own = directory("removed").join("scenes");
    std::fs::copy(compile("scenes", &[]), &own).expect("a copy");
    let records = directory("removed-records");
    let mut command = mems();
    let output = command.args(["run", "-o"]).arg(&records).arg("--").arg(&own).arg("removed").output();
    let run = scene::Run { output: output.expect("runs"), records };
    assert!(!own.exists(), "the scene removes it");
    assert!(run.report().contains("still running"), "{}", run.report());
}

#[test]
fn a_child_that_is_started_in_the_last_moment_and_left_behind_is_named() {
    for (scene, options) in [("spawns", &[][..]), ("spawns", &["--no-shared"]), ("daemon", &["--no-shared"])]
    {
        let run = run(&format!("{scene}{}", options.len()), options, &[scene]);
        assert_eq!(run.output.status.code(), Some(0));
        assert!(run.report().contains("still running"), "{scene} {options:?}: {}", run.report());
    }
}

#[test]
fn a_program_that_closes_all_descriptors_is_counted_to_the_end() {
    let run = run("closes", &[], &["closes"]);
    assert_eq!(run.output.status.signal(), Some(9), "{}", run.report());
    let dumps = run.dumps();
    assert_eq!(dumps.len(), 1);
    // Twice allocate, and the thread's 1000: its heap was made when the descriptors were closed.
    assert!(dumps[0]["blocks"]["asked"].as_u64() >= Some(5000), "{}", dumps[0]);
}

#[test]
fn sixty_four_threads_are_counted_also_when_the_process_is_killed() {
    for arguments in [&["threads"][..], &["threads", "kill"]] {
        let run = run(&format!("threads{}", arguments.len()), &[], arguments);
        let dumps = run.dumps();
        assert_eq!(dumps.len(), 1, "{}", run.report());
        let mallocs = dumps[0]["calls"]["malloc"].as_u64().expect("a count");
        assert!((66_000..66_300).contains(&mallocs), "{mallocs}");
        assert_eq!(dumps[0]["process"]["threads"]["created"], 65);
    }
}

#[test]
fn plugins_that_come_and_go_are_counted() {
    let plugin = compile("plugin", &["-shared", "-fPIC"]);
    for profile in ["off", "sites", "stacks"] {
        let run =
            run(&format!("plugins-{profile}"), &["-p", profile], &["plugins", &plugin.display().to_string()]);
        assert_eq!(run.output.status.code(), Some(0), "{}", run.report());
        assert!(run.dumps()[0]["calls"]["malloc"].as_u64() >= Some(200));
    }
}

#[test]
fn static_programs_are_named_as_not_counted() {
    let program = compile("scenes", &["-static"]);
    let path = program.display().to_string();
    let records = directory("static");
    let direct =
        mems().args(["run", "-o"]).arg(&records).arg("--").arg(&program).arg("plain").output().expect("runs");
    assert_eq!(direct.status.code(), Some(0));
    assert!(stderr(&direct).contains("not counted: statically linked"), "{}", stderr(&direct));
    let after_exec = run("static-exec", &[], &["run", &path, "plain"]);
    assert!(after_exec.report().contains("not counted: statically linked"), "{}", after_exec.report());
    assert!(after_exec.report().contains(&path[path.len() - 20..]), "{}", after_exec.report());
}

#[test]
fn a_preload_that_is_there_already_stays() {
    let other = compile("plugin", &["-shared", "-fPIC"]);
    let records = directory("preload");
    let command = ["sh", "-c", "grep -c -e cli-plugin -e libmems.so /proc/self/maps; echo $LD_PRELOAD"];
    let output = mems()
        .env("LD_PRELOAD", &other)
        .args(["run", "-q", "-o"])
        .arg(&records)
        .arg("--")
        .args(command)
        .output();
    let text = stdout(&output.expect("runs"));
    assert!(text.lines().next().and_then(|n| n.parse::<u32>().ok()) >= Some(4), "{text}");
    assert!(text.contains("libmems.so:") && text.contains("cli-plugin"), "{text}");
}

#[test]
fn without_shared_counters_a_killed_process_leaves_nothing_and_that_is_said() {
    let run = run("no-shared", &["--no-shared"], &["kill"]);
    assert_eq!(run.output.status.signal(), Some(9));
    assert!(run.report().contains("there is no record"), "{}", run.report());
}

#[test]
fn what_cannot_be_started_ends_with_the_codes_of_env() {
    let code = |program: &str| {
        let output =
            mems().args(["run", "-o"]).arg(directory("start")).arg("--").arg(program).output().expect("runs");
        let text = stderr(&output);
        assert_eq!(text.lines().count(), 1, "{text}");
        output.status.code()
    };
    assert_eq!(code("/nowhere/at-all"), Some(127));
    assert_eq!(code("/etc/passwd"), Some(126));
}

#[test]
fn a_directory_that_cannot_be_written_to_is_said_before_the_program_runs() {
    let file = directory("unwritable").join("file");
    std::fs::write(&file, "x").expect("a file");
    let output = mems()
        .args(["run", "-o"])
        .arg(file.join("below"))
        .args(["--", "echo", "ran"])
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).starts_with("mems run: cannot write records to "), "{}", stderr(&output));
    assert_eq!(stderr(&output).lines().count(), 1);
}

#[test]
fn a_full_disk_does_the_program_no_harm() {
    if !scene::is_there("sh") {
        return;
    }
    // A file size limit of nothing refuses every page of counters and every byte of a record, as a full disk does.
    let records = directory("full");
    let program = compile("scenes", &[]);
    let script = format!("ulimit -f 0; trap '' XFSZ; exec '{}' threads", program.display());
    let output =
        mems().args(["run", "-o"]).arg(&records).args(["--", "sh", "-c", &script]).output().expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = scene::Run { output, records };
    // The shell's own figures are there: it began before the limit.
    assert!(!run.dumps().is_empty(), "{}", run.report());
}
