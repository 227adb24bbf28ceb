//! What the kernel sees of libmems.so: its memory calls are mmap and munmap in whole pages, and a small program stays
//! small.

mod preload;

use std::path::Path;
use std::process::Command;

fn traced(program: &Path, arguments: &[&str], under_mems: bool) -> String {
    let preloaded = format!("LD_PRELOAD={}", preload::library().display());
    let environment = [preloaded.as_str()];
    traced_with(program, arguments, if under_mems { &environment } else { &[] })
}

fn traced_with(program: &Path, arguments: &[&str], environment: &[&str]) -> String {
    let log = preload::scratch(&format!("strace.{:?}", std::thread::current().id()));
    let mut command = preload::plain("strace");
    command.args(["-f", "-qq", "-e", "trace=memory,memfd_create,write", "-e", "signal=none", "-o"]).arg(&log);
    for variable in environment {
        command.arg("-E").arg(variable);
    }
    preload::run(command.arg("--").arg(program).args(arguments));
    std::fs::read_to_string(log).expect("strace left its log")
}

/// Name and arguments of each call of the log; the rest of a call that another thread interrupted is left out.
fn calls(log: &str) -> Vec<(&str, Vec<&str>)> {
    log.lines()
        .filter_map(|line| {
            let call = line.split_once(' ')?.1.trim_start();
            let (name, rest) = call.split_once('(')?;
            Some((name, rest.split([',', ')', ' ']).filter(|part| !part.is_empty()).collect()))
        })
        .collect()
}

/// strace needs ptrace, which a container may refuse.
fn can_trace() -> bool {
    preload::installed("strace")
        && Command::new("strace").args(["-o", "/dev/null", "true"]).output().is_ok_and(|o| o.status.success())
}

#[test]
fn between_start_and_end_only_mmap_and_munmap_in_whole_pages() {
    if !can_trace() {
        return preload::skip("strace", "strace is not installed or not allowed here");
    }
    let program = preload::compile("memory_calls", &[]);
    let log = traced(&program, &[], true);
    let all = calls(&log);
    let marks: Vec<usize> =
        (0..all.len()).filter(|&i| all[i].0 == "write" && all[i].1.first() == Some(&"-1")).collect();
    assert_eq!(marks.len(), 2, "the program marks its start and its end");
    let own = &all[marks[0] + 1..marks[1]];
    assert!(own.iter().filter(|(name, _)| *name == "mmap").count() > 3, "the heap was mapped");
    assert!(own.iter().any(|(name, _)| *name == "munmap"), "memory was given back");
    for (name, arguments) in own {
        assert!(["mmap", "munmap"].contains(name), "{name} {arguments:?}");
        let length: u64 = arguments[1].parse().expect("a length");
        assert!(length > 0 && length.is_multiple_of(4096), "{name} of {length} bytes");
    }
}

#[test]
fn huge_pages_are_asked_for_where_the_user_says_so_and_the_dump_tells() {
    if !can_trace() {
        return preload::skip("strace of huge pages", "strace is not installed or not allowed here");
    }
    let program = preload::compile("memory_calls", &[]);
    let dump = preload::scratch("huge_pages.json");
    let file = format!("MEMS_STATS_FILE={}", dump.display());
    let preloaded = format!("LD_PRELOAD={}", preload::library().display());
    let environment = [&preloaded, &file, "MEMS_STATS_FORMAT=json", "MEMS_HUGEPAGES=1"];
    let log = traced_with(&program, &[], &environment);
    let advice: Vec<_> = calls(&log).into_iter().filter(|(name, _)| *name == "madvise").collect();
    for (_, arguments) in &advice {
        let length: u64 = arguments[1].parse().expect("a length");
        assert!(length >= 2 << 20 && arguments[2] == "MADV_HUGEPAGE", "madvise {arguments:?}");
    }
    let dump = std::fs::read_to_string(dump).expect("the dump");
    let (_, told) = dump.split_once("\"madvise\":").expect("the dump has the field");
    let told: usize = told.split(',').next().and_then(|n| n.parse().ok()).expect("a number");
    // A kernel without huge pages refuses, which is no harm and is not counted.
    let granted = log.lines().filter(|line| line.contains("madvise(") && line.ends_with("= 0")).count();
    assert_eq!(told, granted);
    assert!(!advice.is_empty(), "regions of megabytes were mapped");
}

#[test]
fn with_threads_only_mmap_and_munmap_beside_the_stacks() {
    if !can_trace() {
        return preload::skip("strace with threads", "strace is not installed or not allowed here");
    }
    let program = preload::compile("memory_calls", &[]);
    let log = traced(&program, &["6"], true);
    for (name, arguments) in calls(&log) {
        // The C library opens a thread's stack with mprotect and may clear it with madvise; the stacks of this
        // program are 262144 bytes. The loader uses mprotect before main.
        match name {
            "mmap" | "munmap" | "write" => {}
            "brk" => assert!(arguments[0] == "NULL", "brk {arguments:?}"),
            "mprotect" => assert!(arguments[2] != "PROT_NONE", "mprotect {arguments:?}"),
            "madvise" => {
                let length: u64 = arguments[1].parse().expect("a length");
                assert!(length <= 262_144 && arguments[2] == "MADV_DONTNEED", "madvise {arguments:?}");
            }
            _ => panic!("{name} {arguments:?}"),
        }
    }
}

#[test]
fn real_programs_use_no_memory_call_that_a_plain_run_does_not() {
    if !can_trace() {
        return preload::skip("strace of real programs", "strace is not installed or not allowed here");
    }
    let file = preload::root().join("tests/guest.rs");
    let file = file.to_str().expect("a path of UTF-8");
    let programs: [(&str, &[&str]); 4] = [
        ("/usr/bin/sort", &["-r", file]),
        ("/usr/bin/perl", &["-e", "$h{$_} = $_ x 9 for 1 .. 20000"]),
        ("/usr/bin/sqlite3", &[":memory:", "create table t(a); insert into t values (randomblob(5000000));"]),
        ("/usr/bin/gawk", &["BEGIN { for (i = 0; i < 50000; i++) a[i] = i i }"]),
    ];
    for (program, arguments) in programs {
        if !preload::installed(program) {
            println!("{program} is not installed");
            continue;
        }
        let (plain, mems) =
            (traced(Path::new(program), arguments, false), traced(Path::new(program), arguments, true));
        for name in ["brk", "mremap", "madvise", "memfd_create", "remap_file_pages", "mlock", "mprotect"] {
            let count = |log: &str| calls(log).iter().filter(|(call, _)| *call == name).count();
            // The loader protects the relocated part of each library: of libmems.so and those only it needs.
            let more = if name == "mprotect" { 3 } else { 0 };
            assert!(
                count(&mems) <= count(&plain) + more,
                "{program}: {} × {name}, plain {}",
                count(&mems),
                count(&plain)
            );
        }
    }
}

#[test]
fn a_trivial_program_grows_by_a_mebibyte_of_address_space_at_most() {
    let program = preload::compile("vm_size", &[]);
    let size = |command: &mut Command| -> i64 {
        String::from_utf8_lossy(&preload::run(command).stdout).trim().parse().expect("VmSize in KiB")
    };
    let plain = size(&mut preload::plain(&program));
    let dump = preload::scratch("vm_size.json");
    let mems = size(&mut preload::preloaded(&program, &dump));
    assert!(dump.exists(), "MeMS was in");
    assert!(mems - plain <= 1024, "VmSize {mems} KiB, plain {plain} KiB: {} more", mems - plain);
}

#[test]
fn real_programs_run_where_every_munmap_is_refused() {
    if !can_trace() {
        return preload::skip("refused munmap", "strace is not installed or not allowed here");
    }
    let file = preload::root().join("tests/guest.rs");
    let file = file.to_str().expect("a path of UTF-8");
    let programs: [(&str, &[&str]); 3] = [
        ("/usr/bin/sort", &["-r", file]),
        ("/usr/bin/perl", &["-e", "for (1 .. 20) { my @a = map { $_ x 50 } 1 .. 3000 } print 'done'"]),
        (
            "/usr/bin/sqlite3",
            &[":memory:", "create table t(a); insert into t values (randomblob(5000000)); select 7;"],
        ),
    ];
    for (program, arguments) in programs {
        if !preload::installed(program) {
            println!("{program} is not installed");
            continue;
        }
        let plain = preload::run(preload::plain(program).args(arguments));
        let dump = preload::scratch("refused.json");
        let mut command = preload::plain("strace");
        command.args([
            "-f",
            "-qq",
            "-e",
            "trace=munmap",
            "-e",
            "inject=munmap:error=ENOMEM",
            "-o",
            "/dev/null",
        ]);
        for (name, value) in [
            ("LD_PRELOAD", preload::library()),
            ("MEMS_STATS_FORMAT", Path::new("json")),
            ("MEMS_STATS_FILE", dump.as_path()),
        ] {
            command.arg("-E").arg(format!("{name}={}", value.display()));
        }
        let mems = preload::run(command.arg("--").arg(program).args(arguments));
        assert_eq!(plain.stdout, mems.stdout, "{program}");
        assert!(dump.exists(), "{program} left its dump");
    }
}
