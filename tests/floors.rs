//! The floors of the house: a module uses only what is on its own floor or below. `FLOORS` is the one place where the
//! order is kept; a module that is not on it has no place in the house yet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// crates/core, from the ground up. Modules that share a floor may name each other.
const FLOORS: &[&[&str]] = &[
    &["syscall"],
    &["thread_word"],
    &["pile"],
    &["listen"],
    &["account"],
    &["account", "listen", "mode", "secret"],
    &["os"],
    &["lock"],
    &["class", "count"],
    &["buffer"],
    &["say", "site"],
    &["site"],
    &["misuse"],
    &["pool"],
    &["ledger"],
    &["marks"],
    &["nodes"],
    &["packet"],
    &["pagemap"],
    &["engine"],
    &["shared"],
    // One heap with all its parts.
    &["block", "borrower", "hard", "heap", "large", "loans", "remote", "shelf", "slab", "stack", "whole"],
    &["tls"],
    &["shared"],
    &["registry"],
    &["foreign"],
    &["snapshot"],
    &["profile"],
    &["live"],
    &["guard"],
    &["fork"],
    &["posix"],
    &["vspace"],
    &["report"],
];

/// src, the root: what the dynamic linker sees. Those on the ground floor stand alone: no allocation path leads up.
const ROOT: &[&[&str]] = &[
    &["alloc", "dlopen", "exports", "info", "live", "mems", "operators", "place", "raw"],
    &["options"],
    &["process"],
    &["stderr"],
    &["descriptor"],
    &["file"],
    &["record", "stats_file"],
    &["counters"],
    &["live"],
    &["log"],
    &["counters"],
    &["dump"],
    &["exec"],
    &["exit"],
    &["daemon"],
    &["start"],
];

/// The source without comments, string literals and what follows `#[cfg(test)]`.
fn code(source: &str) -> String {
    let source = source.split("#[cfg(test)]").next().unwrap_or(source);
    let mut out = String::new();
    for line in source.lines() {
        let line = line.split("//").next().unwrap_or(line);
        for (index, part) in line.split('"').enumerate() {
            if index % 2 == 0 {
                out.push_str(part);
            }
        }
        out.push('\n');
    }
    out
}

/// The modules that `source` names as `crate::x` or in `use crate::{x, y::z}`.
fn named(source: &str) -> Vec<String> {
    let code = code(source);
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for c in list.chars() {
                match c {
                    '}' if depth == 0 => break,
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => names.push(std::mem::take(&mut name)),
                    _ if depth == 0 => name.push(c),
                    _ => {}
                }
            }
            names.push(name);
        } else {
            names.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names
        .iter()
        .map(|name| {
            name.trim().split("::").next().unwrap_or("").split_whitespace().next().unwrap_or("").to_string()
        })
        .filter(|name| {
            !name.is_empty() && name.chars().all(|c| c.is_lowercase() || c == '_' || c.is_numeric())
        })
        .collect()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the source directory is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The module that a file of `src` belongs to: `report/json.rs` is part of report.
fn module(file: &Path, src: &Path) -> String {
    let inside = file.strip_prefix(src).expect("the file is in src");
    let first = inside.components().next().expect("a path has a part").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_string()
}

#[test]
fn a_module_of_core_uses_only_its_floor_and_those_below() {
    stands(&Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/core/src"), FLOORS);
}

#[test]
fn a_module_of_the_root_uses_only_its_floor_and_those_below() {
    stands(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), ROOT);
}

/// Every module of `src` has a floor and uses only that floor and those below.
fn stands(src: &Path, floors: &[&[&str]]) {
    let floor: BTreeMap<&str, usize> = floors
        .iter()
        .enumerate()
        .flat_map(|(level, names)| names.iter().map(move |name| (*name, level)))
        .collect();
    let mut wrong = Vec::new();
    for file in rust_files(src) {
        let from = module(&file, src);
        if from == "lib" {
            continue;
        }
        let Some(level) = floor.get(from.as_str()) else {
            wrong.push(format!("{from} has no floor: give it one in tests/floors.rs"));
            continue;
        };
        for to in named(&std::fs::read_to_string(&file).expect("the file is read")) {
            match floor.get(to.as_str()) {
                Some(below) if below <= level => {}
                Some(_) => wrong.push(format!("{}: {from} uses {to}, which is above it", file.display())),
                None if src.join(format!("{to}.rs")).exists() => wrong.push(format!("{to} has no floor")),
                None => {}
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn nothing_in_core_names_report_or_vspace_but_themselves() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/core/src");
    for file in rust_files(&src) {
        let from = module(&file, &src);
        for to in named(&std::fs::read_to_string(&file).expect("the file is read")) {
            let high = to == "report" || to == "vspace";
            assert!(!high || from == to, "{}: {from} names {to}", file.display());
        }
    }
}

#[test]
fn the_chain_knows_neither_the_system_nor_the_allocator() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/chain");
    let lib = std::fs::read_to_string(root.join("src/lib.rs")).expect("the chain's lib.rs is read");
    assert!(lib.contains("#![forbid(unsafe_code)]") && lib.contains("#![no_std]"));
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("the chain's manifest is read");
    let own = manifest.split("[dependencies]").nth(1).unwrap_or("").split('[').next().unwrap_or("");
    assert!(own.trim().is_empty(), "the chain depends on nothing, but: {own}");
}

#[test]
fn names_are_found_in_every_form_of_use() {
    let source = "use crate::os::{self, PAGE};\nuse crate::{engine::Span, pool, slab};\nfn f() { crate::heap::x(); } // crate::no\n#[cfg(test)]\nuse crate::posix;";
    assert_eq!(named(source), ["os", "engine", "pool", "slab", "heap"]);
}
