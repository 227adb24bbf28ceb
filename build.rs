//! Link flags of libmems.so: it stays loaded once it is (a thread's end and the exit call into it), and its
//! symbols are bound at load, so that no call of ours runs through the lazy binder inside malloc.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete,-z,now");
    unwinder();
}

/// std wants an unwinder. Linked in, it spares every process under us the loading of libgcc_s.so.
fn unwinder() {
    println!("cargo:rerun-if-env-changed=CC");
    // The compiler at hand knows only its own machine's.
    if std::env::var("TARGET").ok() != std::env::var("HOST").ok() {
        return;
    }
    let cc = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let Ok(answer) = Command::new(cc).arg("-print-file-name=libgcc_eh.a").output() else { return };
    let path = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    if let Some(folder) = Path::new(&path).parent().filter(|_| Path::new(&path).is_absolute()) {
        println!("cargo:rustc-link-search=native={}", folder.display());
        println!("cargo:rustc-link-lib=static:-bundle=gcc_eh");
    }
}
