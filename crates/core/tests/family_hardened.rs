//! See `family`: hardened mode.

mod family;

#[test]
fn the_hardened_family_follows_the_shadow() {
    mems_core::mode::set(true);
    assert!(mems_core::mode::is_hardened());
    family::follows_the_shadow(12, 6_000);
}
