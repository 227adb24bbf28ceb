//! The C interface driven at random, from seeds, against the model of `drive`: as MeMS comes, hardened, with call sites
//! recorded, and with misuse that is to be ignored. verify/fuzz drives the same without end.

mod drive;
mod preload;

use std::process::Command;

/// Inputs that a child runs, and their bytes.
const INPUTS: u64 = 60;
const BYTES: usize = 1500;

/// Set in a child: the first seed.
const SEED: &str = "DRIVE_SEED";
const MISUSE: &str = "DRIVE_MISUSE";

/// Bytes of a seed: SplitMix64.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
    (0..BYTES)
        .map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed >> 56) as u8
        })
        .collect()
}

/// The library reads its settings from the environment that the kernel gave the process, so each setting is a process of
/// its own: this one again, with [`the_child_drives`] alone.
fn drives(seed: u64, settings: &[(&str, &str)]) {
    let library = preload::library();
    let mut child = preload::plain(std::env::current_exe().expect("this test has a path"));
    child.args(["--exact", "the_child_drives", "--nocapture", "--test-threads=1"]);
    child.env(SEED, seed.to_string()).env("LIBMEMS", library).env("MEMS_STATS", "off");
    let output = Command::output(child.envs(settings.iter().copied())).expect("the child runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{settings:?}: {}\n{said}", output.status);
}

#[test]
fn the_child_drives() {
    let Some(seed) = std::env::var(SEED).ok().and_then(|seed| seed.parse::<u64>().ok()) else { return };
    let api = drive::Api::open(preload::library());
    for seed in seed..seed + INPUTS {
        let done = std::panic::catch_unwind(|| {
            drive::drive(&api, &bytes(seed), std::env::var_os(MISUSE).is_some());
        });
        assert!(done.is_ok(), "seed {seed}");
    }
}

#[test]
fn every_call_does_what_the_model_says() {
    drives(1, &[]);
}

#[test]
fn so_it_does_hardened() {
    drives(10_000, &[("MEMS_HARDEN", "1")]);
}

#[test]
fn so_it_does_with_sites_recorded() {
    drives(20_000, &[("MEMS_PROFILE", "sites")]);
}

#[test]
fn misuse_that_is_ignored_changes_nothing() {
    drives(30_000, &[("MEMS_ON_ERROR", "ignore"), (MISUSE, "1")]);
    drives(40_000, &[("MEMS_ON_ERROR", "ignore"), (MISUSE, "1"), ("MEMS_HARDEN", "1")]);
}
