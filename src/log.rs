//! The log: what the library does, for those who ask (`MEMS_LOG`), on the original stderr.
//!
//! env_logger reads the filter and decides what is let through; the line is put together and written here, without its
//! lock, its buffer and its thread-local, so that a forked child or a signal handler cannot hang in it. Speaks only from
//! slow paths: load, fork, the ways out, mapping of regions.

use core::fmt::Write;

use log::{Log, Metadata, Record};
use mems_core::buffer::Buffer;
use mems_core::listen::{self, Call};

use crate::{options, process, stderr};

/// A longer line is cut.
const LINE: usize = 512;
/// How long a line waits for a reader, in milliseconds.
const PATIENCE: i64 = 100;

/// Writes what the filter lets through.
struct Lines {
    filter: env_logger::Logger,
}

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if !self.filter.matches(record) {
            return;
        }
        let mut place = [0; LINE];
        let mut line = Buffer::new(&mut place);
        let pid = process::facts(mems_core::report::ExitKind::Live, 0).pid;
        let _ = write!(line, "[mems {pid} {} {}] {}", record.level(), record.target(), record.args());
        line.shorten(LINE - 1);
        line.text("\n");
        stderr::write(line.as_bytes(), PATIENCE);
    }

    fn flush(&self) {}
}

/// Switches the log on if it was asked for. Called once, at load.
pub fn start() {
    let filter = options::get().log;
    if !filter.is_empty() {
        install(filter);
    }
}

#[cold]
#[inline(never)]
fn install(filter: &str) {
    let filter = env_logger::Builder::new().parse_filters(filter).build();
    let level = filter.filter();
    if log::set_boxed_logger(Box::new(Lines { filter })).is_ok() {
        log::set_max_level(level);
        if level >= log::LevelFilter::Warn {
            listen::set(mapping);
        }
    }
}

/// Speaks of a call to the kernel: of each at trace, of those that are refused at warn.
fn mapping(call: Call, granted: bool, at: usize, len: usize) {
    match (call, granted) {
        (Call::Map, true) => log::trace!(target: "mems::os", "mapped {len} bytes at {at:#x}"),
        (Call::Unmap, true) => log::trace!(target: "mems::os", "unmapped {len} bytes at {at:#x}"),
        (Call::Purge, true) => log::trace!(target: "mems::os", "gave back {len} bytes at {at:#x}"),
        (Call::Map, false) => log::warn!(target: "mems::os", "the kernel refuses {len} bytes"),
        (Call::Unmap, false) => log::warn!(target: "mems::os", "the kernel keeps {len} bytes at {at:#x}"),
        (Call::Purge, false) => {
            log::warn!(target: "mems::os", "the kernel does not take {len} bytes at {at:#x}")
        }
    }
}
