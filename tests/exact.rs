//! The counts of the dump against independent counts of the same run: an interposer of the tests' own that stands in
//! front of libmems.so, and a program that knows its own totals. Exact means equal, to the last call.

mod preload;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The words of the interposer's file, in its order.
const FUNCTIONS: [&str; 12] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "memalign",
    "aligned_alloc",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "new",
    "free",
    "delete",
];
const MORE: [&str; 4] = ["free_null", "delete_null", "realloc_null", "realloc_zero"];

fn dump(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("the dump {}: {e}", path.display()));
    let mut lines = text.lines();
    let object = serde_json::from_str(lines.next().unwrap_or("")).expect("the dump is JSON");
    assert_eq!(lines.next(), None, "one process leaves one dump");
    object
}

fn number(value: &Value, at: &str) -> u64 {
    value.pointer(at).and_then(Value::as_u64).unwrap_or_else(|| panic!("the dump has no number {at}"))
}

/// Bytes asked by group, as the dump has them, from those by function.
fn groups(asked: impl Fn(&str) -> u64) -> [(&'static str, u64); 5] {
    let aligned = ["memalign", "aligned_alloc", "posix_memalign", "valloc", "pvalloc"];
    [
        ("malloc", asked("malloc")),
        ("calloc", asked("calloc")),
        ("realloc", asked("realloc") + asked("reallocarray")),
        ("aligned", aligned.iter().map(|name| asked(name)).sum()),
        ("new", asked("new")),
    ]
}

/// What must hold in every dump.
fn identities(dump: &Value) {
    let rows = dump.pointer("/sizes").and_then(Value::as_array).expect("the dump has sizes");
    let sum = |key: &str| rows.iter().map(|row| number(row, &format!("/{key}"))).sum::<u64>();
    let asked: u64 =
        groups(|_| 0).iter().map(|(name, _)| number(dump, &format!("/bytes/asked/{name}"))).sum();
    assert_eq!(sum("blocks"), number(dump, "/blocks/asked"), "the histogram holds every block asked");
    assert_eq!(sum("asked"), asked, "the histogram holds every byte asked");
    assert_eq!(
        number(dump, "/blocks/asked") - number(dump, "/blocks/freed"),
        number(dump, "/blocks/live"),
        "asked − freed = live"
    );
}

/// Runs `command` with the interposer in front and compares all that it counted.
fn compare(name: &str, program: &str, arguments: &[&str], variables: &[(&str, &str)]) {
    let interposer = preload::compile("standing_in_front", &["-shared", "-fPIC", "-ldl"]);
    let (counts, dumped) =
        (preload::scratch(&format!("{name}.counts")), preload::scratch(&format!("{name}.json")));
    let mut command = preload::preloaded(program, &dumped);
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .env("COUNT_FILE", &counts)
        .env("LD_PRELOAD", format!("{} {}", interposer.display(), preload::library().display()));
    preload::run(&mut command);
    let counted = std::fs::read(&counts).expect("the interposer left its counts");
    let word = |i: usize| u64::from_ne_bytes(counted[8 * i..8 * i + 8].try_into().expect("eight bytes"));
    let dump = dump(&dumped);
    let mut wrong = Vec::new();
    let mut check = |what: String, dump: u64, counted: u64| {
        if dump != counted {
            wrong.push(format!("{what}: dump {dump}, counted {counted}"));
        }
    };
    for (i, name) in FUNCTIONS.iter().chain(&MORE).enumerate() {
        check(format!("calls of {name}"), number(&dump, &format!("/calls/{name}")), word(i));
    }
    let asked = FUNCTIONS.len() + MORE.len();
    let of = |name: &str| FUNCTIONS.iter().position(|f| *f == name).expect("a known function");
    for (name, bytes) in groups(|name| word(asked + of(name))) {
        check(format!("bytes of {name}"), number(&dump, &format!("/bytes/asked/{name}")), bytes);
    }
    let failed = asked + FUNCTIONS.len();
    for name in &FUNCTIONS[..10] {
        check(
            format!("failed {name}"),
            number(&dump, &format!("/calls/failed/{name}")),
            word(failed + of(name)),
        );
    }
    assert!(word(0) > 0, "the program called malloc");
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    identities(&dump);
}

fn known(threads: &str) {
    let program = preload::compile("known_totals", &[]);
    let plain = preload::run(preload::plain(&program).arg(threads)).stdout;
    let dumped = preload::scratch(&format!("known.{threads}.json"));
    let output = preload::run(preload::preloaded(&program, &dumped).arg(threads)).stdout;
    // Thread timing decides only which thread frees a block: the totals are the same in every run.
    assert_eq!(String::from_utf8_lossy(&plain).lines().count(), 10);
    let dump = dump(&dumped);
    // What the C library asked for around the program (threads' control blocks: calloc, memalign) comes on top,
    // so calls are compared exactly where only the program calls, and as a lower bound elsewhere.
    for line in String::from_utf8_lossy(&output).lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, calls, bytes] = words[..] else { panic!("{line}") };
        let (calls, bytes): (u64, u64) = (calls.parse().expect("a number"), bytes.parse().expect("a number"));
        let dumped = number(&dump, &format!("/calls/{name}"));
        match name {
            "calloc" if threads != "0" => {
                assert!(dumped >= calls, "calls of {name}: {dumped}, known {calls}")
            }
            "free" if threads != "0" => {
                assert!(dumped >= calls, "calls of {name}: {dumped}, known {calls}");
                assert!(number(&dump, "/calls/free_null") >= bytes);
            }
            "free" => {
                assert_eq!(dumped, calls, "calls of free");
                assert_eq!(number(&dump, "/calls/free_null"), bytes, "free(NULL)");
            }
            _ => assert_eq!(dumped, calls, "calls of {name}"),
        }
        if name == "malloc" {
            assert_eq!(number(&dump, "/bytes/asked/malloc"), bytes, "bytes of malloc");
        }
    }
    identities(&dump);
}

#[test]
fn a_program_that_knows_its_totals_finds_them_in_the_dump() {
    known("0");
}

#[test]
fn a_program_with_threads_that_knows_its_totals_finds_them_in_the_dump() {
    known("8");
}

#[test]
fn an_interposer_in_front_counts_the_same_as_the_dump() {
    let program = preload::compile("known_totals", &[]);
    compare("one-thread", program.to_str().expect("a path of UTF-8"), &["0"], &[]);
}

#[test]
fn an_interposer_in_front_counts_the_same_with_threads() {
    let program = preload::compile("known_totals", &[]);
    compare("threads", program.to_str().expect("a path of UTF-8"), &["8"], &[]);
}

#[test]
fn an_interposer_in_front_counts_the_same_under_real_programs() {
    let tests = preload::root().join("tests/exact.rs");
    let file = tests.to_str().expect("a path of UTF-8");
    let python = "import json, threading\n\
                  t = [threading.Thread(target=lambda: json.dumps([[i] * 9 for i in range(9000)])) for _ in range(4)]\n\
                  [x.start() for x in t]; [x.join() for x in t]";
    let sql = "create table t(a, b); with recursive c(n) as (select 1 union all select n + 1 from c where n < 9999) \
               insert into t select n, n * 7919 % 1009 from c; select count(*) from t group by b;";
    let programs: [(&str, &[&str]); 8] = [
        ("sort", &["-r", file]),
        ("grep", &["-E", "a(b|c)*", file]),
        ("ls", &["-l", "/usr/bin"]),
        ("awk", &["{ n[$1]++; s = s $2 } END { print length(s) }", file]),
        ("perl", &["-e", "$h{$_ % 997} .= $_ for 1 .. 50000; print scalar keys %h"]),
        ("bash", &["-c", "declare -A a; for ((i = 0; i < 2000; i++)); do a[$i]=$i$i; done; echo ${#a[@]}"]),
        ("sqlite3", &[":memory:", sql]),
        ("/usr/bin/python3", &["-c", python]),
    ];
    for (program, arguments) in programs {
        if preload::installed(program) {
            let name = Path::new(program).file_name().expect("a name").to_string_lossy().into_owned();
            compare(&name, program, arguments, &[("PYTHONMALLOC", "malloc")]);
        } else {
            println!("{program} is not installed");
        }
    }
}

#[test]
fn an_interposer_in_front_counts_the_same_under_a_cxx_program() {
    let compiled = preload::scratch("cxx");
    let source = preload::root().join("c_tests/cxx_containers.cc");
    if !preload::installed("c++") {
        return preload::skip("exact under C++", "no C++ compiler");
    }
    let mut cxx = Command::new("c++");
    cxx.args(["-std=gnu++17", "-O1", "-pthread", "-I"]).arg(preload::root().join("c_tests"));
    preload::run(cxx.arg(source).arg("-o").arg(&compiled));
    compare("cxx-containers", compiled.to_str().expect("a path of UTF-8"), &[], &[]);
}
