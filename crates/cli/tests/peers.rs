//! The same figures as other tools have: valgrind's memcheck and DHAT, heaptrack. Skipped where they are not installed.

mod scene;

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};

use scene::{compile, directory, is_there, mems, stderr, stdout};
use serde_json::Value;

/// The `mems/1` line of the one process of a run of this command.
fn dump(name: &str, command: &[&str]) -> Value {
    let records = directory(name);
    let output =
        mems().args(["run", "-q", "-p", "stacks", "-o"]).arg(&records).arg("--").args(command).output();
    assert!(output.expect("runs").status.success());
    let dumps = scene::Run { output: Command::new("true").output().expect("runs"), records }.dumps();
    assert_eq!(dumps.len(), 1);
    dumps[0].clone()
}

/// What valgrind says of this command, its numbers without commas.
fn valgrind(options: &[&str], command: &[&str]) -> String {
    let output = Command::new("valgrind").args(options).args(command).output().expect("valgrind runs");
    assert!(output.status.success(), "{}", stderr(&output));
    stderr(&output).replace(',', "")
}

/// The numbers of the line with this text, in order.
fn numbers(text: &str, line: &str) -> Vec<u64> {
    let line =
        text.lines().find_map(|l| l.split_once(line)).unwrap_or_else(|| panic!("no {line:?} in {text}"));
    line.1.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

fn number(dump: &Value, pointer: &str) -> u64 {
    dump.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {dump}"))
}

fn asked(dump: &Value) -> u64 {
    dump["bytes"]["asked"].as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum()
}

/// Blocks asked and freed, bytes asked, by memcheck.
fn memcheck(command: &[&str]) -> Vec<u64> {
    // The library must not free what it keeps: a program of its own accord does not.
    numbers(&valgrind(&["--run-libc-freeres=no"], command), "total heap usage:")
}

#[test]
fn totals_are_those_of_memcheck() {
    if !is_there("valgrind") {
        return;
    }
    let totals = compile("totals", &[]).display().to_string();
    let sql = "create table t(a, b); with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) \
               insert into t select i, 'row ' || i from n; select sum(a), max(b) from t;";
    let programs: [&[&str]; 3] =
        [&[&totals], &["sqlite3", "-init", "/dev/null", ":memory:", sql], &["sort", "/etc/passwd"]];
    for (index, command) in programs.iter().enumerate() {
        if index > 0 && !is_there(command[0]) {
            continue;
        }
        let dump = dump(&format!("memcheck{index}"), command);
        let ours = [number(&dump, "/blocks/asked"), number(&dump, "/blocks/freed"), asked(&dump)];
        assert_eq!(memcheck(command), ours, "{command:?}: blocks asked, freed, bytes asked");
    }
}

#[test]
fn the_peak_and_what_is_live_are_those_of_dhat() {
    if !is_there("valgrind") {
        return;
    }
    let totals = compile("totals", &[]).display().to_string();
    let out = directory("dhat").join("out");
    let file = format!("--dhat-out-file={}", out.display());
    let said = valgrind(&["--tool=dhat", &file], &[&totals]);
    let dump = dump("dhat-mems", &[&totals]);
    // Sizes are slot sizes, so that bytes asked and usable bytes are the same.
    let ours = [asked(&dump), number(&dump, "/blocks/asked")];
    assert_eq!(numbers(&said, "Total:"), ours);
    let ours = [number(&dump, "/peak/live_usable"), number(&dump, "/peak/live_blocks")];
    assert_eq!(numbers(&said, "At t-gmax:"), ours);
    let ours = [number(&dump, "/bytes/live_usable"), number(&dump, "/blocks/live")];
    assert_eq!(numbers(&said, "At t-end:"), ours);
}

/// Sums of folded stacks from main on, by the names of their functions; the five largest, largest first.
fn five(folded: &str) -> Vec<(u64, String)> {
    let mut sums: HashMap<String, u64> = HashMap::new();
    for line in folded.lines() {
        let Some((stack, n)) = line.rsplit_once(' ') else { continue };
        let clean = |name: &str| {
            // heaptrack has the file behind the name; what has no name is an address with either.
            let name = name.split(" (").next().unwrap_or(name);
            if name.starts_with("0x") || name.contains("+0x") { "?".to_string() } else { name.to_string() }
        };
        let names: Vec<String> = stack.split(';').filter(|name| !name.is_empty()).map(clean).collect();
        let from = names.iter().position(|name| name == "main").unwrap_or(0);
        *sums.entry(names[from..].join(";")).or_default() += n.parse::<u64>().unwrap_or(0);
    }
    let mut sums: Vec<(u64, String)> = sums.into_iter().map(|(stack, n)| (n, stack)).collect();
    sums.sort_by(|a, b| b.cmp(a));
    sums.truncate(5);
    sums
}

fn heaptrack(records: &Path, command: &[&str], cost: &str) -> String {
    let record = records.join("record");
    let run = |output: std::io::Result<Output>| {
        let output = output.expect("runs");
        assert!(output.status.success(), "{}", stderr(&output));
    };
    if !records.join("record.zst").exists() && !records.join("record.gz").exists() {
        run(Command::new("heaptrack")
            .env("PERL_HASH_SEED", "0")
            .arg("-o")
            .arg(&record)
            .args(command)
            .output());
    }
    let file = std::fs::read_dir(records).expect("a directory").flatten().map(|entry| entry.path());
    let file = file.into_iter().find(|path| path.with_extension("") == record).expect("heaptrack's record");
    let folded = records.join("folded");
    let mut print = Command::new("heaptrack_print");
    print.arg("-f").arg(file).arg("-F").arg(&folded).args(["--flamegraph-cost-type", cost]);
    run(print.args(["-p", "0", "-a", "0", "-T", "0"]).output());
    std::fs::read_to_string(folded).expect("folded stacks")
}

#[test]
fn the_top_five_call_sites_of_perl_are_those_of_heaptrack() {
    if !["heaptrack", "heaptrack_print", "perl"].iter().all(|program| is_there(program)) {
        return;
    }
    let work = "my %h; my @rows; for my $i (1 .. 3000) { my $k = 'key' . $i % 701; $h{$k} .= \"$i,\"; \
                push @rows, [$k, $i, $i / 7]; } my $t = join '|', map { join ',', @$_ } @rows; \
                my @again = map { [split /,/] } split /\\|/, $t; print scalar(@again), length $t;";
    let command = ["perl", "-e", work];
    let records = directory("top-five");
    let mut run = mems();
    run.env("PERL_HASH_SEED", "0")
        .args(["run", "-q", "-p", "stacks", "-o"])
        .arg(&records)
        .arg("--")
        .args(command);
    assert!(run.output().expect("runs").status.success());
    let other = directory("top-five-heaptrack");
    let folded = |metric: &str| {
        stdout(&mems().arg("report").arg(&records).args(["--folded", "-m", metric]).output().expect("runs"))
    };
    assert_eq!(five(&folded("calls")), five(&heaptrack(&other, &command, "allocations")));
    // heaptrack has bytes asked, MeMS usable ones.
    let stacks = |list: Vec<(u64, String)>| {
        let mut stacks: Vec<String> = list.into_iter().map(|(_, stack)| stack).collect();
        stacks.sort();
        stacks
    };
    assert_eq!(stacks(five(&folded("live"))), stacks(five(&heaptrack(&other, &command, "leaked"))));
}
