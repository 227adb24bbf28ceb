//! The golden list of what libmems.so exports: `tests/exports.txt`. A symbol more or less changes what programs see, and
//! is to be noticed; the list is sorted, one name a line, `#` for remarks.

mod preload;

use std::collections::BTreeSet;

fn golden() -> BTreeSet<String> {
    let text =
        std::fs::read_to_string(preload::root().join("tests/exports.txt")).expect("the golden list is read");
    text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).map(String::from).collect()
}

fn exported() -> BTreeSet<String> {
    let mut nm = std::process::Command::new("nm");
    let output = preload::run(nm.args(["-D", "--defined-only", "--format=posix"]).arg(preload::library()));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(|name| name.split('@').next().unwrap_or(name).to_string())
        .collect()
}

#[test]
fn exactly_the_golden_list_is_exported() {
    let (golden, exported) = (golden(), exported());
    let more: Vec<_> = exported.difference(&golden).collect();
    let less: Vec<_> = golden.difference(&exported).collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "not in tests/exports.txt: {more:?}\nnot in libmems.so: {less:?}"
    );
}

#[test]
fn the_whole_family_that_the_c_library_exports_is_there() {
    // What is missing here would reach the C library's heap, and its free ours.
    let mut ldd = std::process::Command::new("ldd");
    let listing = preload::run(ldd.arg(preload::library()));
    let listing = String::from_utf8_lossy(&listing.stdout);
    let libc = listing
        .lines()
        .find(|line| line.contains("libc.so.6"))
        .and_then(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .expect("libmems.so needs libc.so.6");
    let mut nm = std::process::Command::new("nm");
    let output = preload::run(nm.args(["-D", "--defined-only", "--format=posix", libc]));
    let ours = exported();
    let family = |name: &str| {
        let bare = name.strip_prefix("__libc_").unwrap_or(name);
        bare.starts_with("malloc")
            || bare.starts_with("mallinfo")
            || ["calloc", "realloc", "reallocarray", "free", "cfree", "free_sized", "free_aligned_sized"]
                .contains(&bare)
            || ["memalign", "aligned_alloc", "posix_memalign", "valloc", "pvalloc", "mallopt"].contains(&bare)
    };
    let mut missing = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        // Private symbols carry a version that no program can link with.
        let mut words = line.split_whitespace();
        let full = words.next().unwrap_or("");
        if full.contains("GLIBC_PRIVATE") {
            continue;
        }
        let name = full.split('@').next().unwrap_or(full);
        let function = words.next().is_some_and(|kind| kind == "T" || kind == "W");
        if function && family(name) && !ours.contains(name) {
            missing.push(name.to_string());
        }
    }
    assert!(missing.is_empty(), "libc exports these, libmems.so does not: {missing:?}");
}
