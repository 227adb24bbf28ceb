//! The busiest call sites of a running process, look after look: their order, their rates, and a line for each.
//!
//! Rates are differences between two looks; the first look has none. Owns no more than the last look's rows.

use crate::callers::{self, Names, Site};
use crate::failure::reason;
use crate::figures::{bytes, count, share};
use crate::live::Target;
use mems_core::profile::Mode;

/// What sites are ordered by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Usable bytes that are live.
    Live,
    /// Bytes asked a second.
    Asked,
    /// Blocks asked a second.
    Calls,
    /// Blocks freed before the thread asked for another, since the start.
    Temporary,
}

impl Order {
    /// All of them.
    pub const ALL: [Order; 4] = [Order::Live, Order::Asked, Order::Calls, Order::Temporary];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Order::Live => "live",
            Order::Asked => "asked",
            Order::Calls => "calls",
            Order::Temporary => "temporary",
        }
    }

    /// The order of this name.
    pub fn of(name: &str) -> Option<Order> {
        Order::ALL.into_iter().find(|order| order.name() == name)
    }

    /// The one after it.
    pub fn next(self) -> Order {
        let at = Order::ALL.iter().position(|order| *order == self).unwrap_or(0);
        Order::ALL[(at + 1) % Order::ALL.len()]
    }
}

/// A site at a look.
#[derive(Clone, Copy)]
pub struct Row {
    /// What it has done since the process's start.
    pub site: Site,
    /// Blocks and bytes asked a second; none at the first look.
    pub rates: Option<[f64; 2]>,
}

impl Row {
    /// What it is ordered by; since the start where there are no rates yet.
    fn weight(&self, order: Order) -> f64 {
        match (order, self.rates) {
            (Order::Live, _) => self.site.live as f64,
            (Order::Temporary, _) => self.site.temporary as f64,
            (Order::Calls, Some([calls, _])) => calls,
            (Order::Asked, Some([_, asked])) => asked,
            (Order::Calls, None) => self.site.calls as f64,
            (Order::Asked, None) => self.site.asked as f64,
        }
    }
}

/// The call sites of a process at a look.
pub enum Busy {
    /// It does not record any.
    Off,
    /// They cannot be read; why.
    Unread(String),
    /// Its sites.
    Sites {
        /// Whether figures are estimates.
        estimated: bool,
        /// All of them.
        rows: Vec<Row>,
    },
}

impl Busy {
    /// Looks at a process. `seconds`: since `before`.
    pub fn look(target: &Target, before: Option<&Busy>, seconds: Option<f64>) -> Busy {
        let memory = match target.memory() {
            Ok(memory) => memory,
            Err(failure) => return Busy::Unread(failure.text),
        };
        let sites = match callers::of(memory) {
            Ok(sites) if sites.mode == Mode::Off => return Busy::Off,
            Ok(sites) => sites,
            Err(error) => return Busy::Unread(reason(&error)),
        };
        let known = match before {
            Some(Busy::Sites { rows, .. }) => rows.as_slice(),
            _ => &[],
        };
        let rates = |site: &Site| {
            let seconds = seconds.filter(|_| matches!(before, Some(Busy::Sites { .. })))?;
            // Both looks have their sites in order of number.
            let old = known.binary_search_by_key(&site.number, |row| row.site.number).ok();
            let (calls, asked) = old.map_or((0, 0), |at| (known[at].site.calls, known[at].site.asked));
            let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
            Some([rate(site.calls, calls), rate(site.asked, asked)])
        };
        let rows = sites.all.iter().map(|site| Row { site: *site, rates: rates(site) }).collect();
        Busy::Sites { estimated: sites.mode == Mode::Sample, rows }
    }

    /// The first `most` sites in this order.
    pub fn first(&self, order: Order, most: usize) -> Vec<Row> {
        let Busy::Sites { rows, .. } = self else { return Vec::new() };
        let mut rows: Vec<Row> = rows.iter().filter(|row| row.weight(order) > 0.0).copied().collect();
        rows.sort_by(|a, b| {
            b.weight(order).total_cmp(&a.weight(order)).then(a.site.number.cmp(&b.site.number))
        });
        rows.truncate(most);
        rows
    }

    /// Looks up the names of those sites, once for each.
    pub fn name(&self, order: Order, most: usize, target: &Target, names: &mut Names) {
        if let Ok(memory) = target.memory() {
            self.first(order, most).iter().for_each(|row| names.look_up(target.pid, memory, row.site.number));
        }
    }

    /// What a site has of all sites' weight in this order.
    pub fn share(&self, row: &Row, order: Order) -> String {
        let Busy::Sites { rows, .. } = self else { return String::new() };
        let sum: f64 = rows.iter().map(|row| row.weight(order).max(0.0)).sum();
        share(row.weight(order) as i64, sum as i64)
    }

    /// A mark for estimates.
    pub fn mark(&self) -> &'static str {
        if matches!(self, Busy::Sites { estimated: true, .. }) { "~" } else { "" }
    }

    /// What stands in the place of sites where there are none.
    pub fn excuse(&self) -> Option<String> {
        match self {
            Busy::Off => Some(
                "no call sites: it was started without a profile (mems run --profile sites, or MEMS_PROFILE)"
                    .into(),
            ),
            Busy::Unread(why) => Some(format!("call sites cannot be read: {why}")),
            Busy::Sites { rows, .. } if rows.is_empty() => Some("no call site yet".into()),
            Busy::Sites { .. } => None,
        }
    }

    /// A line for each of the first `most` sites, or one that says why there is none.
    pub fn lines(&self, order: Order, most: usize, names: &Names) -> Vec<String> {
        if let Some(excuse) = self.excuse() {
            return vec![excuse];
        }
        let mark = self.mark();
        let line = |row: &Row| {
            let site = &row.site;
            let rate = |i: usize, show: fn(i64) -> String| {
                row.rates.map_or("-".to_string(), |rates| show(rates[i] as i64))
            };
            format!(
                "{:>4}  live {:>11} in {:>9}  {:>9}/s  {:>10}/s  {}",
                self.share(row, order),
                format!("{mark}{}", bytes(site.live)),
                count(site.live_blocks),
                rate(0, count),
                rate(1, bytes),
                names.line(site.number)
            )
        };
        self.first(order, most).iter().map(line).collect()
    }
}
