//! Call sites with names: the stacks of one or more records, their addresses resolved, and what each allocated.
//!
//! The same stack in several processes is one entry here, so that a run of a hundred compilers has one list.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::record::{COLUMNS, Record};
use crate::symbols::{Frame, Symbols};

/// A quantity that sites are ordered by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Metric {
    /// Usable bytes live at the end.
    Live,
    /// Usable bytes live when the process was at its peak.
    Peak,
    /// Bytes asked.
    Asked,
    /// Blocks asked.
    Calls,
    /// Blocks freed before the thread allocated anew.
    Temporary,
    /// Usable less asked bytes.
    Rounding,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 6] =
        [Metric::Live, Metric::Peak, Metric::Asked, Metric::Calls, Metric::Temporary, Metric::Rounding];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Live => "live",
            Metric::Peak => "peak",
            Metric::Asked => "asked",
            Metric::Calls => "calls",
            Metric::Temporary => "temporary",
            Metric::Rounding => "rounding",
        }
    }

    /// The metric of this name.
    pub fn of(name: &str) -> Option<Metric> {
        Metric::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// Whether it counts bytes (or else blocks).
    pub fn is_bytes(self) -> bool {
        !matches!(self, Metric::Calls | Metric::Temporary)
    }
}

/// What a stack allocated, by [`COLUMNS`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Figures(pub [i64; COLUMNS.len()]);

impl Figures {
    /// Blocks asked.
    pub fn calls(&self) -> i64 {
        self.0[0]
    }
    /// Bytes asked.
    pub fn asked(&self) -> i64 {
        self.0[1]
    }
    /// Usable bytes given.
    pub fn usable(&self) -> i64 {
        self.0[2]
    }
    /// Blocks live at the end.
    pub fn live_blocks(&self) -> i64 {
        self.0[3]
    }
    /// Usable bytes live at the end.
    pub fn live(&self) -> i64 {
        self.0[4]
    }
    /// Blocks live at the process's peak.
    pub fn peak_blocks(&self) -> i64 {
        self.0[5]
    }
    /// Usable bytes live at the process's peak.
    pub fn peak(&self) -> i64 {
        self.0[6]
    }
    /// Blocks freed before the thread allocated anew.
    pub fn temporary(&self) -> i64 {
        self.0[7]
    }
    /// Smallest size asked.
    pub fn min(&self) -> i64 {
        self.0[8]
    }
    /// Largest size asked.
    pub fn max(&self) -> i64 {
        self.0[9]
    }

    /// One quantity.
    pub fn get(&self, metric: Metric) -> i64 {
        match metric {
            Metric::Live => self.live(),
            Metric::Peak => self.peak(),
            Metric::Asked => self.asked(),
            Metric::Calls => self.calls(),
            Metric::Temporary => self.temporary(),
            Metric::Rounding => self.usable() - self.asked(),
        }
    }

    /// Adds another stack's; the size range is that of both.
    pub fn add(&mut self, other: &Figures) {
        let sizes = |mine: i64, theirs: i64, pick: fn(i64, i64) -> i64| match (self.calls(), other.calls()) {
            (0, _) => theirs,
            (_, 0) => mine,
            _ => pick(mine, theirs),
        };
        let range = [sizes(self.min(), other.min(), i64::min), sizes(self.max(), other.max(), i64::max)];
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine += theirs);
        [self.0[8], self.0[9]] = range;
    }
}

/// A stack and what it allocated.
#[derive(Clone)]
pub struct Stack {
    /// Frames by number, innermost first; none: not known.
    pub frames: Vec<usize>,
    /// Over all processes.
    pub figures: Figures,
}

/// Stacks with names.
pub struct Sites {
    /// All frames.
    pub frames: Vec<Frame>,
    /// All stacks.
    pub stacks: Vec<Stack>,
    /// Of each record, its stacks' numbers and figures.
    pub by_record: Vec<Vec<(usize, Figures)>>,
    /// What was missing for names and lines.
    pub missing: Vec<String>,
    /// Whether figures are estimates from samples.
    pub estimated: bool,
    /// Calls that the tables of sites had no room for.
    pub lost: i64,
}

/// Numbers for frames.
#[derive(Default)]
struct Names {
    frames: Vec<Frame>,
    numbers: HashMap<Frame, usize>,
}

impl Names {
    fn number(&mut self, frame: Frame) -> usize {
        if let Some(number) = self.numbers.get(&frame) {
            return *number;
        }
        self.frames.push(frame.clone());
        self.numbers.insert(frame, self.frames.len() - 1);
        self.frames.len() - 1
    }
}

/// Shows a bar when the work has taken over a second, on a terminal.
struct Progress {
    start: Instant,
    total: u64,
    done: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn step(&mut self) {
        self.done += 1;
        if self.bar.is_none()
            && self.start.elapsed() > Duration::from_secs(1)
            && std::io::stderr().is_terminal()
        {
            let style = ProgressStyle::with_template("  names of functions {bar:40} {percent}%");
            self.bar = style.ok().map(|style| ProgressBar::new(self.total).with_style(style));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }
}

/// Resolves the sites of all records.
pub fn resolve(records: &[Record]) -> Sites {
    let mut symbols = Symbols::default();
    let mut names = Names::default();
    let mut known: HashMap<(String, String, u64), Vec<usize>> = HashMap::new();
    let mut stacks: Vec<Stack> = Vec::new();
    let mut numbers: HashMap<Vec<usize>, usize> = HashMap::new();
    let total = records.iter().map(|record| record.nodes.len() as u64).sum();
    let mut progress = Progress { start: Instant::now(), total, done: 0, bar: None };
    let mut by_record = Vec::new();
    for record in records {
        let used = used_nodes(record);
        let mut of_node: Vec<Vec<usize>> = Vec::with_capacity(record.nodes.len());
        for (number, node) in record.nodes.iter().enumerate() {
            progress.step();
            if !used[number] {
                of_node.push(Vec::new());
                continue;
            }
            let module = node.module.and_then(|module| record.modules.get(module));
            let (path, build_id, bias) = module.map_or(("", "", 0), |m| (&m.path, &m.build_id, m.bias));
            // The line of the call, and not of what comes after it.
            let address = node.address.wrapping_sub(1).wrapping_sub(bias);
            let key = (path.to_string(), build_id.to_string(), address);
            let frames = known.entry(key).or_insert_with(|| {
                let found = match module {
                    Some(_) => symbols.at(path, build_id, address),
                    None => {
                        vec![Frame {
                            function: format!("{:#x}", node.address),
                            module: "?".into(),
                            ..Frame::default()
                        }]
                    }
                };
                found.into_iter().map(|frame| names.number(frame)).collect()
            });
            of_node.push(frames.clone());
        }
        let mut mine: HashMap<usize, Figures> = HashMap::new();
        for site in &record.sites {
            let mut frames = Vec::new();
            let mut at = site.node;
            while at != 0 {
                frames.extend_from_slice(&of_node[at]);
                at = record.nodes[at].parent;
            }
            let next = stacks.len();
            let number = *numbers.entry(frames.clone()).or_insert(next);
            if number == next {
                stacks.push(Stack { frames, figures: Figures::default() });
            }
            let figures = Figures(site.figures);
            stacks[number].figures.add(&figures);
            mine.entry(number).or_default().add(&figures);
        }
        let mut mine: Vec<_> = mine.into_iter().collect();
        mine.sort_by_key(|(number, _)| *number);
        by_record.push(mine);
    }
    if let Some(bar) = progress.bar {
        bar.finish_and_clear();
    }
    let lost =
        |record: &Record| record.profile.as_ref().and_then(|p| p.get("lost_sites")?.as_i64()).unwrap_or(0);
    Sites {
        frames: names.frames,
        stacks,
        by_record,
        missing: symbols.missing(),
        estimated: records.iter().any(Record::is_estimated),
        lost: records.iter().map(lost).sum(),
    }
}

fn used_nodes(record: &Record) -> Vec<bool> {
    let mut used = vec![false; record.nodes.len()];
    for site in &record.sites {
        let mut at = site.node;
        while at != 0 && !used[at] {
            used[at] = true;
            at = record.nodes[at].parent;
        }
    }
    used
}

impl Sites {
    /// The stacks with most of `metric`, largest first; those with none are left out.
    pub fn top(&self, metric: Metric) -> Vec<&Stack> {
        let mut stacks: Vec<&Stack> = self.stacks.iter().filter(|s| s.figures.get(metric) > 0).collect();
        stacks.sort_by_key(|stack| (-stack.figures.get(metric), stack.frames.clone()));
        stacks
    }

    /// A frame in one line: `function  file:line`.
    pub fn line(&self, frame: usize) -> String {
        let frame = &self.frames[frame];
        let inlined = if frame.inlined { " (inlined)" } else { "" };
        let place = match (&frame.file, frame.line) {
            (Some(file), 0) => format!("  {}", crate::figures::tail(file, 60)),
            (Some(file), line) => format!("  {}:{line}", crate::figures::tail(file, 60)),
            (None, _) if frame.named => format!("  {}", frame.module.rsplit('/').next().unwrap_or("")),
            (None, _) => String::new(),
        };
        format!("{}{inlined}{place}", crate::figures::cut(&crate::figures::short(&frame.function), 100))
    }

    /// How many of a stack's innermost frames are inside the C++ or Rust standard library, below what the program called of it;
    /// 0 where the whole stack is.
    pub fn inner(&self, stack: &Stack) -> usize {
        let frames = || stack.frames.iter().map(|frame| &self.frames[*frame]);
        let standard = frames().take_while(|frame| frame.is_standard()).count();
        if standard == stack.frames.len() { 0 } else { standard.saturating_sub(1) }
    }

    /// Whether a stack belongs to what the C and C++ libraries keep for themselves: stdio's buffers, locales, the loader. Known
    /// by the functions that do so; what strdup and its kin give belongs to their caller.
    pub fn is_runtime(&self, stack: &Stack) -> bool {
        const LIBRARIES: [&str; 4] = ["libc.so", "ld-linux", "libstdc++.so", "libc-"];
        const KEEPERS: [&str; 13] = [
            "_IO_file_doallocate",
            "_IO_doallocbuf",
            "_IO_setb",
            "_dl_",
            "_nl_",
            "setlocale",
            "__gconv",
            "tzset",
            "__tzfile",
            "allocate_dtv",
            "__new_exitfn",
            "__cxa_thread_atexit",
            "_GLOBAL__sub_I_eh_alloc",
        ];
        const BEFORE_MAIN: [&str; 3] = ["call_init", "_dl_init", "_dl_start_user"];
        let frames = || stack.frames.iter().map(|frame| &self.frames[*frame]);
        let file = |module: &str| module.rsplit('/').next().unwrap_or("").to_string();
        let inner =
            frames().take_while(|f| LIBRARIES.iter().any(|library| file(&f.module).starts_with(library)));
        let kept = inner.into_iter().any(|f| KEEPERS.iter().any(|keeper| f.function.starts_with(keeper)));
        kept || frames().any(|f| BEFORE_MAIN.contains(&f.function.as_str()))
    }
}
