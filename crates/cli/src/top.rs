//! `mems top`: running processes under MeMS, full screen in a terminal, a line a look otherwise.
//!
//! Rates are differences between two looks. The first look has none. What the screen shows is `screen`'s.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::busy::{Busy, Order};
use crate::callers::Names;
use crate::counters::Facts;
use crate::failure::{Failure, Outcome, reason};
use crate::figures::{bytes, count, cut, share};
use crate::live::{self, Target};
use crate::proc;
use crate::screen;

/// What the command line asked for.
pub struct Options {
    /// The process; all if not said.
    pub pid: Option<u32>,
    /// Seconds between two looks.
    pub interval: f64,
    /// How many looks.
    pub count: Option<u64>,
    /// Lines, also in a terminal.
    pub lines: bool,
    /// Call sites below each line.
    pub sites: usize,
    /// What call sites are ordered by.
    pub order: Order,
}

/// A look at one process.
pub struct Look {
    /// Its number.
    pub pid: u32,
    /// Its command.
    pub command: String,
    at: Instant,
    /// What was seen.
    pub facts: Facts,
    /// Blocks asked and freed, bytes asked, each a second; none at the first look.
    pub rates: Option<[f64; 3]>,
    /// Its call sites.
    pub sites: Busy,
}

impl Look {
    fn sums(&self) -> [u64; 3] {
        let counts = &self.facts.counts;
        [counts.blocks_asked, counts.blocks_freed, counts.asked.iter().sum()]
    }

    fn take(target: &Target, before: Option<&Look>) -> Outcome<Look> {
        let facts = target.facts()?;
        let at = Instant::now();
        let seconds = before.map(|before| (at - before.at).as_secs_f64().max(1e-9));
        let sites = Busy::look(target, before.map(|look| &look.sites), seconds);
        let mut look = Look { pid: target.pid, command: facts.command(), at, facts, rates: None, sites };
        if let (Some(before), Some(seconds)) = (before, seconds) {
            let (now, then) = (look.sums(), before.sums());
            look.rates = Some(std::array::from_fn(|i| now[i].saturating_sub(then[i]) as f64 / seconds));
        }
        Ok(look)
    }
}

/// Looks until it is told to end, the process has ended, or the count is reached.
pub fn top(options: &Options) -> Outcome<()> {
    let targets = match options.pid {
        Some(pid) => vec![Target::open(pid)?],
        None => others(&mut Vec::new()),
    };
    if targets.is_empty() {
        return Err(Failure::refused("no process under MeMS can be read; start one with `mems run -- ...`"));
    }
    if io::stdout().is_terminal() && !options.lines {
        // Checked before the screen is taken.
        let terminal =
            ratatui::try_init().map_err(|e| Failure::refused(format!("the terminal: {}", reason(&e))))?;
        let result = screen::show(terminal, targets, options);
        ratatui::restore();
        return result;
    }
    lines(targets, options)
}

/// Adds processes that can be read and are not there yet.
pub fn others(targets: &mut Vec<Target>) -> Vec<Target> {
    let known: Vec<u32> = targets.iter().map(|target| target.pid).collect();
    let new =
        live::all().into_iter().filter(|pid| !known.contains(pid)).filter_map(|pid| Target::open(pid).ok());
    let new: Vec<Target> = new.collect();
    let mut all = std::mem::take(targets);
    all.extend(new);
    all
}

/// A look at each; those that have ended are let go.
pub fn look(targets: &mut Vec<Target>, before: &[Look]) -> Vec<Look> {
    let mut looks = Vec::new();
    targets.retain(|target| {
        let before = before.iter().find(|look| look.pid == target.pid);
        // A file of counters is still there when its process is not.
        let alive = proc::is_running(target.pid);
        match alive.then(|| Look::take(target, before)) {
            Some(Ok(look)) => looks.push(look),
            _ => return false,
        }
        true
    });
    looks
}

/// The size class that most blocks were asked in, and its share: `<= 64 B 45%`.
pub fn most_asked(look: &Look) -> String {
    let sizes = &look.facts.counts.sizes;
    let blocks: u64 = sizes.iter().map(|row| row.blocks).sum();
    let most = sizes.iter().max_by_key(|row| row.blocks).filter(|row| row.blocks > 0);
    most.map_or("-".into(), |row| {
        let limit = if row.le > 1 << 62 { "larger".into() } else { format!("<= {}", round(row.le)) };
        format!("{limit} {}", share(row.blocks as i64, blocks as i64))
    })
}

/// Bytes without a decimal that is 0.
pub fn round(n: u64) -> String {
    bytes(n as i64).replace(".0 ", " ")
}

const HEADING: &str = "     pid        live        peak      mapped        blocks    asked/s    freed/s   bytes/s  mostly          command";

/// A look in one line, and the sites that are asked for below it.
fn line(look: &Look, options: &Options, names: &mut Names) -> String {
    let counts = &look.facts.counts;
    let rate = |i: usize| look.rates.map_or("-".to_string(), |rates| count(rates[i] as i64));
    let mut text = format!(
        "{:>8}  {:>10}  {:>10}  {:>10}  {:>12}  {:>9}  {:>9}  {:>8}  {:<14}  {}\n",
        look.pid,
        bytes(counts.live_usable as i64),
        bytes(counts.peak.live_usable as i64),
        bytes(counts.engine.mapped as i64),
        count(counts.blocks_live as i64),
        rate(0),
        rate(1),
        look.rates.map_or("-".into(), |rates| round(rates[2] as u64)),
        most_asked(look),
        cut(&look.command, 40)
    );
    if options.sites > 0 {
        look.sites.lines(options.order, options.sites, names).iter().for_each(|site| {
            text += &format!("          {site}\n");
        });
    }
    text
}

fn lines(mut targets: Vec<Target>, options: &Options) -> Outcome<()> {
    let mut before: Vec<Look> = Vec::new();
    let mut names: HashMap<u32, Names> = HashMap::new();
    let mut looks = 0;
    let mut out = io::stdout();
    loop {
        let now = look(&mut targets, &before);
        if now.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        if looks % 20 == 0 && (looks == 0 || io::stdout().is_terminal()) {
            text += &format!("{HEADING}\n");
        }
        for look in &now {
            let names = names.entry(look.pid).or_default();
            if let Some(target) = targets.iter().find(|target| target.pid == look.pid)
                && options.sites > 0
            {
                look.sites.name(options.order, options.sites, target, names);
            }
            text += &line(look, options, names);
        }
        // A reader who has had enough ends it.
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            return Ok(());
        }
        before = now;
        looks += 1;
        if options.count.is_some_and(|most| looks >= most) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs_f64(options.interval));
        if options.pid.is_none() {
            targets = others(&mut targets);
        }
    }
}
