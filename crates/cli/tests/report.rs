//! `mems report`, `diff`, `heap`: from records of real runs, and from broken ones.

mod scene;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use scene::{compile, directory, is_there, mems, output, stderr, stdout};
use serde_json::Value;

/// The records of a run of the leaking program with whole stacks.
fn leak(name: &str) -> PathBuf {
    let records = directory(name);
    let program = compile("leak", &[]);
    let run = mems()
        .args(["run", "-q", "-p", "stacks", "-o"])
        .arg(&records)
        .arg("--")
        .arg(program)
        .output()
        .expect("runs");
    assert!(run.status.success(), "{}", stderr(&run));
    assert_eq!(stderr(&run), "");
    records
}

fn report(records: &Path, arguments: &[&str]) -> String {
    let output = mems().arg("report").arg(records).args(arguments).output().expect("runs");
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

/// The lines behind a heading, up to the empty one.
fn part<'a>(text: &'a str, heading: &str) -> &'a str {
    let start = text.find(heading).unwrap_or_else(|| panic!("no {heading:?} in {text}"));
    text[start..].split("\n\n").next().unwrap_or("")
}

/// The first stack listed there.
fn first_stack(part: &str) -> Vec<&str> {
    let lines = part.lines().skip_while(|line| !line.trim_start().starts_with("1  ")).skip(1);
    lines.take_while(|line| line.starts_with("         ")).map(str::trim).collect()
}

#[test]
fn the_text_names_the_leak_the_peak_and_the_hot_spot_with_file_and_line() {
    let records = leak("text");
    let text = report(&records, &[]);
    let leaks = part(&text, "live at the end (leaks)");
    assert!(leaks.contains("46.9 KiB"), "1000 nodes of 48 bytes: {leaks}");
    assert!(
        first_stack(leaks)[0].starts_with("leak_node  ") && first_stack(leaks)[0].contains("leak.c:9"),
        "{leaks}"
    );
    assert!(first_stack(part(&text, "live at the peak"))[0].starts_with("make_peak  "), "{text}");
    let calls = first_stack(part(&text, "blocks asked: "));
    assert!(
        calls[0].starts_with("inlined_join (inlined)") && calls[1].starts_with("hot_spot  "),
        "{calls:?}"
    );
    let temporary = part(&text, "temporary blocks");
    assert!(temporary.contains("5,000"), "{temporary}");
    assert!(first_stack(temporary)[1].starts_with("hot_spot"), "{temporary}");
}

#[test]
fn folded_stacks_and_flame_graph_and_csv_hold_the_same_figures() {
    let records = leak("formats");
    let folded = report(&records, &["--folded", "--metric", "live"]);
    let line = folded.lines().find(|line| line.contains(";leak_node ")).expect("the leak");
    assert!(line.ends_with("main;leak_node 48000"), "{line}");
    let svg = report(&records, &["--flamegraph", "--metric", "peak"]);
    assert!(svg.starts_with("<?xml") && svg.trim_end().ends_with("</svg>") && svg.contains("make_peak"));
    let csv = report(&records, &["--csv"]);
    let mut lines = csv.split("\r\n");
    let columns: Vec<&str> = lines.next().expect("a heading").split(',').collect();
    let row: Vec<&str> =
        lines.find(|line| line.contains("\"leak_node\"")).expect("the leak").split(',').collect();
    let cell = |name| row[columns.iter().position(|c| *c == name).expect("a column")];
    assert_eq!(
        (cell("calls"), cell("live_blocks"), cell("live_bytes"), cell("max")),
        ("1000", "1000", "48000", "48")
    );
}

#[test]
fn the_json_holds_everything_with_names() {
    let records = leak("json");
    let all: Value = serde_json::from_str(&report(&records, &["--json"])).expect("JSON");
    assert_eq!(all["schema"], "mems-report/1");
    let process = &all["processes"][0];
    let asked: i64 =
        process["sites"]["rows"].as_array().expect("rows").iter().filter_map(|row| row[1].as_i64()).sum();
    assert_eq!(Some(asked), process["dump"]["blocks"]["asked"].as_i64(), "every block has a site");
    let names: Vec<&str> =
        all["frames"].as_array().expect("frames").iter().filter_map(|f| f["function"].as_str()).collect();
    assert!(names.contains(&"leak_node") && names.contains(&"inlined_join"));
    assert!(!process["timeline"]["rows"].as_array().expect("rows").is_empty());
    assert!(!process["chain"].as_array().expect("regions").is_empty());
}

#[test]
fn prometheus_takes_the_metrics() {
    let records = leak("prometheus");
    let text = report(&records, &["--prometheus"]);
    assert!(text.contains("\nmems_calls_total{pid=\""), "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(name.starts_with("mems_") && name.ends_with('}') && value.parse::<f64>().is_ok(), "{line}");
    }
    if is_there("promtool") {
        let mut tool =
            Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).spawn().expect("runs");
        std::io::Write::write_all(tool.stdin.as_mut().expect("a pipe"), text.as_bytes()).expect("writes");
        assert!(tool.wait().expect("ends").success());
    }
}

#[test]
fn go_tool_pprof_reads_the_profile() {
    let records = leak("pprof");
    let file = directory("pprof-file").join("heap.pb.gz");
    report(&records, &["--pprof", "-o", &file.display().to_string()]);
    let bytes = std::fs::read(&file).expect("the profile");
    assert_eq!(bytes[..2], [0x1f, 0x8b], "gzip");
    if !is_there("go") {
        return;
    }
    let top = |sample: &str| {
        let mut command = Command::new("go");
        command.args(["tool", "pprof", "-top", "-unit=bytes", &format!("-sample_index={sample}")]).arg(&file);
        let output = command.env("HOME", directory("pprof-home")).output().expect("go runs");
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    let line = |text: &str, name: &str| text.lines().find(|line| line.ends_with(name)).map(str::to_string);
    let live = top("inuse_space");
    let leak = line(&live, " leak_node").unwrap_or_else(|| panic!("no leak_node in {live}"));
    assert!(leak.trim_start().starts_with("48000B"), "{leak}");
    assert!(line(&top("peak_space"), " make_peak").is_some_and(|peak| peak.contains("20")));
}

#[test]
fn one_html_file_works_in_a_browser_without_a_network() {
    let records = leak("html");
    let page = directory("html-page").join("report.html");
    report(&records, &["--html", "-o", &page.display().to_string()]);
    let text = std::fs::read_to_string(&page).expect("the page");
    assert!(
        !text.contains("src=\"") && !text.contains("href=\"") && !text.contains("@import"),
        "needs another file"
    );
    let Some(browser) =
        ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_there(name))
    else {
        return;
    };
    // The clicks are in a copy of the page, behind its own script.
    let clicks = "<script>addEventListener('load',()=>{
        document.querySelector('[data-metric=calls]').click();
        const search=document.getElementById('search');search.value='hot_spot';search.dispatchEvent(new Event('input'));
        document.querySelector('#sites tbody tr').click();
        const box=[...document.querySelectorAll('.f')].find(f=>f.textContent.startsWith('main'));box.click();
        const brush=document.getElementById('brush').getBoundingClientRect();
        const at=(type,x)=>document.getElementById('brush').dispatchEvent(new PointerEvent(type,{clientX:brush.left+x,clientY:brush.top+9,pointerId:1}));
        try{at('pointerdown',300);}catch(e){} at('pointermove',500);
        document.getElementById('theme').click();
        document.title='found '+document.getElementById('found').textContent+'; hits '+document.querySelectorAll('.f.hit').length
          +'; stack '+document.querySelectorAll('.stack').length+'; zoomed '+!document.getElementById('out').hidden
          +'; range '+!!S.range+'; theme '+document.documentElement.dataset.theme+'; cells '+(cells.length>0);
      });</script></body>";
    let clicked = page.with_file_name("clicked.html");
    std::fs::write(&clicked, text.replace("</body>", clicks)).expect("the copy");
    let picture = page.with_file_name("report.png");
    let home = directory("html-home");
    let mut command = Command::new(browser);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=4000",
        "--window-size=1280,2200",
    ]);
    command.env("HOME", &home).arg(format!("--user-data-dir={}", home.display()));
    let url = format!("file://{}", clicked.display());
    let dom = command.arg("--dump-dom").arg(&url).output().expect("the browser runs");
    let dom = stdout(&dom);
    let title = dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or("");
    let hits = title.contains("found 8") && !title.contains("hits 0");
    assert!(hits && title.ends_with("stack 1; zoomed true; range true; theme dark; cells true"), "{title:?}");
    let mut command = Command::new(browser);
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--virtual-time-budget=4000",
        "--window-size=1280,2200",
    ]);
    command.env("HOME", &home).arg(format!("--user-data-dir={}", home.display()));
    command.arg(format!("--screenshot={}", picture.display())).arg(&url).output().expect("the browser runs");
    assert!(
        std::fs::metadata(&picture).is_ok_and(|picture| picture.len() > 20_000),
        "no picture, or an empty one"
    );
}

#[test]
fn records_that_are_cut_short_or_damaged_are_said_in_one_line_with_exit_2() {
    let records = leak("damaged");
    let file = std::fs::read_dir(&records).expect("records").flatten().next().expect("one").path();
    let text = std::fs::read_to_string(&file).expect("a record");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert!(lines.len() > 4, "{text}");
    let half = &text[..text.len() / 2];
    let damaged = [
        ("empty", String::new(), "there is no record in this file"),
        ("not-json", "hello\n".into(), ":1: not JSON"),
        ("not-a-record", "{\"schema\":\"other/1\"}\n".into(), "must begin with a mems/1 line"),
        ("no-pid", "{\"schema\":\"mems/1\"}\n".into(), "a mems/1 line without process.pid"),
        ("half", half.into(), "cut short"),
        ("no-end", lines[..lines.len() - 1].concat(), "its mems-end/1 line is missing"),
        ("line-lost", [&lines[..2], &lines[3..]].concat().concat(), ":"),
        ("zeros", format!("{}{}", lines[0], "\0".repeat(100)), ":2: not JSON"),
        ("other-node", text.replace("\"rows\":[[", "\"rows\":[[99999999,"), ":"),
    ];
    for (name, content, said) in damaged {
        let path = directory("damaged-one").join(format!("{name}.mems"));
        std::fs::write(&path, content).expect("written");
        for arguments in [&["report"][..], &["report", "--html"], &["heap"]] {
            let output = mems().args(arguments).arg(&path).output().expect("runs");
            assert_eq!(output.status.code(), Some(2), "{name}: {}", stderr(&output));
            assert_eq!(stderr(&output).lines().count(), 1, "{name}: {}", stderr(&output));
            assert!(stderr(&output).contains(said), "{name}: {}", stderr(&output));
            assert_eq!(stdout(&output), "", "{name}");
        }
    }
    // Of a directory the good ones are shown, and the bad one is named.
    std::fs::write(records.join("1.mems"), "{\"schema\":\"mems/1\",\n").expect("written");
    let output = mems().arg("report").arg(&records).output().expect("runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stdout(&output).contains("leak_node") && stderr(&output).contains("1.mems:1:"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_is_not_there_is_said_in_one_line_with_exit_1() {
    for arguments in [["report", "/nowhere"], ["heap", "/nowhere"], ["top", "4194303"], ["heap", "4194303"]] {
        let output = output(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
}

#[test]
fn diff_shows_what_grew_between_two_runs() {
    let (a, b) = (leak("diff-a"), directory("diff-b"));
    let program = compile("leak", &["-DUNUSED"]);
    for _ in 0..2 {
        let mut command = mems();
        command.args(["run", "-q", "-p", "stacks", "-o"]).arg(&b).arg("--").arg(&program);
        assert!(command.output().expect("runs").status.success());
    }
    let output = mems().arg("diff").args([&a, &b]).args(["--metric", "live"]).output().expect("runs");
    let text = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    let grew = part(&text, "live, grew");
    assert!(
        grew.contains("+46.9 KiB  46.9 KiB -> 93.8 KiB") && first_stack(grew)[0].starts_with("leak_node"),
        "{text}"
    );
    assert!(part(&text, "live, shrank").contains("0 B at 0 sites"), "{text}");
}

#[test]
fn names_come_through_a_debug_link_and_a_stripped_program_says_what_is_missing() {
    if !["objcopy", "strip"].iter().all(|program| is_there(program)) {
        return;
    }
    let own = directory("debug-link");
    let program = own.join("leak");
    std::fs::copy(compile("leak", &[]), &program).expect("a copy");
    let tool = |name: &str, arguments: &[&str]| {
        let status = Command::new(name).current_dir(&own).args(arguments).status();
        assert!(status.expect("runs").success(), "{name} {arguments:?}");
    };
    tool("objcopy", &["--only-keep-debug", "leak", "leak.debug"]);
    tool("strip", &["leak"]);
    let text = |records: &str| {
        let records = own.join(records);
        let mut run = mems();
        run.args(["run", "-q", "-p", "stacks", "-o"]).arg(&records).arg("--").arg(&program);
        assert!(run.output().expect("runs").status.success());
        report(&records, &["-m", "live"])
    };
    let bare = text("bare");
    assert!(bare.contains("leak+0x") && !bare.contains("leak_node"), "{bare}");
    assert!(bare.contains("leak: stripped, no debug symbols found"), "{bare}");
    tool("objcopy", &["--add-gnu-debuglink=leak.debug", "leak"]);
    let named = text("named");
    assert!(named.contains("leak_node") && named.contains("leak.c:9"), "{named}");
    // Another program has come to the same place since the run.
    std::fs::copy(compile("totals", &[]), &program).expect("a copy");
    let stale = report(&own.join("named"), &["-m", "live"]);
    assert!(
        !stale.contains("leak.c:") && stale.contains("the file has changed since the program ran"),
        "{stale}"
    );
}

#[test]
fn heap_draws_the_chain_of_a_record() {
    let records = leak("heap");
    let text = stdout(&mems().args(["heap", "--width", "100"]).arg(&records).output().expect("runs"));
    assert!(text.contains("slots used for") && text.contains("HOLE"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
}

#[test]
fn every_command_has_help_with_examples_and_a_man_page() {
    let pages = directory("man");
    assert!(output(&["man", &pages.display().to_string()]).status.success());
    for name in ["run", "report", "diff", "top", "heap"] {
        let help = stdout(&output(&[name, "--help"]));
        assert!(help.contains("Examples:\n  mems ") && help.contains("Exit codes:"), "{help}");
        let page = std::fs::read_to_string(pages.join(format!("mems-{name}.1"))).expect("the page");
        assert!(page.contains(".TH"), "{page}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&output(&["completions", shell])).contains("flamegraph"), "{shell}");
    }
    assert_eq!(output(&["report"]).status.code(), Some(2));
    assert_eq!(output(&["run", "--profile", "everything", "--", "true"]).status.code(), Some(2));
}
