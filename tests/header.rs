//! include/mems.h against libmems.so: what it declares is exported, what is exported of mems_* it declares, and it
//! compiles as C and C++ without a warning.

mod preload;

use std::collections::BTreeSet;
use std::process::Command;

fn declared() -> BTreeSet<String> {
    let text =
        std::fs::read_to_string(preload::root().join("include/mems.h")).expect("include/mems.h is read");
    let mut code = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    code.push_str(rest);
    let code: String = code.lines().map(|l| format!("{}\n", l.split("//").next().unwrap_or(l))).collect();
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("mems_") {
        let before = code[..at].chars().next_back();
        let name: String = code[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let called = code[at + name.len()..].trim_start().starts_with('(');
        if called && !before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            names.insert(name);
        }
    }
    names
}

#[test]
fn the_header_declares_what_the_library_exports() {
    let mut nm = Command::new("nm");
    let output = preload::run(nm.args(["-D", "--defined-only", "--format=posix"]).arg(preload::library()));
    let exported: BTreeSet<String> = String::from_utf8_lossy(&output.stdout)
        .lines()
        // Functions only: mems_live is a variable that `mems top` finds by its name, and no C program uses it.
        .filter_map(|line| line.split_once(' ').filter(|(_, kind)| kind.starts_with('T')))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("mems_"))
        .map(String::from)
        .collect();
    assert!(exported.len() >= 6);
    assert_eq!(declared(), exported);
}

#[test]
fn the_header_compiles_as_every_c_and_as_cxx() {
    let header = preload::root().join("include/mems.h");
    for standard in ["gnu89", "c99", "c11", "c17", "gnu17"] {
        let mut cc = Command::new("cc");
        preload::run(
            cc.args(["-x", "c", &format!("-std={standard}"), "-Wall", "-Wextra", "-Werror", "-fsyntax-only"])
                .arg(&header),
        );
    }
    if preload::installed("c++") {
        for standard in ["c++98", "c++17", "c++20"] {
            let mut cxx = Command::new("c++");
            let standard = format!("-std={standard}");
            preload::run(
                cxx.args(["-x", "c++", &standard, "-Wall", "-Wextra", "-Werror", "-fsyntax-only"])
                    .arg(&header),
            );
        }
    }
}
