//! A look at a running process: its counters, its call sites, and how fast both grow since the look before.
//!
//! It reads and stops nothing. Rates are differences between two looks; the first look has none.

use std::time::Instant;

use crate::busy::Busy;
use crate::counters::Facts;
use crate::failure::Outcome;
use crate::figures::{share, up_to};
use crate::live::{self, Target};
use crate::proc;

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

    /// The size class that most blocks were asked in, and its share: `<= 64 B 45%`.
    pub fn most_asked(&self) -> String {
        let sizes = &self.facts.counts.sizes;
        let blocks: u64 = sizes.iter().map(|row| row.blocks).sum();
        let most = sizes.iter().max_by_key(|row| row.blocks).filter(|row| row.blocks > 0);
        most.map_or("-".into(), |row| {
            format!("{} {}", up_to(row.le), share(row.blocks as i64, blocks as i64))
        })
    }
}

/// Adds the processes that can be read and are not there yet.
pub fn more(targets: &mut Vec<Target>) {
    for pid in live::all() {
        if targets.iter().all(|target| target.pid != pid) {
            targets.extend(Target::open(pid));
        }
    }
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
