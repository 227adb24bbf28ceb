//! Takes the lock-free parts of crates/core as they stand and puts loom's atomics and checked cells in place of the
//! real ones. Fails when a part is no longer there: then the model has to follow.

use std::path::Path;
use std::{env, fs};

fn read(name: &str) -> String {
    let path = Path::new("../crates/core/src").join(name);
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The function that starts with `start`, up to its closing brace.
fn function(source: &str, start: &str) -> String {
    let from = source.find(start).unwrap_or_else(|| panic!("there is no `{start}`"));
    let length = source[from..].find("\n}\n").expect("a function ends") + 3;
    source[from..from + length].to_string()
}

fn replace(source: &str, from: &str, to: &str) -> String {
    assert!(source.contains(from), "there is no `{from}`");
    source.replace(from, to)
}

fn main() {
    let mut packet = read("packet.rs");
    for (from, to) in [
        ("//!", "//"),
        ("use core::cell::Cell;", "use crate::cell::Cell;"),
        ("use core::sync::atomic::", "use loom::sync::atomic::"),
        // Three places make the same states as 62, and loom can go through all of them.
        ("pub const ROOM: usize = 62;", "pub const ROOM: usize = 3;"),
        ("const _: () = assert!(size_of::<Packet>() == 512);", ""),
        ("blocks: [const { Cell::new(0) }; ROOM],", "blocks: core::array::from_fn(|_| Cell::new(0)),"),
        ("pub const fn new() -> Self", "pub fn new() -> Self"),
    ] {
        packet = replace(&packet, from, to);
    }
    let remote = read("remote.rs");
    let registry = read("registry.rs");
    let hand_over = [
        function(&remote, "pub fn visit("),
        function(&remote, "fn deliver("),
        function(&registry, "fn take_over("),
    ]
    .join("\n");
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("packet.rs"), packet).expect("the directory is there");
    fs::write(Path::new(&out).join("hand_over.rs"), hand_over).expect("the directory is there");
}
