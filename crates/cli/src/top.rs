//! `mems top`: running processes under MeMS, full screen in a terminal, a line a look otherwise.
//!
//! Rates are differences between two looks. The first look has none. What the screen shows is `screen`'s.

mod panels;
mod screen;

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::busy::Order;
use crate::callers::Names;
use crate::failure::{Failure, Outcome, reason};
use crate::figures::{bytes, count, cut, round};
use crate::live::Target;
use crate::look::{Look, look, more};

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

/// Looks until it is told to end, the process has ended, or the count is reached.
pub fn top(options: &Options) -> Outcome<()> {
    let targets = match options.pid {
        Some(pid) => vec![Target::open(pid)?],
        None => {
            let mut all = Vec::new();
            more(&mut all);
            all
        }
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
        look.most_asked(),
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
            more(&mut targets);
        }
    }
}
