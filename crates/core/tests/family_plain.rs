//! See `family`: the plain mode. A process is plain or hardened for good, so each mode is a test program of its own.

mod family;

#[test]
fn the_family_follows_the_shadow() {
    mems_core::mode::set(false);
    family::follows_the_shadow(12, 6_000);
}
