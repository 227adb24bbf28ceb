//! What was measured, raw: every run of every allocator in every row, and what machine it was. Kept as JSON so that tables can
//! be made anew, and checked, without measuring again.

use crate::peers::Peer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// One run of one row under one allocator.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// User CPU time, µs, descendants included.
    pub user: u64,
    /// System CPU time, µs, descendants included.
    pub system: u64,
    /// Elapsed time, µs.
    pub wall: u64,
    /// Largest peak RSS of any one process, KiB.
    pub rss: u64,
    /// Allocations made, where the row counts them (0: it does not).
    #[serde(default)]
    pub ops: u64,
    /// Figures that the row prints of itself.
    pub figures: BTreeMap<String, f64>,
}

impl Run {
    /// CPU time in milliseconds.
    pub fn cpu(&self) -> f64 {
        (self.user + self.system) as f64 / 1e3
    }
}

/// One row's runs by allocator name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Row name.
    pub name: String,
    /// Row group.
    pub group: String,
    /// One line for readers.
    pub what: String,
    /// Runs by allocator; an allocator under which the row failed is in `failed` instead.
    pub runs: BTreeMap<String, Vec<Run>>,
    /// Why an allocator has no figure here.
    pub failed: BTreeMap<String, String>,
}

/// A whole session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// Format of this file.
    pub schema: String,
    /// Day of the session, UTC.
    pub date: String,
    /// Lines about the machine: processor, kernel, memory.
    pub machine: Vec<String>,
    /// Command line that made it.
    pub command: String,
    /// Rounds of patterns and of real programs.
    pub rounds: (usize, usize),
    /// Columns in table order.
    pub peers: Vec<Peer>,
    /// Rows in table order.
    pub rows: Vec<Measured>,
    /// Rows left out, and why.
    pub skipped: Vec<(String, String)>,
}

/// Reads a session; the error names the file.
pub fn read(path: &Path) -> Result<Results, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Writes a session. Library paths are shortened to file names: where a machine keeps them is nobody's business.
pub fn write(path: &Path, results: &Results) -> Result<(), String> {
    let mut results = results.clone();
    for peer in &mut results.peers {
        peer.library = peer.library.as_ref().and_then(|library| library.file_name()).map(Into::into);
    }
    let text = serde_json::to_string_pretty(&results).map_err(|e| e.to_string())?;
    std::fs::write(path, text + "\n").map_err(|e| format!("{}: {e}", path.display()))
}
