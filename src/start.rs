//! What happens when the library is loaded, once, before main: it learns where it is and what it is asked to do.
//!
//! Other libraries' constructors have run by then and may have allocated for long: nothing in the heap waits for this.
//! A plain start costs a handful of system calls and no allocation.

use core::ffi::{c_char, c_int};

use mems_core::{misuse, profile, say, vspace};

use crate::options::{Format, Stats};
use crate::{counters, dump, exit, live, log, options, process, record, stats_file, stderr};

/// The dynamic linker calls what stands here with the program's arguments and environment.
#[used]
#[unsafe(link_section = ".init_array")]
static START: unsafe extern "C" fn(c_int, *const *const c_char, *const *const c_char) = start;

unsafe extern "C" fn start(_: c_int, arguments: *const *const c_char, environment: *const *const c_char) {
    let errno = mems_core::os::errno();
    stderr::remember();
    say::set_sink(stderr::say);
    // SAFETY: the dynamic linker passes the null-ended array.
    unsafe { process::record(arguments) };
    // SAFETY: as above.
    unsafe { options::load(environment) };
    let options = options::get();
    misuse::set_policy(options.on_error);
    vspace::set_defaults(options.page_size as u64, options.start_va as u64);
    if options.format == Format::Json || options.stats == Stats::Full {
        stderr::expect_long();
    }
    counters::open();
    live::start();
    stats_file::open();
    record::open();
    exit::register();
    // The malloc heap's own handlers come first: so they lock after these, and a child has counters of its own before
    // these look at them.
    mems_core::fork::watch();
    // SAFETY: the handlers are functions of this library, which stays loaded.
    unsafe { libc::pthread_atfork(Some(prepare_fork), Some(fork_done), Some(forked)) };
    log::start();
    // Last, so that the library itself is in no record. The arguments lie above all frames of this thread.
    let hardened = mems_core::mode::is_hardened();
    if hardened && options.profile != profile::Mode::Off {
        say::line(|text| text.text("MEMS_PROFILE: not with MEMS_HARDEN, call sites are not recorded"));
    } else if !profile::start(options.profile, options.interval, arguments as usize) {
        say::line(|text| text.text("MEMS_PROFILE: no memory for the tables, call sites are not recorded"));
    }
    ::log::debug!("loaded: statistics to {}", if stats_file::is_wanted() { "a file" } else { "stderr" });
    mems_core::os::set_errno(errno);
}

extern "C" fn prepare_fork() {
    vspace::fork_prepare();
}

extern "C" fn fork_done() {
    // SAFETY: prepare_fork ran in this thread.
    unsafe { vspace::fork_parent() };
}

extern "C" fn forked() {
    // SAFETY: prepare_fork ran in the thread of which this is the copy.
    unsafe { vspace::fork_child() };
    dump::forked_child();
    ::log::debug!("forked");
}
