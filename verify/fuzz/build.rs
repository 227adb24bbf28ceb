//! The library's counters are registered with the fuzzer, which is in this program: its symbols have to be found.

fn main() {
    println!("cargo::rustc-link-arg-bins=-rdynamic");
}
