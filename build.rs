//! Link flags of libmems.so: it stays loaded once it is (a thread's end and the exit call into it), its symbols are bound
//! at load, so that no call of ours runs through the lazy binder inside malloc, its own without a look-up, and it is laid out so that a process pays for
//! few of its pages and few mappings (see `src/layout.ld` and docs/performance.md).

use std::path::{Path, PathBuf};
use std::process::Command;

/// Ways to get tables and code into one mapping and no page apart for what is written only by the loader: lld's, and
/// that of GNU ld, which has its own word for the first. Each mapping costs a start 5 to 8 us.
const FEW_MAPPINGS: [&str; 2] = ["-Wl,--no-rosegment,-z,norelro", "-Wl,-z,noseparate-code,-z,norelro"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/layout.ld");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete,-z,now,-Bsymbolic");
    // Nothing of what the C compiler's start files do is needed here (`src/start.rs` says what stands in for them).
    println!("cargo:rustc-cdylib-link-arg=-nostartfiles");
    let layout = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("src/layout.ld");
    let with_layout = FEW_MAPPINGS.map(|flags| format!("{flags},-T,{}", layout.display()));
    // Linkers differ. One that takes none of these still links a library that works.
    let mut ways = with_layout.iter().map(String::as_str).chain(FEW_MAPPINGS);
    match ways.find(|flags| links(flags)) {
        Some(flags) => println!("cargo:rustc-cdylib-link-arg={flags}"),
        None => println!("cargo:warning=this linker takes none of the layouts: start-up will cost more"),
    }
    unwinder();
}

/// Something of each kind that the layout places.
const PROBE: &str = "#[used]
pub static ZEROED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
#[used]
pub static NAMES: [&str; 2] = [\"one\", \"two\"];
#[used]
#[unsafe(link_section = \".fini_array\")]
pub static END: extern \"C\" fn() = probe;
#[unsafe(no_mangle)]
pub extern \"C\" fn probe() {}
";

/// Whether the linker that will link the library takes `flags`.
fn links(flags: &str) -> bool {
    let get = |name| std::env::var(name).unwrap_or_default();
    let folder = PathBuf::from(get("OUT_DIR"));
    let source = folder.join("probe.rs");
    if std::fs::write(&source, PROBE).is_err() {
        return false;
    }
    let mut rustc = Command::new(get("RUSTC"));
    rustc.args(["--edition=2024", "--crate-type=cdylib", "-Cpanic=abort", "--target", &get("TARGET")]);
    rustc.args(get("CARGO_ENCODED_RUSTFLAGS").split('\x1f').filter(|flag| !flag.is_empty()));
    if let Ok(linker) = std::env::var("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    rustc.arg(format!("-Clink-arg={flags}")).arg("-o").arg(folder.join("probe.so")).arg(&source);
    rustc.output().is_ok_and(|out| out.status.success())
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
