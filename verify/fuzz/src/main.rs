//! The fuzz target: an input is a run of calls of the C interface, checked against a model (tests/drive). LIBMEMS names the
//! library, built with coverage counters; DRIVE_MISUSE adds wrong calls, with MEMS_ON_ERROR=ignore.
#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

#[path = "../../../tests/drive/mod.rs"]
mod drive;

/// The library and whether misuse is part of it.
fn target() -> &'static (drive::Api, bool) {
    static TARGET: OnceLock<(drive::Api, bool)> = OnceLock::new();
    TARGET.get_or_init(|| {
        let library = PathBuf::from(std::env::var_os("LIBMEMS").expect("LIBMEMS names the library"));
        (drive::Api::open(&library), std::env::var_os("DRIVE_MISUSE").is_some())
    })
}

fuzz_target!(|bytes: &[u8]| {
    let (api, misuse) = target();
    drive::drive(api, bytes, *misuse);
});
