//! docs/performance.md: the tables with words around them, and the plots (SVG) beside it.

use crate::record::Results;
use std::path::Path;

/// Writes the report.
pub fn write(path: &Path, results: &Results) -> Result<(), String> {
    std::fs::write(path, crate::table::markdown(results)).map_err(|e| e.to_string())
}
