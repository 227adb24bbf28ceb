//! The symbol by which `mems top` and `mems heap` find this process's counters.

use mems_core::live::Live;

/// Filled in at load; see [`Live`].
#[allow(non_upper_case_globals)]
#[unsafe(no_mangle)]
pub static mems_live: Live = Live::new();

/// Fills it in.
pub fn start() {
    mems_live.fill();
}
