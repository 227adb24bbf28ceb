//! What `src/layout.ld` is for: what every process runs and writes lies together in libmems.so, and little of it is mapped
//! apart. Looks at the file that the build left, wherever the linker took the layout.

#![cfg(target_arch = "x86_64")]

mod preload;

use std::collections::BTreeMap;

/// What every process runs, from the way in over a first malloc to the dump.
const EVERY: [&str; 16] = [
    "mems::start::start",
    "mems::exit::exited",
    "mems::dump::write",
    "mems::file::File::write",
    "mems_core::mode::choose",
    "mems_core::snapshot::take",
    "mems_core::report::summary::write",
    "malloc",
    "free",
    "mems_core::posix::malloc_cold",
    "mems_core::posix::malloc_with_caller",
    "mems_core::posix::malloc_slow",
    "mems_core::registry::enter_elsewhere",
    "mems_core::heap::Heap::refill",
    "mems_core::pagemap::cover",
    "mems_core::engine::Engine::map",
];

/// Bytes from the file's start within which what every process runs ends: tables, constants, code.
const FRONT: u64 = 112 << 10;

/// What few processes run in which no thread frees another's blocks; some of it is marked cold.
const THREADS: [&str; 7] = [
    "mems_core::posix::behind::put",
    "mems_core::registry::thread_ends",
    "mems_core::remote::make_room",
    "mems_core::remote::collect",
    "mems_core::remote::post",
    "calloc",
    "realloc",
];

/// Written at every start, or by the first malloc.
const WRITTEN: [&str; 7] = [
    "mems::process::PID",
    "mems::stderr::INODE",
    "mems_live",
    "mems_core::mode::MODE",
    "mems_core::fork::WATCHED",
    "mems_core::registry::NEWEST",
    "mems_core::pagemap::APART",
];

/// Large, and not to lie among those.
const LARGE: [&str; 5] = [
    "mems_core::profile::timeline::TIMELINE",
    "mems::dump::DESK",
    "mems_core::account::ACCOUNT",
    "mems_core::pagemap::FIRST",
    "mems_core::heap::EMPTY",
];

/// Start and size in bytes by name.
fn symbols() -> BTreeMap<String, (u64, u64)> {
    let mut nm = std::process::Command::new("nm");
    let out = preload::run(nm.args(["-S", "-C", "--defined-only"]).arg(preload::library()));
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter_map(|line| {
            let mut words = line.splitn(4, ' ');
            let start = u64::from_str_radix(words.next()?, 16).ok()?;
            let size = u64::from_str_radix(words.next()?, 16).ok()?;
            Some((words.nth(1)?.to_string(), (start, size)))
        })
        .collect()
}

/// Start and size in bytes of a section of the file.
fn section(name: &str) -> Option<(u64, u64)> {
    let mut readelf = std::process::Command::new("readelf");
    let out = preload::run(readelf.args(["-S", "-W"]).arg(preload::library()));
    String::from_utf8_lossy(&out.stdout).lines().find_map(|line| {
        let words: Vec<&str> = line.split(']').nth(1)?.split_whitespace().collect();
        let number = |text: &&str| u64::from_str_radix(text, 16).ok();
        (words.first() == Some(&name)).then(|| Some((number(words.get(2)?)?, number(words.get(4)?)?)))?
    })
}

#[test]
fn what_every_process_runs_lies_together_in_front() {
    let Some((start, size)) = section(".text.mems") else {
        return preload::skip("layout", "this linker did not take src/layout.ld");
    };
    assert!(size <= 96 << 10, ".text.mems has grown to {size} bytes: what of it does every process run?");
    let symbols = symbols();
    for name in EVERY {
        let (at, len) = symbols.get(name).unwrap_or_else(|| panic!("{name} is gone: what stands in for it?"));
        assert!((start..start + size).contains(at), "{name} lies outside of .text.mems");
        assert!(at + len <= FRONT, "{name} ends at {}: what lies in front that few processes run?", at + len);
    }
}

#[test]
fn what_programs_with_threads_run_lies_right_behind() {
    let Some((start, size)) = section(".text.more") else {
        return preload::skip("layout", "this linker did not take src/layout.ld");
    };
    let (first, first_size) = section(".text.mems").expect("both are there or none");
    assert!(start - (first + first_size) < 64, "something lies between .text.mems and .text.more");
    let symbols = symbols();
    for name in THREADS {
        let (at, _) = symbols.get(name).unwrap_or_else(|| panic!("{name} is gone: what stands in for it?"));
        assert!((first..start + size).contains(at), "{name} lies elsewhere");
    }
}

#[test]
fn what_every_process_writes_shares_a_page() {
    if section(".bss.mems").is_none() {
        return preload::skip("layout", "this linker did not take src/layout.ld");
    }
    let symbols = symbols();
    let at = |name: &&str| symbols.get(*name).unwrap_or_else(|| panic!("{name} is gone")).0;
    let (first, last) = (WRITTEN.iter().map(at).min().unwrap(), WRITTEN.iter().map(at).max().unwrap());
    assert!(last - first < 4096, "the statics that every process writes lie {} bytes apart", last - first);
    for name in LARGE {
        assert!(!(first..last).contains(&at(&name)), "{name} lies among the small statics");
    }
}

#[test]
fn two_mappings_are_the_whole_of_it() {
    if section(".text.mems").is_none() {
        return preload::skip("layout", "this linker did not take src/layout.ld");
    }
    let mut readelf = std::process::Command::new("readelf");
    let out = preload::run(readelf.args(["-l", "-W"]).arg(preload::library()));
    let text = String::from_utf8_lossy(&out.stdout);
    assert_eq!(text.lines().filter(|line| line.trim_start().starts_with("LOAD")).count(), 2, "{text}");
}
