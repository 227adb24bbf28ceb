//! Runs rows: one measured run, the proof that an allocator is in effect, and the order of runs (in turn, forwards and then
//! backwards, so that a machine that grows slower or busier harms all alike).

use crate::Options;
use crate::peers::{Peer, answer};
use crate::record::{self, Measured, Results, Run};
use crate::rows::Row;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Exit code by which a row's script says that its program is not installed.
const NOT_INSTALLED: i32 = 77;

fn tool(options: &Options, name: &str) -> Result<String, String> {
    let path = options.target.join("bench-bin").join(name);
    let path =
        path.canonicalize().map_err(|e| format!("{}: {e} (scripts/bench.sh --build)", path.display()))?;
    Ok(path.to_string_lossy().into_owned())
}

/// Fails unless the peer's library serves malloc in a preloaded process.
pub fn prove(options: &Options, peer: &Peer) -> Result<(), String> {
    let Some(library) = &peer.library else { return Ok(()) };
    let check = tool(options, "peer-check")?;
    let mut command = Command::new(check);
    command.arg(library).env("LD_PRELOAD", library).envs(peer.environment.iter().cloned());
    let out = command.output().map_err(|e| format!("peer-check: {e}"))?;
    let said = String::from_utf8_lossy(&out.stderr);
    if out.status.success() {
        Ok(())
    } else {
        Err(format!("{} is not in effect when preloaded: {}", peer.name, said.trim()))
    }
}

/// Splits a row's standard output into its figures and the rest, which has to be the same under every allocator.
fn told(output: &str) -> (BTreeMap<String, f64>, String) {
    let mut figures = BTreeMap::new();
    let mut rest = String::new();
    for line in output.lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next().map(str::parse::<f64>)) {
            (Some("figure"), Some(name), Some(Ok(value))) => {
                figures.insert(name.to_string(), value);
            }
            _ => {
                rest.push_str(line);
                rest.push('\n');
            }
        }
    }
    (figures, rest)
}

/// Adds up what measure wrote: a row may measure several commands.
fn added(result: &Path) -> Result<Run, String> {
    let text = std::fs::read_to_string(result).map_err(|_| "nothing was measured".to_string())?;
    let mut run = Run::default();
    for line in text.lines() {
        let fields: Vec<u64> = line.split(' ').filter_map(|field| field.parse().ok()).collect();
        let [user, system, wall, rss, status] = fields[..] else {
            return Err(format!("bad result line: {line}"));
        };
        if status != 0 {
            return Err(if status > 128 {
                format!("died by signal {}", status - 128)
            } else {
                format!("exit code {status}")
            });
        }
        run.user += user;
        run.system += system;
        run.wall += wall;
        run.rss = run.rss.max(rss);
    }
    Ok(run)
}

fn once(options: &Options, row: &Row, peer: &Peer) -> Result<(Run, String), String> {
    let result: PathBuf = std::env::temp_dir().join(format!("mems-bench-{}", std::process::id()));
    std::fs::remove_file(&result).ok();
    let measure = tool(options, "measure")?;
    let words =
        row.command.iter().map(|word| if word == "$MEASURE" { &measure } else { word }).collect::<Vec<_>>();
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .envs(peer.environment.iter().cloned())
        .env("MEASURE", &measure)
        .env("BENCH_RESULT", &result);
    if let Some(library) = &peer.library {
        command.env("BENCH_PRELOAD", library);
    }
    let out = command.stdin(Stdio::null()).output().map_err(|e| format!("{}: {e}", words[0]))?;
    let run = added(&result);
    std::fs::remove_file(&result).ok();
    let mut run = run?;
    if !out.status.success() {
        return Err(format!(
            "{}: {}",
            out.status,
            String::from_utf8_lossy(&out.stderr).lines().last().unwrap_or_default()
        ));
    }
    let (figures, rest) = told(&String::from_utf8_lossy(&out.stdout));
    run.figures = figures;
    run.ops = rest.lines().filter_map(|line| line.strip_prefix("ops ")?.parse::<u64>().ok()).sum();
    Ok((run, rest))
}

fn row_runs(options: &Options, row: &Row, peers: &[Peer], rounds: usize) -> Measured {
    let (mut runs, mut failed) = (BTreeMap::<String, Vec<Run>>::new(), BTreeMap::new());
    let mut reference: Option<String> = None;
    for round in 0..rounds {
        let turn: Vec<&Peer> =
            if round % 2 == 0 { peers.iter().collect() } else { peers.iter().rev().collect() };
        for peer in turn {
            if failed.contains_key(&peer.name) {
                continue;
            }
            match once(options, row, peer) {
                Ok((_, rest)) if reference.as_ref().is_some_and(|first| *first != rest) => {
                    failed.insert(peer.name.clone(), "its output differs from glibc's".into());
                }
                Ok((run, rest)) => {
                    reference.get_or_insert(rest);
                    runs.entry(peer.name.clone()).or_default().push(run);
                }
                Err(why) => {
                    failed.insert(peer.name.clone(), why);
                }
            }
        }
    }
    for (name, why) in &failed {
        runs.remove(name);
        eprintln!("{}: {name}: {why}", row.name);
    }
    Measured { name: row.name.clone(), group: row.group.into(), what: row.what.clone(), runs, failed }
}

/// Makes the row's inputs and warms its files; `Err` says why the row is left out.
fn prepared(options: &Options, row: &Row) -> Result<(), String> {
    let Some(prepare) = &row.prepare else { return Ok(()) };
    let inputs = options.target.join("bench-inputs").join(&row.name);
    std::fs::create_dir_all(&inputs).map_err(|e| format!("{}: {e}", inputs.display()))?;
    let out = Command::new(&prepare[0])
        .args(&prepare[1..])
        .env("MEASURE", tool(options, "measure")?)
        .stdin(Stdio::null())
        .output();
    let out = out.map_err(|e| format!("{}: {e}", prepare[1]))?;
    let said = String::from_utf8_lossy(&out.stderr).trim().to_string();
    match out.status.code() {
        Some(0) => Ok(()),
        Some(NOT_INSTALLED) => Err(format!("not installed: {said}")),
        _ => Err(format!("its inputs could not be made: {said}")),
    }
}

fn machine() -> Vec<String> {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpus.lines().find_map(|line| line.strip_prefix("model name\t: ")).unwrap_or("unknown processor");
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB"));
    let total = total.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024 / 1024;
    let huge = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    vec![
        format!("{count} cores of {model}, {total} GiB"),
        format!("Linux {}, transparent huge pages: {}", answer("uname", &["-r"]), huge.trim()),
        answer("cc", &["--version"]),
        answer("rustc", &["--version"]),
    ]
}

/// Runs all rows under all peers. A row that cannot run, or an allocator that fails in it, is noted and the work goes on.
/// The JSON file is written anew after each row, so that a session that is cut short has not been for nothing.
pub fn everything(options: &Options, rows: &[Row], peers: &[Peer]) -> Result<Results, String> {
    let terminal = std::io::stderr().is_terminal();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut results = Results {
        schema: "mems-bench/1".into(),
        date: answer("date", &["-u", "+%Y-%m-%d"]),
        machine: machine(),
        command: format!("scripts/bench.sh {}", arguments.join(" ")).trim().to_string(),
        rounds: options.rounds(),
        peers: peers.to_vec(),
        rows: Vec::new(),
        skipped: Vec::new(),
    };
    for (index, row) in rows.iter().enumerate() {
        if terminal {
            eprint!("\r\x1b[K[{}/{}] {} ", index + 1, rows.len(), row.name);
        }
        match prepared(options, row) {
            Ok(()) => results.rows.push(row_runs(options, row, peers, options.rounds_of(row))),
            Err(why) => {
                eprintln!("{} is left out: {why}", row.name);
                results.skipped.push((row.name.clone(), why));
            }
        }
        if let Some(path) = &options.json {
            record::write(path, &results)?;
        }
    }
    if terminal {
        eprint!("\r\x1b[K");
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_apart_from_output_that_must_not_differ() {
        let (figures, rest) = told("hello\nfigure rss_over_live 1.25\nops 7\n");
        assert_eq!(figures.get("rss_over_live"), Some(&1.25));
        assert_eq!(rest, "hello\nops 7\n");
    }

    #[test]
    fn several_measured_commands_add_up_and_the_largest_rss_stands() {
        let file = std::env::temp_dir().join(format!("mems-bench-added-{}", std::process::id()));
        std::fs::write(&file, "10 1 20 500 0\n5 2 9 900 0\n").unwrap();
        let run = added(&file).unwrap();
        assert_eq!((run.user, run.system, run.wall, run.rss), (15, 3, 29, 900));
        std::fs::write(&file, "10 1 20 500 139\n").unwrap();
        assert_eq!(added(&file).unwrap_err(), "died by signal 11");
        std::fs::remove_file(&file).unwrap();
    }
}
