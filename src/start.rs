//! What happens when the library is loaded, once, before main: it learns where it is and what it is asked to do.
//!
//! Other libraries' constructors have run by then and may have allocated for long: nothing in the heap waits for this.
//! A plain start costs a handful of system calls and no allocation.

use core::arch::global_asm;
use core::ffi::{c_char, c_int};

use mems_core::{engine, guard, misuse, profile, say, vspace};

use crate::options::{Format, Options, Stats};
use crate::{counters, dump, exit, live, log, options, process, record, stats_file, stderr};

/// The dynamic linker calls what stands here with the program's arguments and environment.
#[used]
#[unsafe(link_section = ".init_array")]
static START: unsafe extern "C" fn(c_int, *const *const c_char, *const *const c_char) = start;

// The library's name for itself among those that register handlers with the C library. The C compiler's start files would
// bring it, beside code that runs at every start and end and has nothing to do here; the library is linked without them.
global_asm!(
    ".pushsection .data.rel.ro.mems_dso_handle,\"aw\"",
    ".globl __dso_handle",
    ".hidden __dso_handle",
    ".p2align 3",
    "__dso_handle:",
    ".8byte __dso_handle",
    ".popsection",
);

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
    if options.huge_pages {
        start_huge_pages();
    }
    if options.format == Format::Json || options.stats == Stats::Full {
        stderr::expect_long();
    }
    let named = options.format == Format::Text && options.record.is_empty() && options.shared.is_empty();
    if !named || !process::has_name() {
        process::find_executable();
    }
    counters::open();
    live::start();
    stats_file::open();
    record::open();
    exit::register();
    // The malloc heap's own handlers come first: so they lock after these, and a child has counters of its own before
    // these look at them.
    mems_core::fork::watch();
    mems_core::fork::handle(prepare_fork, fork_done, forked);
    log::start();
    // Last, so that the library itself is in no record. The arguments lie above all frames of this thread.
    if options.profile != profile::Mode::Off {
        start_profile(options, arguments as usize);
    }
    if options.guard != 0 {
        start_guard(options, arguments as usize);
    }
    ::log::debug!("loaded: statistics to {}", if stats_file::is_wanted() { "a file" } else { "stderr" });
    mems_core::os::set_errno(errno);
}

#[cold]
#[inline(never)]
fn start_huge_pages() {
    if mems_core::mode::is_hardened() {
        return say::line(|text| {
            text.text("MEMS_HUGEPAGES: not with MEMS_HARDEN, no huge pages are asked for")
        });
    }
    engine::hugepages::start();
}

#[cold]
#[inline(never)]
fn start_profile(options: &Options, stack_end: usize) {
    if mems_core::mode::is_hardened() {
        say::line(|text| text.text("MEMS_PROFILE: not with MEMS_HARDEN, call sites are not recorded"));
    } else if !profile::start(options.profile, options.interval, stack_end) {
        say::line(|text| text.text("MEMS_PROFILE: no memory for the tables, call sites are not recorded"));
    }
}

/// Where blocks are to be guarded, and nothing else is on that has every call take another way.
#[cold]
#[inline(never)]
fn start_guard(options: &Options, stack_end: usize) {
    let hardened = mems_core::mode::is_hardened();
    if hardened || options.profile != profile::Mode::Off {
        let other = if hardened { "MEMS_HARDEN" } else { "MEMS_PROFILE" };
        return say::line(|text| {
            text.text("MEMS_GUARD: not with ");
            text.text(other);
            text.text(", no block is guarded");
        });
    }
    if !guard::start(options.guard, stack_end) {
        say::line(|text| text.text("MEMS_GUARD: no memory for the tables, no block is guarded"));
    }
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
