//! The command line: every command, option and example, from which help, man pages and completions are made.

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, value_parser};

use crate::busy::Order;
use crate::sites::Metric;

/// Exit codes, as every page shows them.
const CODES: &str = "Exit codes:
  0    done
  1    what was asked for cannot be done (a file, a process)
  2    the command line or a record is not right
mems run ends as the program did (its code, or its signal); 125: mems itself failed before the program
began, 126: the program cannot be executed, 127: there is no such program.";

fn page(command: Command, examples: &str) -> Command {
    command.after_help(format!("Examples:\n{examples}\n\n{CODES}"))
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn path(name: &'static str) -> Arg {
    Arg::new(name).value_parser(value_parser!(std::path::PathBuf)).value_hint(clap::ValueHint::AnyPath)
}

fn metric() -> PossibleValuesParser {
    PossibleValuesParser::new(Metric::ALL.map(Metric::name))
}

fn run() -> Command {
    let command = Command::new("run")
        .about("Run a program and its children under MeMS, and report on all of them")
        .long_about(
            "Runs a program with libmems.so preloaded, beside an LD_PRELOAD that is there already. Descriptors, signals and \
             the exit code pass through. Each process leaves a record in a directory, also one that is killed or aborts; at \
             the end one report of the whole tree is printed to stderr.",
        )
        .arg(
            Arg::new("profile")
                .long("profile")
                .short('p')
                .value_name("MODE")
                .value_parser(profile)
                .help("Record call sites: sites (direct callers, exact), stacks (whole stacks, exact), sample[:BYTES], off"),
        )
        .arg(path("out").long("out").short('o').value_name("DIR").help("Where records go [default: mems.out.PID]"))
        .arg(
            Arg::new("stats")
                .long("stats")
                .value_name("FORM")
                .value_parser(["line", "summary", "full"])
                .help("Keep each process's dump too, as DIR/PID.txt"),
        )
        .arg(path("report").long("report").value_name("FILE").help("Write the report to FILE instead of stderr"))
        .arg(flag("quiet", "Print no report").short('q'))
        .arg(flag("no-shared", "Keep no counters in a file: a process that is killed leaves nothing"))
        .arg(
            Arg::new("command")
                .required(true)
                .num_args(1..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_name("COMMAND")
                .value_parser(value_parser!(std::ffi::OsString))
                .value_hint(clap::ValueHint::CommandWithArguments)
                .help("The program and its arguments"),
        );
    page(
        command,
        "  mems run -- make -j4
  mems run --profile sites -- python3 app.py
  mems run --profile sample -o /tmp/records --report /tmp/report.txt -- ./server
The library is found beside this command (../lib, the same directory), or named by MEMS_LIB.",
    )
}

fn profile(value: &str) -> Result<String, String> {
    let bytes = value.strip_prefix("sample:").map(|n| n.trim_end_matches(['k', 'K', 'm', 'M', 'g', 'G']));
    let good = match bytes {
        Some(number) => number.parse::<u64>().is_ok_and(|n| n > 0),
        None => matches!(value, "off" | "sites" | "stacks" | "sample"),
    };
    if good { Ok(value.into()) } else { Err("legal: off, sites, stacks, sample, sample:BYTES".into()) }
}

fn report() -> Command {
    let formats = ["html", "json", "csv", "pprof", "folded", "flamegraph", "prometheus"];
    let command = Command::new("report")
        .about("Show what records say: text, HTML, or other tools' formats")
        .arg(path("from").required(true).value_name("FILE|DIR").help("A record, or a directory of records"))
        .arg(flag("html", "One self-contained page: time line, sizes, flame graph, heap map, processes"))
        .arg(flag("json", "Everything, with names, as one object"))
        .arg(flag("csv", "One row a process and call site"))
        .arg(flag("pprof", "A gzipped pprof profile, for Pyroscope, Parca, go tool pprof"))
        .arg(flag("folded", "Folded stacks, for flame graph tools"))
        .arg(flag("flamegraph", "A flame graph as SVG"))
        .arg(flag("prometheus", "Metrics for Prometheus's textfile collector"))
        .group(clap::ArgGroup::new("format").args(formats))
        .arg(
            path("output")
                .long("output")
                .short('o')
                .value_name("FILE")
                .help("Write to FILE instead of stdout"),
        )
        .arg(
            Arg::new("metric")
                .long("metric")
                .short('m')
                .action(ArgAction::Append)
                .value_parser(metric())
                .help("Only these lists; the quantity of --folded and --flamegraph [default there: live]"),
        )
        .arg(number("top", "10", "Sites in each list").short('n'))
        .arg(number("depth", "8", "Frames of each stack"))
        .arg(
            Arg::new("pid")
                .long("pid")
                .value_parser(value_parser!(u32))
                .help("Only the process with this number"),
        );
    page(
        command,
        "  mems report mems.out.4711
  mems report mems.out.4711 --html -o report.html
  mems report 4712.mems --metric peak --top 5
  mems report mems.out.4711 --pprof -o heap.pb.gz && go tool pprof -top heap.pb.gz
  mems report mems.out.4711 --flamegraph --metric asked -o asked.svg",
    )
}

fn number(name: &'static str, default: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("N")
        .default_value(default)
        .value_parser(value_parser!(usize))
        .help(help)
}

fn diff() -> Command {
    let command = Command::new("diff")
        .about("Compare two runs: what grew, what shrank, by call site")
        .arg(path("before").required(true).value_name("A").help("A record or a directory of records"))
        .arg(path("after").required(true).value_name("B").help("Another one"))
        .arg(
            Arg::new("metric")
                .long("metric")
                .short('m')
                .value_parser(metric())
                .default_value("live")
                .help("What to compare"),
        )
        .arg(number("top", "10", "Sites in each list").short('n'))
        .arg(number("depth", "8", "Frames of each stack"));
    page(command, "  mems diff mems.out.1 mems.out.2\n  mems diff before/ after/ --metric peak --top 20")
}

fn top() -> Command {
    let command = Command::new("top")
        .about("Watch running processes under MeMS")
        .long_about(
            "Watches one process, or all under MeMS that can be read: rates, live, peak, mapped, sizes, and the busiest call \
             sites if the process was started with a profile. Full screen in a terminal (q ends it, m orders the call sites \
             by something else), else a line a second. Reads only: the process is not stopped. Reading call sites, or a \
             process that was not started by mems run, needs the rights of a debugger.",
        )
        .arg(Arg::new("pid").value_parser(value_parser!(u32)).help("The process [default: all that can be read]"))
        .arg(
            Arg::new("interval")
                .long("interval")
                .short('i')
                .value_name("SECONDS")
                .default_value("1")
                .value_parser(interval)
                .help("Seconds between two looks, 0.1 to 3600"),
        )
        .arg(
            Arg::new("count").long("count").short('c').value_name("N").value_parser(value_parser!(u64)).help("End after N looks"),
        )
        .arg(flag("lines", "Lines, also in a terminal"))
        .arg(number("sites", "0", "Call sites below each line (of a process with a profile)").short('s'))
        .arg(
            Arg::new("by")
                .long("by")
                .value_name("ORDER")
                .default_value("live")
                .value_parser(PossibleValuesParser::new(Order::ALL.map(Order::name)))
                .help("What call sites are ordered by; asked and calls: a second"),
        );
    page(
        command,
        "  mems top 4711\n  mems top --lines --interval 10 4711 >> memory.log\n  mems top --lines --sites 5 --by asked 4711\n  mems top",
    )
}

fn interval(value: &str) -> Result<f64, String> {
    let seconds: f64 = value.parse().map_err(|_| "not a number".to_string())?;
    if (0.1..=3600.0).contains(&seconds) { Ok(seconds) } else { Err("0.1 to 3600".into()) }
}

fn heap() -> Command {
    let command = Command::new("heap")
        .about("Draw the main chain: regions with their PROCESS and HOLE segments")
        .arg(Arg::new("from").required(true).value_name("PID|FILE").help("A running process, or a record"))
        .arg(
            Arg::new("width")
                .long("width")
                .value_name("N")
                .value_parser(value_parser!(u16).range(20..=400))
                .help("Columns [default: the terminal's]"),
        )
        .arg(flag("list", "Every segment in the notation of mems_print_stats, instead of a drawing"));
    page(command, "  mems heap 4711\n  mems heap mems.out.4711/4712.mems\n  mems heap --list 4711")
}

/// The whole command.
pub fn command() -> Command {
    let completions = Command::new("completions").about("Print completions for a shell").arg(
        Arg::new("shell")
            .required(true)
            .value_parser(value_parser!(clap_complete::Shell))
            .help("bash, zsh, fish, elvish or powershell"),
    );
    let man = Command::new("man")
        .about("Write the man pages into a directory")
        .arg(path("directory").required(true).value_name("DIR").help("Made if it is not there"));
    let command = Command::new("mems")
        .version(env!("CARGO_PKG_VERSION"))
        .about("See what programs do with memory: run them under MeMS, report, compare, watch")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(100)
        .subcommand(run())
        .subcommand(report())
        .subcommand(diff())
        .subcommand(top())
        .subcommand(heap())
        .subcommand(page(
            completions,
            "  mems completions bash > ~/.local/share/bash-completion/completions/mems",
        ))
        .subcommand(page(man, "  mems man /usr/local/share/man/man1"));
    page(
        command,
        "  mems run --profile sites -- python3 app.py     what does it allocate, and where?
  mems report mems.out.4711                      the same again, in full
  mems report mems.out.4711 --html -o r.html     as a page
  mems top 4711                                  a running process
  mems diff mems.out.1 mems.out.2                what grew?",
    )
}
